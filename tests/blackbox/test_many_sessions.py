"""What an administrator sees of a gateway with 500 living sessions."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from tests.blackbox.commands import new_handle, run
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway

pytestmark = pytest.mark.running

SHARED, ALONE = 470, 30
DIRECTIVES = """
MaxPersistentCGI 60
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES, {"shared/child": CHILD_TEXT})
    for program, count in (("child", ALONE), ("shared/child", SHARED)):
        for number in range(count):
            query = f"handle={(handle := new_handle())}&timeout=20&count"
            assert gateway.get(f"/cgi-bin/{program}?{query}").status == 200
            if number % 10 == 0:
                assert gateway.get(f"/cgi-bin/{program}/{handle}/cart/{number}?{query}").status == 200
    return gateway


@pytest.fixture(scope="module")
def rows(gateway: Gateway) -> list[dict[str, Any]]:
    """`gateway sessions --json`."""
    found: list[dict[str, Any]] = run(gateway, "sessions", "--json").answer["sessions"]
    return found


def test_sessions_as_JSON_has_every_one_of_500_once(rows: list[dict[str, Any]]) -> None:
    assert len({one["id"] for one in rows}) == len(rows) == SHARED + ALONE
    assert Counter(one["shared"] for one in rows) == {True: SHARED, False: ALONE}
    assert Counter(one["requests"] for one in rows)[2] == (SHARED + ALONE) / 10
    assert len({one["pid"] for one in rows}) == ALONE + 1
    assert all(one["memory"] > 0 and one["left"] > 0 and one["state"] == "idle" for one in rows)


def test_sessions_prints_500_lines_in_columns_and_their_count(
    gateway: Gateway, rows: list[dict[str, Any]]
) -> None:
    count, head, *lines = run(gateway, "sessions").out.splitlines()
    assert count == "500 sessions"
    assert [line.split()[0] for line in lines] == [one["id"] for one in rows]
    starts = [head.index(name) for name in ("STATE", "USER", "PROGRAM", "LAST")]
    for line in lines:
        assert [line[at - 1] == " " and line[at] != " " for at in starts] == [True] * len(starts), line
    assert sum("/cart/" in line for line in lines) == 50
    assert max(map(len, lines)) < 132


def test_status_counts_500_sessions_and_their_processes(gateway: Gateway) -> None:
    text = run(gateway, "status").out
    assert re.search(r"sessions +500 idle, 0 busy, 0 waiting\n", text)
    assert re.search(rf"MaxPersistentCGI +{ALONE + 1} of 60\n", text)
    assert re.search(
        rf"created +500 sessions by {ALONE + 1} starts; 50 further requests, \d+ by the session lane\n", text
    )


def test_each_of_500_can_be_shown_and_ended_by_its_number(gateway: Gateway, rows: list[dict[str, Any]]) -> None:
    last = rows[-1]["id"]
    assert run(gateway, "show", last).out.startswith(f"session {last}: idle\n")
    assert run(gateway, "end", last).status == 0
    assert len(run(gateway, "sessions", "--json").answer["sessions"]) == 499
