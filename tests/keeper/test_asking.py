"""The front's end of the link: what it knows of questions that are open."""

from __future__ import annotations

import asyncio
import socket

from gateway.keeper.link import Link
from gateway.sessions.keeper import KeeperLink


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
