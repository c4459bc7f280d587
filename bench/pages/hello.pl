#!/usr/bin/env perl
use strict;
print "Content-Type: text/plain\n\nhello $ENV{REQUEST_METHOD}\n";
