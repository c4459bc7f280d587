"""How often one client is told of sessions that are over (W4)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from gateway.directives import table
from gateway.directives.settings import Settings
from gateway.errors import TooMany
from gateway.request import lookups
from gateway.request.incoming import Record
from gateway.request.lookups import Lookups
from gateway.web.retired import RetiredHandle

GONE = RetiredHandle(None, "/")


def record(number: int, most: int = 3) -> Record:
    client = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1)
    known: Any = SimpleNamespace(settings=Settings({table.PersistentCGILookupLimit: most}, {}))
    known.request = SimpleNamespace(client=client)
    return cast(Record, known)


def test_so_many_in_a_minute_then_429_until_it_is_over() -> None:
    now = [100.0]
    known = Lookups(lambda: now[0])
    assert [known.judge(GONE, record(1)) for _ in range(3)] == [GONE] * 3
    now[0] += 20
    refused = known.judge(GONE, record(1))
    assert isinstance(refused, TooMany) and dict(refused.headers)[b"retry-after"] == b"40"
    again = known.judge(GONE, record(1))
    assert (refused.log != "", again.log) == (True, ""), "one line in the log is enough"
    assert known.judge(GONE, record(2)) is GONE
    now[0] += 40
    assert known.judge(GONE, record(1)) is GONE


def test_many_clients_fill_no_memory() -> None:
    known = Lookups()
    for number in range(lookups.MOST_CLIENTS + 100):
        known.judge(GONE, record(number))
    assert len(known._known) == lookups.MOST_CLIENTS


def test_no_limit_and_no_address() -> None:
    known = Lookups()
    nobody = record(1)
    nobody.request.client = None
    for asked in (record(1, most=0), nobody):
        assert [known.judge(GONE, asked) for _ in range(9)] == [GONE] * 9
