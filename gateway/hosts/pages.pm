package HTSession::Pages;

# Where in memory lies what the processes of a warm perl host make.
#
# A process that writes to what it shares with others gets a copy of that page, and perl puts what it makes into
# any hole of the pages in use. So all holes are taken before processes are made: what they make lies side by
# side, in fresh pages.

use strict;
use warnings;

my $BEHIND = 120_000;    # bytes; there is no hole as large as this
my $KEPT   = 1_040;      # bytes up to which the C library keeps what is given back for the next of that size
my $TAKEN  = 1 << 20;    # bytes of one size that are taken, should memory be handed out in another way
my $MOST   = 10_000;     # objects of one kind, likewise
my @BLOCKS = ((map { 8 * int $BEHIND / 8 / 1.08**$_ } 1 .. 48), (map { 16 * $_ } reverse 2 .. 182));

# Objects of every kind for which perl has pages of their own (perlguts, arenas). One that becomes another kind
# gives the first one's place back, therefore this order.
my @KINDS = (
    sub { my $number = $_[0]; sub { $number } },
    sub { my $name = "kept$_[0]"; no strict 'refs'; my $glob = \*$name; delete $HTSession::Pages::{$name}; $glob },
    sub { { x => 1 } },
    sub { [] },
    sub { my $text = "$_[0]"; pos $text = 0; \$text },
    sub { my $text = '1.5'; $text += 0; \$text },
    sub { my $text = '1'; $text += 0; \$text },
    sub { qr/x/ },
    sub { \(my $text = "$_[0]") },
    sub { \(my $number = $_[0]) },
);

my @kept;
$#kept = 3 * $MOST;      # so that it gives nothing back as it grows
$#kept = -1;

# Take all holes. Nothing for a perl whose pointers are not of 8 bytes.
sub fill {
    return if length pack('p', '') != 8;
    my $first = @kept;
    my $end   = _block($BEHIND);
    for my $size (@BLOCKS) {
        for (1 .. $TAKEN / $size) {
            next if _block($size) < $end;
            pop @kept if $size > $KEPT;
            last;
        }
    }
    $kept[$first] = undef;    # the first place for what comes now
    for my $make (@KINDS) {
        $end = _block($KEPT);
        for my $number (1 .. $MOST) {
            push @kept, $make->($number);
            last if !grep { $_ < $end } _places($kept[-1]);
        }
    }
    return;
}

# Take so many bytes; their address. An array has a table of its own.
sub _block {
    my ($size) = @_;
    push @kept, [];
    $#{ $kept[-1] } = $size / 8 - 1;
    return (_words(0 + $kept[-1], 3))[2];
}

# The addresses of what an object consists of: its head, its body, the entries of a hash (sv.h, hv.h).
sub _places {
    my ($object) = @_;
    my ($body, undef, $table) = _words(0 + $object, 3);
    return (0 + $object, $body, ref $object eq 'HASH' ? grep { $_ } _words($table, 8) : ());
}

# What lies there.
sub _words {
    my ($address, $count) = @_;
    return unpack 'J*', unpack 'P' . 8 * $count, pack 'J', $address;
}

1;
