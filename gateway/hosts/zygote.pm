package HTSession::Zygote;

# A warm perl host: started ahead of need, it makes a process for every start (P11, StartCGI).
#
# HTSESSION_WARM is a socket to the keeper. A packet on it is one end mark or several, and carries three
# descriptors for each: standard output, standard error, request pipe. The answer is the ids of the new processes,
# or error numbers with a minus. They are the keeper's children (clone(2) with CLONE_PARENT).

use strict;
use warnings;

# asm/unistd.h: recvmsg, dup3, clone, setsid, close, exit_group
my %NUMBERS = (
    x86_64      => [47,  292, 56,  112, 3,  231],
    aarch64     => [212, 24,  220, 157, 57, 94],
    riscv64     => [212, 24,  220, 157, 57, 94],
    loongarch64 => [212, 24,  220, 157, 57, 94],
);
my ($RECVMSG, $DUP3, $CLONE, $SETSID, $CLOSE, $EXIT_GROUP);
my $CLONE_PARENT     = 0x8000;
my $SIGCHLD          = 17;
my $MSG_CMSG_CLOEXEC = 0x40000000;
my $EINTR            = 4;

# Modules that make no objects for which something is to be done at the end, nor have an END block
my %PLAIN = map { ("$_.pm" => 1) } qw(
    strict warnings warnings/register utf8 vars constant integer feature bytes lib parent base
    Carp Cwd Config Errno Exporter Exporter/Heavy Fcntl File/Basename List/Util POSIX Scalar/Util
    Tie/Hash Time/HiRes Time/Local XSLoader overloading
);

# Make processes until the keeper closes the socket, then exit. Returns in a new process.
sub serve {
    $PLAIN{$_} = 1 for grep { !$HTSession::Host::early{$_} } keys %INC;    # what the host uses
    ($RECVMSG, $DUP3, $CLONE, $SETSID, $CLOSE, $EXIT_GROUP) = @{ $NUMBERS{ _machine() } || _refuse() };
    open my $control, '+<&', delete $ENV{HTSESSION_WARM} or die "HTSESSION_WARM: $!\n";
    while (1) {
        my ($marks, @descriptors) = _receive($control);
        CORE::exit(0) if $marks eq '';
        my @marks = split / /, $marks;
        my @answers;
        for my $number (0 .. $#marks) {
            my $pid = syscall $CLONE, $CLONE_PARENT | $SIGCHLD, 0, 0, 0, 0;
            if ($pid == 0) {
                close $control;
                _become($marks[$number], splice @descriptors, 3 * $number, 3);
                syscall $CLOSE, $_ for @descriptors;
                return;
            }
            push @answers, $pid > 0 ? $pid : 0 - $!;
        }
        syscall $CLOSE, $_ for @descriptors;
        syswrite $control, "@answers";
    }
}

# Whether a script makes no objects itself.
sub is_plain { $_[0] !~ /\b(?:bless|DESTROY)\b/ }

# End this process at once if perl's own end would do nothing that can be noticed. Looking for objects to destroy,
# that writes to every page that holds a name, and so copies what is shared with the host: a third of the time of
# a small program. The script, which is plain, and all END blocks have run.
sub leave {
    return if $? || $^P || HTSession::has_handles() || grep { !$PLAIN{$_} } keys %INC;
    select STDOUT;
    $| = 1;
    syscall $EXIT_GROUP, 0;
    return;
}

sub _machine {
    open my $arch, '<', '/proc/sys/kernel/arch' or return (split ' ', `uname -m`)[0];
    chomp(my $name = <$arch>);
    return $name;
}

sub _refuse {
    print STDERR 'warm starts (StartCGI) are not known on ', _machine(), ": programs are started cold\n";
    CORE::exit(1);
}

# End marks and the descriptors that came with them; an empty string at the end. recvmsg(2), cmsg(3), 64 bits.
sub _receive {
    my ($control) = @_;
    my ($data, $ancillary) = ("\0" x 2048, "\0" x 512);
    my $part    = pack 'PQ', $data, length $data;
    my $message = pack 'QLx4PQPQix4', 0, 0, $part, 1, $ancillary, length $ancillary, 0;
    my $size;
    do {
        $size = syscall $RECVMSG, fileno $control, $message, $MSG_CMSG_CLOEXEC;
    } until $size >= 0 || $! != $EINTR;
    return '' if $size <= 0;
    return substr $data, 0, $size if !(unpack 'QLx4QQQQi', $message)[5];
    my $length = unpack 'Q', $ancillary;    # of header and descriptors, without what fills up the last word
    return (substr($data, 0, $size), unpack 'x16 i*', substr $ancillary, 0, $length);
}

# A process of its own: session, descriptors, end mark, random numbers. The pipe takes the socket's number.
sub _become {
    my ($mark, @descriptors) = @_;
    syscall $SETSID;
    for my $number (1 .. 3) {
        syscall $DUP3, $descriptors[ $number - 1 ], $number, 0;
        syscall $CLOSE, $descriptors[ $number - 1 ];
    }
    @ENV{qw(HTSESSION_END HTSESSION_FD HTSESSION_FIRST)} = ($mark, 3, 'frame');
    srand;
    return;
}

1;
