#!/usr/bin/env perl
# Eliza, the doctor, with CGI.pm: one process for each conversation, as in doctor.py, with the same rules and answers.
#
# Written like a script for one request, but for two words: `our` in front of what is to stay, and the header
# Accept-HTSession. The host runs this file once a call: package variables are as they were, `my` variables are new.
use strict;
use warnings;
use lib 'common/doctor';

our $missing;
BEGIN {
    $missing ||= "CGI.pm (on Debian: apt-get install libcgi-pm-perl)" if !eval { require CGI };
    $missing ||= "JSON::PP (a part of Perl; on Debian: apt-get install perl-modules)" if !eval { require JSON::PP };
    require Eliza if !$missing;
}
if ($missing) {
    print "Status: 500 Not installed\nContent-Type: text/plain\n\nThe doctor needs $missing.\n";
    exit;
}

our ($doctor, @talk);
if (!$doctor) {
    $doctor = Eliza->new('common/doctor/rules.json');
    @talk   = ([Doctor => $doctor->begin()]);
}

my $q      = CGI->new;
my $handle = $ENV{HTSESSION_HANDLE} || $ENV{HTSESSION_NEXT_HANDLE};
my $start  = path($ENV{SCRIPT_NAME});
my $here   = path("$ENV{SCRIPT_NAME}/$handle");
binmode STDOUT, ':encoding(UTF-8)';

listen_to($q);
if ($doctor->over()) {
    print head(), page(talk(), nav('Come again'));
} elsif ($q->request_method() eq 'POST') {
    print "Accept-HTSession: $handle\r\nStatus: 303 See Other\r\nLocation: $here\r\n\r\n";
} else {
    print "Accept-HTSession: $handle\r\n", head(), page(talk(), form(), nav('Begin anew'));
}

# Take the form: something to say, or the Goodbye button
sub listen_to {
    my ($q)  = @_;
    return if $q->request_method() ne 'POST';
    my $text = $q->param('say');
    $text = substr decoded(defined $text ? $text : ''), 0, $Eliza::LONGEST_TEXT;
    $text =~ s/[\x00-\x20\x7f]+/ /g;
    $text =~ s/^ +| +\z//g;
    if (defined $q->param('leave')) {
        push @talk, [You => length $text ? $text : 'Goodbye.'], [Doctor => $doctor->end()];
    } elsif (length $text) {
        push @talk, [You => $text], [Doctor => $doctor->answer($text)];
    }
    splice @talk, 0, @talk - 200 if @talk > 200;
    return;
}

sub decoded {
    my ($bytes) = @_;
    require Encode;
    return Encode::decode('UTF-8', $bytes);
}

# An URL's path, quoted
sub path {
    my ($path) = @_;
    $path =~ s{([^A-Za-z0-9/~!\$&'()*+,;=:\@._-])}{sprintf '%%%02X', ord $1}ge;
    return $path;
}

sub head {
    return $q->header(
        -type => 'text/html', -charset => 'utf-8', -X_Content_Type_Options => 'nosniff',
        -Content_Security_Policy => "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
            . "base-uri 'none'; frame-ancestors 'none'",
    );
}

sub talk {
    my @items = map { "<li><b>$_->[0]</b> " . $q->escapeHTML($_->[1]) . "</li>\n" } @talk;
    return join '', qq(<ol class="talk" aria-label="The conversation">\n), @items, '</ol>';
}

sub form {
    my $action = $q->escapeHTML($here);
    chomp(my $form = <<"FORM");
<form method="post" action="$action">
<label for="say">Tell the doctor</label>
<input id="say" name="say" maxlength="$Eliza::LONGEST_TEXT" autocomplete="off" required autofocus>
<button>Say</button>
<button name="leave" value="yes" formnovalidate>Goodbye</button>
</form>
<p>The doctor waits $ENV{HTSESSION_TIMEOUT} seconds for your next word, and then forgets you.</p>
FORM
    return $form;
}

sub nav {
    my ($text) = @_;
    my $link = $q->escapeHTML($start);
    return qq(<nav><a href="$link">$text</a> <a href="/">All programs</a></nav>);
}

sub page {
    my @body = @_;
    local $" = "\n";
    return <<"PAGE";
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>The doctor</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>The doctor</h1>
@body
</main>
</body>
</html>
PAGE
}
