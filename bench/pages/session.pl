#!/usr/bin/env perl
use strict;
our $count;
$count++;
my $handle = $ENV{HTSESSION_HANDLE} // $ENV{HTSESSION_NEXT_HANDLE};
print "Accept-HTSession: $handle\n" if $ENV{QUERY_STRING} ne 'end';
printf "Content-Type: text/html\n\n<!doctype html><title>%d</title><p>%s<p>%0120d", $count, $handle, $$;
