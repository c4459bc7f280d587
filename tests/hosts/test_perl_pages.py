"""Where a warm perl host's processes put what they make."""

import subprocess
from pathlib import Path

import pytest

from gateway import hosts

pytestmark = pytest.mark.needs("perl")
FOLDER = Path(hosts.__file__).parent
KINDS = {
    "numbers": "\\(my $made = $_)",
    "texts": '\\(my $made = "$_")',
    "arrays": "[$_]",
    "hashes": "{ name => $_ }",
    "functions": "do { my $number = $_; sub { $number } }",
    "names": 'do { no strict "refs"; my $name = "name$_"; my $glob = \\*$name; delete $main::{$name}; $glob }',
}
_MADE = """
use strict; use warnings;
require "%(folder)s/pages.pm";
my @old = map { %(make)s } 1 .. 4_000;
my @new;
$#new = 300;
my (%%used, %%again);
note(\\%%used, $_) for @old;
$_ %% 40 or undef $old[$_] for 0 .. $#old;
HTSession::Pages::fill() if %(filled)d;
note(\\%%again, $new[$_ - 5_000] = %(make)s) for 5_001 .. 5_080;
print scalar grep { $used{$_} } keys %%again;

sub note {
    my ($pages, $object) = @_;
    $pages->{ $_ >> 12 } = 1 for 0 + $object, unpack 'J', unpack 'P8', pack 'J', 0 + $object;
}
"""


def _shared(kind: str, *, filled: bool) -> int:
    """How many pages hold old objects and new ones, when one old object of 40 was given back."""
    text = _MADE % {"folder": FOLDER, "make": KINDS[kind], "filled": filled}
    done = subprocess.run(["perl", "-e", text], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return int(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_what_perl_makes_after_filling_lies_in_pages_of_its_own(kind: str) -> None:
    assert _shared(kind, filled=True) <= 1
    assert _shared(kind, filled=False) > 10
