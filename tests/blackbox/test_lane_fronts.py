"""Fronts that go while the session lane is busy: a reload loses nothing, no session is mixed up."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.commands import asked
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for
from tests.blackbox.raw import Raw

pytestmark = pytest.mark.running

VISITORS = 8
_LOST = 410


class Visitor:
    """Counts in a session of its own, request after request; `seen`: its count; `cut`: requests without an
    answer, `wrong`: answers that were not expected."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.handle = gateway, new_handle()
        self.url = f"{start_session(gateway, self.handle)}?handle={self.handle}&count&env=HTSESSION_HANDLE"
        self.seen, self.cut, self.lost = 1, 0, False
        self.wrong: list[str] = []

    def run(self, over: threading.Event) -> None:
        """Until it is over, on connections that last as long as the front lets them."""
        unsure = 0  # requests since the last answer of which nobody knows whether they were carried out
        while not over.is_set() and not self.lost and not self.wrong:
            with Raw(self.gateway) as client:
                while not over.is_set():
                    try:
                        answer = client.request(f"GET {self.url}")
                    except (ConnectionError, http.client.HTTPException):
                        self.cut, unsure = self.cut + 1, unsure + 1
                        break
                    if not self._expected(answer, unsure):
                        return
                    unsure = 0
                    if answer.header("connection") == "close":
                        break

    def _expected(self, answer: Answer, unsure: int) -> bool:
        if answer.status == _LOST and unsure:
            self.lost = True
            return False
        count = answer.number("count") if answer.status == 200 else 0
        if not self.seen < count <= self.seen + 1 + unsure or f"={self.handle}\n" not in answer.text:
            self.wrong.append(f"{answer} after {self.seen}, {unsure} unsure, at {self.handle}")
            return False
        self.seen = count
        return True


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    return serve("SessionLane On\n")


@pytest.fixture
def visitors(gateway: Gateway) -> Iterator[list[Visitor]]:
    """Under way, until the test is over."""
    found, over = [Visitor(gateway) for _ in range(VISITORS)], threading.Event()
    with ThreadPoolExecutor(VISITORS) as pool:
        running = [pool.submit(visitor.run, over) for visitor in found]
        try:
            yield found
        finally:
            over.set()
            for future in running:
                future.result(BOUND)


def _go_on(visitors: list[Visitor]) -> None:
    """Each has been answered twenty times more, unless its session is lost."""
    goals = [(visitor, visitor.seen + 20) for visitor in visitors]
    wait_for("answers", lambda: all(one.seen >= goal or one.lost or one.wrong for one, goal in goals))
    assert [one.wrong for one in visitors if one.wrong] == []


def test_reloads_under_load_in_the_lane_lose_and_repeat_nothing(
    gateway: Gateway, visitors: list[Visitor]
) -> None:
    for _ in range(3):
        _go_on(visitors)
        assert asked(gateway, "status")["in_lane"] > 0
        gateway.reload()
    _go_on(visitors)
    assert not any(visitor.lost for visitor in visitors)


def test_a_front_killed_under_load_in_the_lane_takes_only_what_was_in_flight(
    gateway: Gateway, visitors: list[Visitor]
) -> None:
    _go_on(visitors)
    assert asked(gateway, "status")["in_lane"] > 0
    gateway.kill_front()
    _go_on(visitors)
    assert all(visitor.cut for visitor in visitors if visitor.lost)
    newcomer = Visitor(gateway)  # all others may have been in flight
    with Raw(gateway) as client:
        assert client.request(f"GET {newcomer.url}").number("count") == 2
    assert asked(gateway, "status")["in_lane"] > 0
