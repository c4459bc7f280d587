package HTSession;

# Persistent CGI for looping Perl programs: the pipe protocol behind a `while` statement.
#
#     #!/usr/bin/env perl
#     use strict;
#     use warnings;
#     use lib $ENV{HTSESSION_LIB} || '.';
#     use HTSession;
#     my $visits = 0;
#     while (HTSession::accept()) {
#         $visits++;
#         print "Accept-HTSession: ", HTSession::handle(), "\nContent-Type: text/plain\n\nvisit $visits\n";
#     }
#
# Use it first: what is in the environment then came from the server and goes with the next request (B1).
# A request's body is standard input, for subprocesses too; `CGI->new` in the loop gets the present request.
# One file, no other module, Perl 5.14 or newer, Linux; it may be copied next to a program.
# Under a plain CGI server the loop runs once.

use strict;
use warnings;

our $VERSION = '1.0';

my $CHUNK   = 1 << 16;
my $IN_PIPE = 4096;    # what every pipe takes without a reader (pipe(7))
my %LASTING = map { $_ => 1 } qw(PATH HTSESSION_FD HTSESSION_LIB);
my @STREAMS = ([0, \*STDIN, '<'], [1, \*STDOUT, '>'], [2, \*STDERR, '>']);

# Linux's numbers of EINTR, F_GETFL, F_SETFL, O_NONBLOCK: to load Fcntl and Errno costs as much as to start perl
my ($EINTR, $GETFL, $SETFL, $NONBLOCK) = (4, 3, 4, 04000);

my %names = map { $_ => 1 } keys %ENV, qw(HTSESSION_FIRST HTSESSION_END);
my ($process, $mark, $in_environment, $requests, $first_body, @outputs, @layers);
my ($serving, $unseen, $over) = (0, 0, 0);
my $buffer = '';

# True: a request is in the environment and on standard input; the response before it is ended (P1).
# False: there are no more requests (P8), or this is a forked child; clean up. Exits with HTS011 when what comes
# is not a request for this process (P7).
sub accept {
    my $got = $unseen || fetch();
    $unseen = 0;
    return $got;
}

# The handle by which this request came, else the one that the gateway offers for a new session (H11).
sub handle {
    my ($handle) = grep { defined && length } @ENV{qw(HTSESSION_HANDLE HTSESSION_NEXT_HANDLE)};
    return defined $handle ? $handle : '';
}

# What the server set for the present request: a reference to a hash of names and values.
sub variables {
    return { map { $_ => $ENV{$_} } grep { exists $ENV{$_} && !$LASTING{$_} } keys %names };
}

# As `accept`, for hosts: the request that it brings is still to be taken by a loop.
sub fetch {
    _begin() if !defined $process;
    return 0 if $over || $$ != $process;
    if ($in_environment) {
        ($in_environment, $serving) = (0, 1);
    }
    else {
        _finish() if $serving;
        $over    = 1;    # unless what comes is a request
        $serving = $requests ? _receive() : 0;
    }
    ($unseen, $over) = ($serving, !$serving);
    return $serving;
}

# Note how the standard streams are set up: those of later requests will be so. `accept` does it at first.
sub remember_layers {
    @layers = map {
        [ map { ":$_" } grep { !/^(?:unix|perlio)$/ } PerlIO::get_layers($_->[1]) ]
    } @STREAMS;
    return;
}

sub _begin {
    $process        = $$;
    $mark           = $ENV{HTSESSION_END};
    $in_environment = ($ENV{HTSESSION_FIRST} || '') ne 'frame';    # else P11
    remember_layers();
    my $number = $ENV{HTSESSION_FD};
    return if !defined $number || !-p "/proc/self/fd/$number";    # else a looping program started this one
    open $requests, '<&=', $number or _refuse("the request pipe: $!");
    binmode $requests;
    open $outputs[$_->[0]], '>&', $_->[1] or _refuse("standard output: $!") for @STREAMS[1, 2];
    binmode $_ for @outputs[1, 2];
    open $first_body, '<&', \*STDIN or undef $first_body if $in_environment;
    return;
}

sub _finish {
    _forget_form() if $INC{'CGI.pm'};
    _flush();
    return if !$requests;
    _drain() if $first_body;
    _renew($_, $outputs[$_->[0]]) for @STREAMS[1, 2];
    _write($outputs[1], "\4$mark\n");
    return;
}

# All that was written goes on its way, through whatever handle.
sub _flush {
    local ($!, $@, $?, $SIG{__DIE__});
    my $flags = $outputs[1] ? fcntl $outputs[1], $GETFL, 0 : 0;
    # a subprocess may have changed what it shares with this one
    fcntl $outputs[1], $SETFL, $flags & ~$NONBLOCK if $flags && $flags & $NONBLOCK;
    my $selected = select STDOUT;
    ($|, my $at_once) = (1, $|);
    $| = $at_once;
    select $selected;
    no warnings 'exec';
    local %ENV = () if ${^TAINT};    # else exec refuses to begin
    eval { exec {''} '' };           # perl flushes every handle, then finds no such program (perlfunc, exec)
    return;
}

# Drop what the program left unread of the first request's body (P9).
sub _drain {
    while (sysread $first_body, my $rest, $CHUNK) { }
    undef $first_body;
    return;
}

# A standard stream as it was at first, on its own descriptor. Closed before: `open` would keep its buffer.
sub _renew {
    my ($stream, $source) = @_;
    my ($number, $glob, $mode) = @$stream;
    no warnings;
    untie *$glob;
    close $glob;
    open $glob, "$mode&", $source or _refuse("descriptor $number: $!");
    if (fileno $glob != $number) {    # the program has something else there
        close $glob;
        require POSIX;
        POSIX::dup2(fileno $source, $number);
        open $glob, "$mode&=", $number or _refuse("descriptor $number: $!");
    }
    binmode $glob, join '', @{ $layers[$number] } if @{ $layers[$number] };
    return;
}

# The next request: 1, or 0 at end of file.
sub _receive {
    my $length = _length();
    return 0 if !defined $length;
    my $frame = _take($length + 1);
    my @fields = split /\0/, substr($frame, 0, -1), -1;
    _refuse('a request must be a netstring of names and values that end in NUL')
        if $frame !~ /\0,\z/ || @fields % 2 == 0;
    pop @fields;
    my %fields = @fields;
    _refuse('a request has a name that no variable can have') if grep { $_ eq '' || /=/ } keys %fields;
    _refuse("the request carries another process's end mark")
        if !defined $fields{HTSESSION_END} || $fields{HTSESSION_END} ne $mark;
    my $size = _number($fields{CONTENT_LENGTH});
    delete $fields{SCGI};
    delete $fields{CONTENT_LENGTH} if !$size;
    _present_body($size);
    delete @ENV{ grep { !exists $fields{$_} && !$LASTING{$_} } keys %names };
    @ENV{ keys %fields } = values %fields;
    %names = %fields;
    return 1;
}

# The length that a netstring begins with; undef at end of file.
sub _length {
    my $text = '';
    while ($text !~ /:\z/) {
        if (!length $buffer && !_more()) {
            return undef if $text eq '';    ## no critic (a list would be true)
            _refuse('a request must begin with the length of a netstring');
        }
        $text .= substr $buffer, 0, 1, '';
        _refuse('a request must begin with the length of a netstring') if $text !~ /^[0-9]{1,9}:?\z/;
    }
    return _number(substr $text, 0, -1);
}

sub _number {
    my ($text) = @_;
    _refuse('a number of bytes was expected') if !defined $text || $text !~ /^[0-9]{1,18}\z/;
    return 0 + $text;
}

sub _take {
    my ($size) = @_;
    while (length $buffer < $size) {
        _more() or _refuse(($size - length $buffer) . ' bytes of the request are missing');
    }
    return substr $buffer, 0, $size, '';
}

sub _more {
    my $got;
    do { $got = sysread $requests, $buffer, $CHUNK, length $buffer } until defined $got || $! != $EINTR;
    return $got;
}

# The body becomes standard input, followed by end of file: a real file or pipe, for subprocesses read it too.
sub _present_body {
    my ($size) = @_;
    my $body;
    if (!$size) {
        open $body, '<', '/dev/null' or _refuse("/dev/null: $!");
    }
    elsif ($size <= $IN_PIPE) {
        pipe $body, my $writer or _refuse("a pipe for the request's body: $!");
        binmode $writer;
        _write($writer, _take($size));
    }
    else {
        open $body, '+>', undef or _refuse("a file for the request's body: $!");
        binmode $body;
        for (my $part; $size > 0; $size -= $part) {
            $part = $size < $CHUNK ? $size : $CHUNK;
            _write($body, _take($part));
        }
        sysseek $body, 0, 0;
    }
    _renew($STREAMS[0], $body);
    return;
}

sub _write {
    my ($handle, $data) = @_;
    my $done = 0;
    while ($done < length $data) {
        my $part = syswrite $handle, $data, length($data) - $done, $done;
        $done += $part if defined $part;
        _refuse("writing: $!") if !defined $part && $! != $EINTR;
    }
    return;
}

# CGI.pm keeps a request's parameters and uploaded files for a second object of the same request.
sub _forget_form {
    no strict 'refs';    # names, so that nothing of CGI.pm exists before a program loads it
    ${"CGI::$_"} = undef for qw(Q QUERY_CHARSET BEEN_THERE);
    @{'CGI::QUERY_PARAM'} = ();
    %{"CGI::$_"} = () for qw(QUERY_PARAM QUERY_FIELDNAMES QUERY_TMPFILES);
    return;
}

sub _refuse {
    my ($reason) = @_;
    print STDERR "HTS011 $0: $reason\n";
    CORE::exit(1);
}

1;
