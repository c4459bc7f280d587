#!/usr/bin/env perl
# A looping program whose visitor says what it does: see looper.py.
use strict;
use warnings;
use FindBin;
use lib $ENV{HTSESSION_LIB} || $FindBin::Bin;
use HTSession;
use POSIX ();

my $count = 0;
$ENV{MINE} = 'before the loop' if !defined $ENV{MINE};

sub argument { return $ENV{HTTP_X_ARGUMENT} }

sub flush {
    local $| = 1;
    return;
}

sub copy {
    my ($read) = @_;
    my $part;
    print $part while $read->($part);
    return;
}

sub show {
    print map({ defined $ENV{$_} ? "+$ENV{$_}\0" : "-\0" } split /,/, argument());
    return;
}

sub child {
    print '<';
    flush();
    system 'cat';
    print '>';
    return;
}

sub in_fork {
    flush();
    my $pid = fork;
    if (!$pid) {
        print 'never' if HTSession::accept();
        flush();
        POSIX::_exit(0);
    }
    waitpid $pid, 0;
    print 'parent';
    return;
}

sub close_all {
    print 'closed';
    flush();
    POSIX::close($_) for 0 .. 2;
    return;
}

sub redirect {
    open STDOUT, '>', argument() or die $!;
    print "to the file\n";
    return;
}

my %verbs = (
    count             => sub { print $count },
    echo              => sub { copy(sub { read STDIN, $_[0], 65536 }) },
    'echo-descriptor' => sub { copy(sub { POSIX::read(0, $_[0], 65536) > 0 }) },
    line              => sub { print scalar <STDIN> },
    ignore            => sub { print 'done' },
    child             => \&child,
    variables         => \&show,
    prefix            => sub { my $name = argument(); print scalar grep { /^\Q$name/ } keys %ENV },
    set               => sub { $ENV{MINE} = argument() },
    handle            => sub { print HTSession::handle() },
    fork              => \&in_fork,
    nested            => sub { flush(); local $ENV{QUERY_STRING} = 'count'; system $^X, $0 },
    descriptors       => sub { opendir my $open, '/proc/self/fd' or die $!; print scalar(() = readdir $open) },
    close             => \&close_all,
    redirect          => \&redirect,
    almost            => sub { print "\4$ENV{HTSESSION_END}.\4" },
    warn              => sub { print STDERR argument(), "\n" },
    exit              => sub { print 'page'; exit 3 },
    catch             => sub { $SIG{USR1} = sub { } },
);

while (HTSession::accept()) {
    $count++;
    $verbs{ $ENV{QUERY_STRING} || 'count' }->();
}
print STDERR "bye\n";
