#!/usr/bin/env perl
# STARTER: a list that grows. It runs from top to bottom and returns, and is called again with its variables.
use strict;
use warnings;

our @items;    # package variables (`our`) stay from call to call; `my` variables of the file are new in each

# the form: standard input ends after CONTENT_LENGTH bytes and is empty without a body
read STDIN, my $form, 100_000;
push @items, decode($1) if $form =~ /^item=([^&]*)/;
my $ends = ($ENV{QUERY_STRING} // '') eq 'end';

# the handle by which this request came, else a new one that the gateway offers
my $handle = $ENV{HTSESSION_HANDLE} // $ENV{HTSESSION_NEXT_HANDLE} // '';
my $start  = escape($ENV{SCRIPT_NAME});
my $here   = "$start/" . escape($handle);    # the next request by this link comes to this process

print "Accept-HTSession: $handle\nHTTimeout: 10\n" unless $ends;    # with every page but the last; minutes
print "Content-Type: text/html; charset=utf-8\n\n<!doctype html>\n",
    qq(<html lang="en"><meta charset="utf-8"><title>STARTER</title>\n<h1>${\scalar @items} items</h1>\n),
    "<ul>\n", (map { '<li>' . escape($_) . "</li>\n" } @items), "</ul>\n";
print $ends
    ? qq(<p>It is over. <a href="$start">Start anew</a></p></html>\n)
    : qq(<form method="post" action="$here"><input name="item" maxlength="80" autofocus>\n)
    . qq(<button>Add</button></form>\n<p><a href="$here?end">End</a></p></html>\n);

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
