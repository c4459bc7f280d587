#!/usr/bin/env perl
use strict;
use CGI;
my $query = CGI->new;
print $query->header('text/plain'), 'hello ', $query->request_method, "\n";
