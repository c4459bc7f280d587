# The verbs of ../languages.py in Perl, a returning program: package variables stay, everything runs at every call.
use strict;
use warnings;
use lib '.';

our ($count, $notes, $cleanup);
our ($headed, @fields) = (0);

sub head { print join("\n", @fields, 'Content-Type: text/plain', '', '') unless $headed++ }
sub say_it { head(); print "@_\n" }
sub nested { my ($action, @arguments) = @_; $action->(@arguments) }

END {
    if (defined $main::cleanup) {
        open my $file, '>>', $main::cleanup or die;
        print $file "cleaned up\n";
        close $file;
    }
}

sub fork_child {
    local $| = 1;
    my $child = fork;
    if ($child) { waitpid $child, 0; say_it('parent') }
    else { undef $main::cleanup; say_it('child'); exit }
}

sub leave_child {
    my ($path) = @_;
    return if fork;
    undef $main::cleanup;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null';
    select undef, undef, undef, 0.01 until -e $path;
    exit;
}

sub aside {
    my ($path) = @_;
    open my $kept, '>&', \*STDOUT or die;
    open STDOUT, '>', $path or die;
    print "aside\n";
    open STDOUT, '>&', $kept or die;
}

sub note {
    my ($path) = @_;
    open $notes, '>>', $path or die unless $notes;    # kept open from call to call
    $notes->autoflush(1);
    print $notes "note $count\n";
}

my %verbs = (
    keep => sub { push @fields, "Accept-HTSession: $_[0]" },
    count => sub { say_it("count=$count pid=$$") },
    echo => sub { say_it($_[0]) },
    env => sub { say_it(exists $ENV{$_[0]} ? "$_[0]=$ENV{$_[0]}" : "$_[0] is absent") },
    set => sub { my ($name, $value) = split /:/, $_[0]; $ENV{$name} = $value },
    environ => sub { head(); print "$_=$ENV{$_}\n" for keys %ENV },
    body => sub { head(); binmode STDIN; binmode STDOUT; print $_ while read STDIN, $_, 1 << 16 },
    line => sub { my $line = <STDIN>; chomp $line; say_it($line) },
    bytes => sub { head(); binmode STDOUT; print pack('C*', 0 .. 255), "\0\0\4\4", '0' x 32, "\n" },
    run => sub { head(); system $_[0] },
    flush => sub { head(); local $| = 1 },
    exit => sub { exit $_[0] },
    deep => sub { nested(\&nested, sub { exit $_[0] }, $_[0]) },
    die => sub { nested(\&nested, sub { die "$_[0]\n" =~ s/\n//r }, $_[0]) },
    warn => sub { warn $_[0] },
    cd => sub { chdir $_[0] or die },
    where => sub { require Cwd; say_it('cwd=' . Cwd::getcwd()) },
    umask => sub { umask oct $_[0] },
    ignore => sub { $SIG{USR1} = 'IGNORE' },
    arguments => sub { say_it('arguments=' . @ARGV, $0) },
    close => sub { head(); local $| = 1; require POSIX; POSIX::close($_[0]) },
    aside => sub { head(); aside($_[0]) },
    cleanup => sub { $cleanup = $_[0] },
    fork => \&fork_child,
    daemon => \&leave_child,
    random => sub { say_it(sprintf 'random=%d', rand 2**53) },
    use => sub { require lib; lib->import('.'); require "$_[0].pm"; no strict 'refs'; say_it("$_[0]=${\"$_[0]::mark\"}") },
    note => sub { note($_[0]) },
    revision => sub { say_it('revision-one') },
);

$count++;
for my $part (split /&/, $ENV{QUERY_STRING}) {
    my ($verb, $value) = split /=/, $part, 2;
    $value = '' unless defined $value;
    $value =~ tr/+/ /;
    my $action = $verbs{$verb} or die "unknown verb $verb\n";
    $action->($value);
}
head();
