"""The shared table: one memory, seen by the keeper and by every front."""

import gc
import os
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeper.table import (
    BUSY,
    ENDING,
    FIRST,
    FREE,
    HANDLES,
    IDLE,
    LONGEST_OWNER,
    Table,
    attach,
    create,
    session_key,
)

SLOTS = 8
NAME = ("host", b"/cgi-bin/counter")


@pytest.fixture
def pair() -> Iterator[tuple[Table, Table]]:
    """The keeper's table and a front's mapping of the same memory."""
    keepers = create(SLOTS)
    fronts = attach(os.dup(keepers.descriptor))
    yield keepers, fronts
    keepers.close()
    fronts.close()


def publish(table: Table, slot: int, *handles: bytes, lost: bool = False) -> None:
    table.set_handles(slot, handles, tuple(session_key(*NAME, handle) for handle in handles), lost)


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_what_a_front_writes_the_keeper_reads(pair: tuple[Table, Table]) -> None:
    keepers, front = pair
    assert front.slots == SLOTS
    keepers.open_slot(3, 77)
    assert (front.state(3), front.instance(3), front.persistent(3)) == (FIRST, 77, False)
    publish(front, 3, b"abc")
    front.set_persistent(3)
    front.rest(3, 12.5, 300.0, 4)
    assert (keepers.state(3), keepers.persistent(3), keepers.clock(3)) == (IDLE, True, (12.5, 300.0, 4))
    assert keepers.handles(3) == ((b"abc",), False)
    front.set_state(3, BUSY)
    assert keepers.state(3) == BUSY


def test_what_people_want_to_know_of_a_session_outlives_its_front_and_not_the_session(
    pair: tuple[Table, Table],
) -> None:
    keepers, front = pair
    keepers.open_slot(3, 77)
    assert keepers.facts(3) == (0.0, 0, 0, 0.0, b"")
    front.begin(3, b"ada", 1.5e9)
    front.set_last(3, b"/cart")
    front.rest(3, 12.5, 300.0, 4, 10, 1 << 40, 0.25, 11.5)
    assert keepers.facts(3) == (1.5e9, 10, 1 << 40, 0.25, b"/cart")
    assert (keepers.clock(3), keepers.rested(3), keepers.owner(3)) == ((12.5, 300.0, 4), 11.5, b"ada")
    front.set_last(3, b"/" + b"x" * 500)
    assert keepers.facts(3).last == b"/" + b"x" * 126
    keepers.open_slot(4, 78)
    assert keepers.facts(4) == (0.0, 0, 0, 0.0, b""), "a neighbour has got something"
    keepers.account(3)
    assert keepers.facts(3)[:2] == (0.0, 10)
    keepers.free_slot(3)
    keepers.open_slot(3, 79)
    assert (keepers.facts(3), keepers.rested(3)) == ((0.0, 0, 0, 0.0, b""), 0.0)


@pytest.mark.parametrize("user", [None, b"a", b"k\xc3\xa4the", b"x" * LONGEST_OWNER])
def test_W1_the_owner_of_a_session_is_in_its_slot_beside_the_longest_handles(
    pair: tuple[Table, Table], user: bytes | None
) -> None:
    keepers, front = pair
    longest = tuple(b"%d" % number + b"h" * 127 for number in range(HANDLES))
    for slot in (0, 3, 4, SLOTS - 1):
        keepers.open_slot(slot, slot + 1)
        front.set_owner(slot, user)
    publish(front, 3, *longest)
    front.set_owner(4, b"somebody else")
    assert [keepers.owner(slot) for slot in (0, 3, 4, SLOTS - 1)] == [user, user, b"somebody else", user]
    assert keepers.handles(3).texts == longest
    keepers.open_slot(4, 9)
    assert keepers.owner(4) is None


def test_a_slot_shows_nothing_of_the_one_before(pair: tuple[Table, Table]) -> None:
    keepers, front = pair
    keepers.open_slot(0, 1)
    publish(front, 0, b"abc", b"abd", lost=True)
    front.set_persistent(0)
    front.rest(0, 9.0, 9.0, 9)
    keepers.free_slot(0)
    assert front.state(0) == FREE
    assert front.find(session_key(*NAME, b"abc")) is None
    keepers.open_slot(0, 2)
    assert (front.state(0), front.instance(0), front.persistent(0)) == (FIRST, 2, False)
    assert (front.clock(0), front.handles(0)) == ((0.0, 0.0, 0), ((), False))


@pytest.mark.parametrize(("state", "found"), [(FREE, None), (FIRST, 2), (IDLE, 2), (BUSY, 2), (ENDING, None)])
def test_H4_a_handle_is_found_while_its_session_lives(
    pair: tuple[Table, Table], state: int, found: int | None
) -> None:
    keepers, front = pair
    keepers.open_slot(2, 1)
    publish(front, 2, b"abc")
    front.set_state(2, state)
    assert keepers.find(session_key(*NAME, b"abc")) == found


def test_R6_every_accepted_handle_is_found_and_no_other(pair: tuple[Table, Table]) -> None:
    keepers, front = pair
    handles = tuple(bytes((97 + number,)) * 128 for number in range(HANDLES))
    for slot in (0, SLOTS - 1):
        keepers.open_slot(slot, slot + 1)
    publish(front, SLOTS - 1, *handles, lost=True)
    assert keepers.handles(SLOTS - 1) == (handles, True)
    assert {keepers.find(session_key(*NAME, handle)) for handle in handles} == {SLOTS - 1}
    publish(front, SLOTS - 1, handles[0])
    assert keepers.find(session_key(*NAME, handles[0])) == SLOTS - 1
    assert {keepers.find(session_key(*NAME, handle)) for handle in handles[1:]} == {None}


def test_R2_the_key_tells_host_name_and_handle_apart() -> None:
    triples = [
        ("h", b"/a", b"x"),
        ("h", b"/a", b"y"),
        ("h", b"/b", b"x"),
        ("i", b"/a", b"x"),
        ("h", b"/ax", b""),
    ]
    assert len({session_key(*triple) for triple in triples}) == len(triples)


def test_whoever_dies_while_writing_handles_leaves_the_old_ones(pair: tuple[Table, Table]) -> None:
    keepers, front = pair
    keepers.open_slot(1, 1)
    publish(front, 1, b"abc", lost=True)
    with pytest.raises(ValueError):  # a writer that dies in the middle: the keys are written, the texts are not
        front.set_handles(1, (b"x" * 300,), (session_key("h", b"/a", b"x"),), lost=False)
    assert keepers.handles(1) == ((b"abc",), True)
    assert keepers.find(session_key("h", b"/a", b"x")) is None
    publish(front, 1, b"def", b"abc")
    assert keepers.handles(1) == ((b"def", b"abc"), False)
    keepers.free_slot(1)
    keepers.open_slot(1, 2)
    assert keepers.handles(1) == ((), False)
    publish(front, 1, b"new")
    assert keepers.handles(1) == ((b"new",), False)


@given(handles=st.lists(st.binary(min_size=1, max_size=128), max_size=HANDLES, unique=True), lost=st.booleans())
def test_handles_come_out_as_they_went_in(handles: list[bytes], *, lost: bool) -> None:
    table = create(2)
    for slot in (0, 1):
        table.open_slot(slot, slot + 1)
        publish(table, slot, *handles, lost=lost)
    assert table.handles(0) == table.handles(1) == (tuple(handles), lost)
    table.close()


def test_another_version_is_refused() -> None:
    table = create(1)
    with open(os.dup(table.descriptor), "r+b", buffering=0) as memory:
        magic = struct.unpack("=Q", memory.read(8))[0]
        memory.seek(0)
        memory.write(struct.pack("=Q", magic + 1))
    with pytest.raises(ValueError, match="another version"):
        attach(table.descriptor)
    table.close()


def test_a_table_gives_its_descriptors_back() -> None:
    before = descriptors()
    table = create(1)
    other = attach(os.dup(table.descriptor))
    table.close()
    other.close()
    del table, other
    assert descriptors() == before


def test_S5_sessions_of_shared_instances_are_found_behind_a_great_many_free_slots() -> None:
    """A look-up reads only what was ever used of either kind."""
    keepers = create(16384, 65536)
    front = attach(os.dup(keepers.descriptor))
    for slot in (0, 2, 16384, 16385, 16386):
        keepers.open_slot(slot, slot + 1)
        publish(front, slot, b"handle%d" % slot)
    found = [front.find(session_key(*NAME, b"handle%d" % slot)) for slot in (0, 1, 2, 16384, 16386, 16387)]
    assert found == [0, None, 2, 16384, 16386, None]
    keepers.free_slot(16386)
    assert front.find(session_key(*NAME, b"handle16386")) is None
    keepers.close()
    front.close()
