#!/usr/bin/env perl
# STARTER: greets. A plain CGI program: started for a request, gone with its end.
use strict;
use warnings;

my ($name) = ($ENV{QUERY_STRING} // '') =~ /(?:^|&)name=([^&]*)/;
my $hello = escape(decode($name // 'nobody yet'));
my $here  = escape($ENV{SCRIPT_NAME});

# the header, a blank line, then the page; the program's end is the end of the page
print <<"PAGE";
Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en"><meta charset="utf-8"><title>STARTER</title>
<h1>Hello, $hello</h1>
<form action="$here">
<input name="name" maxlength="80" autofocus> <button>Greet</button>
</form></html>
PAGE

sub decode {    # a form's value: + is a blank, %XX a byte
    my ($text) = @_;
    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return $text;
}

sub escape {
    my ($text) = @_;
    $text =~ s/([&<>"'])/'&#' . ord($1) . ';'/ge;
    return $text;
}
