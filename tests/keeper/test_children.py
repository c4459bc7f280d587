"""Starting instances: what fails leaves nothing behind."""

import os
import resource
from collections.abc import Iterator

import pytest

from gateway.keeper import table as tables
from gateway.keeper.children import Children
from gateway.keeper.loop import Loop
from gateway.keeper.roll import Roll
from gateway.keeper.spawn import Order
from gateway.logs.error import ErrorLog

SLOTS = 8
MISSING = Order([b"/no/such/program"], {}, b"/")


def descriptors() -> list[str]:
    return os.listdir("/proc/self/fd")


@pytest.fixture
def children() -> Iterator[Children]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    loop, table, roll = Loop(), tables.create(SLOTS), Roll(SLOTS)
    children = Children(loop, table, roll, ErrorLog(os.devnull))
    yield children
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    os.close(children.null)
    roll.close()
    table.close()
    loop.close()


@pytest.mark.parametrize("body", [False, True])
@pytest.mark.parametrize("room", range(10))
def test_a_start_that_fails_leaves_no_descriptor_and_no_slot(children: Children, room: int, body: bool) -> None:
    """Wherever the descriptors run out, and when the program is not there."""
    before = len(descriptors())
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    highest = max(int(number) for number in descriptors() if os.path.exists(f"/proc/self/fd/{number}"))
    fillers = [os.open(os.devnull, os.O_RDONLY) for _ in range(highest + 1 - before)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + room, hard))
    with pytest.raises(OSError):
        children.start(MISSING, {}, body=body, grace=1.0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for filler in fillers:
        os.close(filler)
    assert len(descriptors()) == before
    places = [children.place() for _ in range(SLOTS)]
    for place, theirs in places:
        children.vacate(place)
        for descriptor in theirs:
            os.close(descriptor)
    assert len(descriptors()) == before
