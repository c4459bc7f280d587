"""The front's end of the link: what it knows of questions that are open."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeper.link import Link
from gateway.keeper.permit import order_of
from gateway.sessions.keeper import KeeperLink, Order

WORDS = st.binary(max_size=20).map(lambda word: word.replace(b"\0", b""))


def test_a_question_is_open_until_its_answer_and_then_measured() -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        link, keeper = KeeperLink(ours, asyncio.get_running_loop()), Link(theirs)
        heard: list[tuple[str, float]] = []
        link.on_answer = lambda message, seconds: heard.append((message, seconds))
        assert link.waits == 0.0
        first, second = link.claim(1, b"k"), link.claim(2, b"k")
        before = link.waits
        assert 0.0 < before < link.waits
        keeper.send("claimed", tag=2)
        await second
        assert link.waits > before  # of the older one
        keeper.send("claimed", tag=1)
        await first
        assert link.waits == 0.0
        assert [message for message, _ in heard] == ["claim", "claim"]
        assert heard[0][1] > 0.0 and heard[1][1] >= before
        link.close()
        keeper.close()

    asyncio.run(run())


def order(environ: dict[bytes, bytes]) -> Order:
    return Order((b"/bin/true",), environ, b"/", {}, False, 1.0, None, ())


@given(st.dictionaries(WORDS.filter(bool), WORDS))
def test_the_keeper_reads_the_environment_that_a_front_names(environ: dict[bytes, bytes]) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        link, keeper = KeeperLink(ours, asyncio.get_running_loop()), Link(theirs)
        link.start(order(environ), lambda message: message)
        messages = keeper.receive()
        assert messages is not None
        assert order_of(messages[0].fields).environ == environ
        link.close()
        keeper.close()

    asyncio.run(run())


@pytest.mark.parametrize("environ", [{b"A": b"b\0LD_PRELOAD"}, {b"A\0": b""}, {b"A": b"b\0C\0d"}])
def test_no_value_can_name_another_variable(environ: dict[bytes, bytes]) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        link = KeeperLink(ours, asyncio.get_running_loop())
        with pytest.raises(ValueError, match="NUL"):
            link.start(order(environ), lambda message: message)
        link.close()
        theirs.close()

    asyncio.run(run())


@pytest.mark.parametrize("block", [b"A", b"A\0b", b"A\0b\0C\0"])
def test_an_environment_that_is_cut_is_not_read(block: bytes) -> None:
    fields = {"argv": ["/bin/true"], "environ": block, "directory": "/", "identity": None, "limits": []}
    with pytest.raises(ValueError):
        order_of(fields)
