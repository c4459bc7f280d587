#!/usr/bin/env perl
use strict;
use FCGI;
my $count   = 0;
my $request = FCGI::Request();
while ($request->Accept() >= 0) {
    printf "Content-Type: text/html\r\n\r\n<!doctype html><title>%d</title><p>%s<p>%0120d", ++$count,
      'abcdefghijklmnopqrstuvwxyz012345', 0;
}
