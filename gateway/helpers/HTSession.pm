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
my @STREAMS = ([0, \*STDIN, '<'], [1, \*STDOUT, '>&'], [2, \*STDERR, '>&']);

# Layers that write an end mark as it is
my $EXACT = qr/unix perlio(?: encoding\(utf-?8(?:-strict)?\))?(?: utf8)?/;

# Linux's numbers of EINTR, F_GETFL, F_SETFL, O_NONBLOCK: to load Fcntl and Errno costs as much as to start perl
my ($EINTR, $GETFL, $SETFL, $NONBLOCK) = (4, 3, 4, 04000);

my ($process, $mark, $in_environment, $requests, $first_body, $handles, @outputs);
my ($serving, $unseen, $over, $has_body) = (0, 0, 0, 0);
my $buffer = '';

# The standard streams at first: number, device and inode, then the layers; whether those of output are exact
my (@places, @streams, $is_exact);

# The names that the server set, and where their values stand in a request whose names are $shape
my @names = (keys %ENV, qw(HTSESSION_FIRST HTSESSION_END));
my $shape = '';
my (@at_name, @at_value, $at_mark, $at_size);

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
    return { map { $_ => $ENV{$_} } grep { exists $ENV{$_} && !$LASTING{$_} } @names, 'CONTENT_LENGTH' };
}

# As `accept`, for hosts: the request that it brings is still to be taken by a loop.
sub fetch {
    _begin() if !defined $process;
    return 0 if $over || $$ != $process;
    if ($in_environment) {
        ($in_environment, $serving, $has_body) = (0, 1, 1);
    }
    else {
        _finish() if $serving;
        $over    = 1;    # unless what comes is a request
        $serving = $requests ? _receive() : 0;
    }
    ($unseen, $over) = ($serving, !$serving);
    return $serving;
}

# End the response under way, though this process will not ask for another request.
sub finish {
    _finish() if $serving && $$ == $process;
    ($serving, $over) = (0, 1);
    return;
}

# Note how the standard streams are set up: those of later requests will be so. `accept` does it at first.
sub remember_layers {
    return if !$requests;
    @streams  = map { "$places[$_->[0]] " . join ' ', PerlIO::get_layers($_->[1]) } @STREAMS;
    $is_exact = $streams[1] =~ /\A$places[1] $EXACT\z/;
    return;
}

# For hosts, behind the first `fetch`: every handle that is opened from now on is the program's.
sub remember_handles {
    $handles = &Internals::SvREFCNT(\%IO::File::) - ($first_body ? 1 : 0);
    return;
}

# For hosts: whether the program may have handles of its own.
sub has_handles { !$handles || $handles != &Internals::SvREFCNT(\%IO::File::) }

sub _begin {
    $process        = $$;
    $mark           = $ENV{HTSESSION_END};
    $in_environment = ($ENV{HTSESSION_FIRST} || '') ne 'frame';    # else P11
    my $number = $ENV{HTSESSION_FD};
    return if !defined $number || !-p "/proc/self/fd/$number";    # else a looping program started this one
    open $requests, '<&=', $number or _refuse("the request pipe: $!");
    binmode $requests;
    open $outputs[$_->[0]], '>&', $_->[1] or _refuse("standard output: $!") for @STREAMS[1, 2];
    binmode $_ for @outputs[1, 2];
    @places = map { join ' ', $_, (stat($_ ? $outputs[$_] : '/dev/null'))[0, 1] } 0 .. 2;
    remember_layers();
    if ($in_environment) {
        open $first_body, '<&', \*STDIN or undef $first_body;
    }
    else {
        _renew($STREAMS[0]);
    }
    return;
}

# The end of a response, then the streams as they were. The mark travels in the same write as the page where
# nothing can come in between: every handle is an object of one class, and has a hold on it.
sub _finish {
    _forget_form() if $INC{'CGI.pm'};
    return _flush() if !$requests;
    if ($first_body) {
        _flush();
        _drain();
    }
    no warnings;
    my @found = map { tied *$_ ? '' : join ' ', fileno $_, (stat $_)[0, 1], PerlIO::get_layers($_) }
        \(*STDIN, *STDOUT, *STDERR);
    my $end    = "\4$mark\n";
    my $single = !has_handles() && $found[2] eq $streams[2]
        && ($found[1] eq $streams[1] ? $is_exact : $found[1] =~ /\A$places[1] $EXACT\z/);
    if ($has_body) {    # some of it may wait in a buffer
        _renew($STREAMS[0]);
        $has_body = 0;
    }
    elsif ($found[0] ne $streams[0]) {
        _restore(0, $found[0]);
    }
    elsif (_was_read()) {
        _renew($STREAMS[0]);
    }
    $single ? _flush_both($end) : _flush();
    for my $number (1, 2) {
        _restore($number, $found[$number]) if $found[$number] ne $streams[$number];
    }
    _write($outputs[1], $end) if !$single;
    return;
}

# All that was written goes on its way, through whatever handle.
sub _flush {
    local ($!, $@, $?, $SIG{__DIE__});
    _unblock();
    my $selected = select STDOUT;
    _flush_selected();
    select $selected;
    no warnings 'exec';
    local %ENV = () if ${^TAINT};    # else exec refuses to begin
    eval { exec {''} '' };           # perl flushes every handle, then finds no such program (perlfunc, exec)
    return;
}

# The same when there are no other handles, with an end mark behind the output.
sub _flush_both {
    my ($end) = @_;
    _unblock();
    my $selected = select STDERR;
    _flush_selected();
    select STDOUT;
    local $\;
    print STDOUT $end;
    _flush_selected();
    select $selected;
    return;
}

# The next form on the handle begins a page.
sub _flush_selected {
    if (!$|) {
        $| = 1;
        $| = 0;
    }
    $% = $- = 0 if $%;
    return;
}

# A subprocess may have changed what it shares with this one.
sub _unblock {
    my $flags = $outputs[1] ? fcntl $outputs[1], $GETFL, 0 : 0;
    fcntl $outputs[1], $SETFL, $flags & ~$NONBLOCK if $flags && $flags & $NONBLOCK;
    return;
}

# Whether a line of standard input was read, be it the empty one that `local $/; <STDIN>` gives where there is
# nothing: perl gives it once for each opened handle.
sub _was_read {
    no warnings;    # of a closed handle
    tell STDIN;     # $. tells of it now
    return $.;
}

# A standard stream as it was at first: by its layers alone if it is where it was.
sub _restore {
    my ($number, $found) = @_;
    my $stream = $STREAMS[$number];
    if (index($found, "$places[$number] ") == 0) {
        binmode $stream->[1];
        _set_layers($stream);
        return if join(' ', $places[$number], PerlIO::get_layers($stream->[1])) eq $streams[$number];
    }
    _renew($stream);
    return;
}

sub _set_layers {
    my ($number, $glob) = @{ $_[0] };
    my (undef, undef, undef, @layers) = split / /, $streams[$number];
    my $layers = join '', map { ":$_" } grep { !/^(?:unix|perlio)$/ } @layers;
    binmode $glob, $layers if length $layers;
    return;
}

# Drop what the program left unread of the first request's body (P9).
sub _drain {
    while (sysread $first_body, my $rest, $CHUNK) { }
    undef $first_body;
    return;
}

# A standard stream as it was at first, on its own descriptor; standard input with a body or empty.
# Closed before: `open` would keep its buffer.
sub _renew {
    my ($stream, $body) = @_;
    my ($number, $glob, $mode) = @$stream;
    my @from = $number ? ($mode, $outputs[$number]) : $body ? ('<&', $body) : ('<', '/dev/null');
    no warnings;
    untie *$glob;
    close $glob;
    open $glob, $from[0], $from[1] or _refuse("descriptor $number: $!");
    if (fileno $glob != $number) {    # the program has something else there
        require POSIX;
        POSIX::dup2(fileno $glob, $number);
        close $glob;
        open $glob, substr($mode, 0, 1) . '&=', $number or _refuse("descriptor $number: $!");
    }
    _set_layers($stream);
    if ($number == 2) {    # perl's own has no buffer
        my $selected = select STDERR;
        $| = 1;
        select $selected;
    }
    return;
}

# The next request: 1, or 0 at end of file.
sub _receive {
    my $length = _length();
    return 0 if !defined $length;
    my @fields = split /\0/, _take($length + 1), -1;
    _refuse('a request must be a netstring of names and values that end in NUL')
        if pop @fields ne ',' || @fields % 2;
    _learn(\@fields) if @fields != 2 * @at_name || join("\0", @fields[@at_name]) ne $shape;
    _refuse("the request carries another process's end mark")
        if !defined $at_mark || $fields[$at_mark] ne $mark;
    my $size = defined $at_size ? $fields[$at_size] : '';
    $size = _number($size) if $size ne '0';
    if ($size) {
        _present_body($size);
        $ENV{CONTENT_LENGTH} = $size;
    }
    else {
        delete $ENV{CONTENT_LENGTH};
    }
    my $number = 0;
    for (@names) {    # to set one costs more than to look (putenv)
        my $at = $at_value[$number++];
        $ENV{$_} = $fields[$at] if ($ENV{$_} // "\0") ne $fields[$at];
    }
    return 1;
}

# The names of this request are others than those of the one before: what it does not bring goes (B1).
sub _learn {
    my ($fields) = @_;
    my %at;
    @at_name = map { 2 * $_ } 0 .. @$fields / 2 - 1;
    @at{ @$fields[@at_name] } = map { $_ + 1 } @at_name;
    _refuse('a request has a name that no variable can have') if grep { $_ eq '' || /=/ } keys %at;
    $shape = join "\0", @$fields[@at_name];
    delete $at{SCGI};
    ($at_size, $at_mark) = (delete $at{CONTENT_LENGTH}, $at{HTSESSION_END});
    delete @ENV{ grep { !exists $at{$_} && !$LASTING{$_} } @names };
    @names    = keys %at;
    @at_value = values %at;
    return;
}

# The length that a netstring begins with; undef at end of file.
sub _length {
    my $end;
    while (($end = index $buffer, ':') < 0) {
        my $more = $buffer =~ /\A[0-9]{0,9}\z/ && _more();
        return undef if !$more && $buffer eq '';    ## no critic (a list would be true)
        _refuse('a request must begin with the length of a netstring') if !$more;
    }
    my $text = substr $buffer, 0, $end + 1, '';
    chop $text;
    _refuse('a request must begin with the length of a netstring')
        if $end == 0 || $end > 9 || $text =~ tr/0-9//c;
    return $text;
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
    if ($size <= $IN_PIPE) {
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
    $has_body = 1;
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
