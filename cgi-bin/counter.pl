#!/usr/bin/env perl
# Counts its own calls: the number is a package variable of a living process, which runs this file once a call.
# Each page carries a handle of its own, so that an older one, by the Back button, is told to be out of date.
use strict;
use warnings;

our ($count, $note);
$count++;
read STDIN, my $form, 4096;
$note = $1 if $form =~ /^note=([^&]*)/;
(my $text = defined $note ? $note : '') =~ tr/+/ /;
$text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;

my $handle = $ENV{HTSESSION_NEXT_HANDLE};
my ($start, $here, $shown, $short) = map { escape($_) } $ENV{SCRIPT_NAME}, $handle, $text, substr $handle, 0, 4;
my $ends = ($ENV{QUERY_STRING} || '') eq 'end';
print "Accept-HTSession: $handle\n" if !$ends;
print <<"PAGE", $ends ? <<"ENDED" : <<"LIVING";
Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Counter in Perl: $count</title><link rel="stylesheet" href="/style.css">
<main><h1>Counter in Perl</h1>
<output>$count</output>
PAGE
<p>It was a variable of process $$, which ends now. Your last note: <q>$shown</q></p>
<nav><a href="$start">Start another</a></nav></main></html>
ENDED
<p>A variable of process $$; session $short… waits $ENV{HTSESSION_TIMEOUT} s for your next visit.</p>
<form method="post" action="$start/$here"><label for="note">Note</label>
<input id="note" name="note" value="$shown" maxlength="100" autofocus> <button>Count on</button></form>
<nav><a href="$start/$here">Count on</a> <a href="$start">Start another</a>
<a href="$start/$here?end">End this session</a></nav></main></html>
LIVING

sub escape {
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#x27;');
    $text =~ s/([&<>"'])/$entity{$1}/g;
    return $text;
}
