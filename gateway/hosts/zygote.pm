package HTSession::Zygote;

# A warm perl host: started ahead of need, it makes a process for every start (P11, StartCGI).
#
# HTSESSION_WARM is a socket to the keeper. A packet on it is one end mark or several, and carries three
# descriptors for each: standard output, standard error, request pipe. The answer is the ids of the new processes,
# or error numbers with a minus. They are the keeper's children (clone(2) with CLONE_PARENT).
#
# What is loaded ahead is hidden until a script asks for it: perl searches @INC as in a cold start, and a module
# of the same name that lies in a folder before the standard ones is taken.

use strict;
use warnings;

# asm/unistd.h: recvmsg, dup3, clone, setsid
my %NUMBERS = (
    x86_64      => [47,  292, 56,  112],
    aarch64     => [212, 24,  220, 157],
    riscv64     => [212, 24,  220, 157],
    loongarch64 => [212, 24,  220, 157],
);
my ($RECVMSG, $DUP3, $CLONE, $SETSID);
my $CLONE_PARENT     = 0x8000;
my $SIGCHLD          = 17;
my $MSG_CMSG_CLOEXEC = 0x40000000;
my $EINTR            = 4;
my @AHEAD            = qw(CGI.pm File/Spec.pm HTML/Entities.pm);

# What is hidden, by the first part of its packages' names: its symbol table, its files as in %INC, the trees
# that are loaded along with it.
my %trees;

# Make processes until the keeper closes the socket, then exit. Returns in a new process.
sub serve {
    ($RECVMSG, $DUP3, $CLONE, $SETSID) = @{ $NUMBERS{ _machine() } || _refuse() };
    _load_ahead();
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
                _close($_) for @descriptors;
                return;
            }
            push @answers, $pid > 0 ? $pid : 0 - $!;
        }
        _close($_) for @descriptors;
        syswrite $control, "@answers";
    }
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
    my $length = (unpack 'QLx4QQQQi', $message)[5];
    my (undef, undef, undef, @descriptors) = unpack 'Qiii*', substr $ancillary, 0, $length;
    return (substr($data, 0, $size), @descriptors);
}

# A process of its own: session, descriptors, end mark, random numbers. The pipe takes the socket's number.
sub _become {
    my ($mark, @descriptors) = @_;
    syscall $SETSID;
    for my $number (1 .. 3) {
        syscall $DUP3, $descriptors[ $number - 1 ], $number, 0;
        _close($descriptors[ $number - 1 ]);
    }
    @ENV{qw(HTSESSION_END HTSESSION_FD HTSESSION_FIRST)} = ($mark, 3, 'frame');
    srand;
    return;
}

sub _close {
    open my $handle, '<&=', $_[0] or return;
    close $handle;
    return;
}

# Load what CGI scripts use and hide it.
sub _load_ahead {
    my %visible = map { _tree($_) => 1 } keys %INC;
    for my $file (@AHEAD) {
        my %before = %INC;
        eval { require $file } or next;
        my @loaded = grep { !$before{$_} && !$visible{ _tree($_) } } keys %INC;
        $trees{ _tree($_) }{files}{$_} = $INC{$_} for @loaded;
        $trees{ _tree($file) }{needs} = [map { _tree($_) } @loaded];
    }
    for my $tree (keys %trees) {
        delete @INC{ keys %{ $trees{$tree}{files} } };
        $trees{$tree}{symbols} = delete $main::{"${tree}::"};
    }
    unshift @INC, \&_find;
    return;
}

sub _tree {
    my ($tree) = $_[0] =~ m{^([^/.]+)};
    return $tree;
}

# perl asks here for a module that no folder before the standard ones has (perlfunc, require).
sub _find {
    my ($self, $file) = @_;
    my $tree = $trees{ _tree($file) };
    return if !$tree || !$tree->{files}{$file} || !_show(_tree($file));
    _show($_) for @{ $tree->{needs} || [] };
    return \'1;';
}

# False when the program has made symbols of its own under that name: then it is loaded as in a cold start.
sub _show {
    my ($name) = @_;
    my $tree = $trees{$name} or return;
    my $own = $main::{"${name}::"};
    if ($own) {
        my $inner = *{$own}{HASH};
        return if grep { !/::\z/ || exists *{ $tree->{symbols} }{HASH}{$_} } keys %$inner;
        *{ $tree->{symbols} }{HASH}{$_} = delete $inner->{$_} for keys %$inner;
    }
    $main::{"${name}::"} = $tree->{symbols};
    @INC{ keys %{ $tree->{files} } } = values %{ $tree->{files} };
    delete $trees{$name};
    return 1;
}

1;
