#!/usr/bin/env perl
# Counts its own visits in a Perl variable: a looping program that speaks the pipe protocol without any library.
use strict;
use warnings;

my %lasting = map { $_ => $ENV{$_} } qw(PATH HTSESSION_FD);    # what no request brings
my $mark    = $ENV{HTSESSION_END};
my ($count, $note) = (0, '');
open my $requests, '<&=', $ENV{HTSESSION_FD} or die "the request pipe: $!";
binmode $_ for $requests, *STDIN, *STDOUT;
local $| = 1;

my $body = read_from(\*STDIN, $ENV{CONTENT_LENGTH} || 0);
do {
    $count++;
    $note = decode($1) if $body =~ /^note=([^&]*)/;
    print page();
    print "\4$mark\n";
} while next_request();

sub page {
    my $handle = $ENV{HTSESSION_HANDLE} || $ENV{HTSESSION_NEXT_HANDLE};
    my $ends   = ($ENV{QUERY_STRING} || '') eq 'end';
    my $accept = $ends ? '' : "Accept-HTSession: $handle\n";
    my ($start, $link, $text, $short) = map { escape($_) } $ENV{SCRIPT_NAME}, $handle, $note, substr $handle, 0, 4;
    my $living = <<"PAGE";
<p>A variable of process $$; session $short… waits $ENV{HTSESSION_TIMEOUT} s for your next visit.</p>
<form method="post" action="$start/$link"><label for="note">Note</label>
<input id="note" name="note" value="$text" maxlength="100" autofocus> <button>Count on</button></form>
<nav><a href="$start/$link">Count on</a> <a href="$start">Start another</a>
<a href="$start/$link?end">End this session</a></nav></main></html>
PAGE
    my $ended = <<"PAGE";
<p>It was a variable of process $$, which ends now. Your last note: <q>$text</q></p>
<nav><a href="$start">Start another</a></nav></main></html>
PAGE
    return $accept . <<"PAGE" . ($ends ? $ended : $living);
Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Counter in Perl: $count</title><link rel="stylesheet" href="/style.css">
<main><h1>Counter in Perl</h1>
<output>$count</output>
PAGE
}

# One SCGI request from the pipe: its variables become the environment. False at end of file: the session is over.
sub next_request {
    my $size = '';
    while (length(my $digit = read_from($requests, 1))) {
        last if $digit eq ':';
        $size .= $digit;
    }
    return 0 if $size eq '';
    my $frame = read_from($requests, $size + 1);
    my %fields = split /\0/, substr($frame, 0, -2), -1;
    return 0 if $fields{HTSESSION_END} ne $mark;
    %ENV  = (%lasting, %fields);
    $body = read_from($requests, $fields{CONTENT_LENGTH});
    return 1;
}

sub read_from {
    my ($handle, $size) = @_;
    my $data = '';
    while (length $data < $size) {
        sysread($handle, $data, $size - length $data, length $data) or last;
    }
    return $data;
}

sub decode {
    my ($text) = @_;
    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

sub escape {
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;', "'" => '&#x27;');
    $text =~ s/([&<>"'])/$entity{$1}/g;
    return $text;
}
