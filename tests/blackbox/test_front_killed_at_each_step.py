"""kill -9 of a front at each system call of a request whose response brings a new handle (H5, R4, R7): whoever
saw the new handle may use it, and who did not goes on by the old one, unless the program was running."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300), pytest.mark.needs("strace")]

# Through the session lane, and by ASGI
WAYS = {"lane": {}, "asgi": {"Connection": "close"}}
_CALL = re.compile(r"^(\w+)\(")
RETRY = "env=HTSESSION_RETRY"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared("MaxPersistentCGI 100")


@contextmanager
def _traced(gateway: Gateway, *options: str) -> Iterator[subprocess.Popen[str]]:
    """strace of the front that serves, from before the body of the block until after it."""
    front = gateway.fronts()[-1]
    command = ["strace", "-p", str(front), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        try:
            yield tracer
        finally:
            tracer.terminate()


def _call(gateway: Gateway, url: str, issue: str, way: str) -> Answer | None:
    """A call that issues a handle; None when nothing of its response came."""
    try:
        return gateway.get(f"{url}?handle={issue}&count&{RETRY}", **WAYS[way])
    except OSError:
        return None


def _steps(gateway: Gateway, way: str) -> list[tuple[str, int]]:
    """The system calls of one such request: the name, and which call of that name it is."""
    url = start_session(gateway, new_handle())
    with _traced(gateway) as tracer:
        answer = _call(gateway, url, new_handle(), way)
        assert answer is not None and answer.status == 200
        tracer.terminate()
        assert tracer.stderr is not None
        names = [found[1] for line in tracer.stderr if (found := _CALL.match(line))]
    seen: Counter[str] = Counter()
    return [(name, seen[name]) for name in names if seen.update((name,)) is None]


def _killed_at(gateway: Gateway, name: str, number: int, way: str) -> str:
    """Kill the front at this system call of a request; what became of its session, as its client sees it."""
    old, new = new_handle(), new_handle()
    url, known = start_session(gateway, old), gateway.log.count(" serves")
    with _traced(gateway, "-e", f"inject={name}:signal=KILL:when={number}") as tracer:
        answer = _call(gateway, url, new, way)
        whole = answer is not None and answer.whole
        if whole:
            tracer.terminate()
        assert tracer.stderr is not None
        if not whole or "killed by" in tracer.stderr.read():
            wait_for("another front", lambda: gateway.log.count(" serves") > known)
    if answer is not None and answer.whole:
        assert answer.text.startswith("count=2 "), answer
        following = gateway.get(f"/cgi-bin/child/{new}?handle={new}&count")
        assert following.text.startswith("count=3 "), (name, number, following)
        assert gateway.reason(url) == "replaced"
        return "answered"
    following = gateway.get(f"{url}?handle={old}&count&{RETRY}")
    if following.status == 410:
        assert following.header("x-htsession-ended") == "stopped", (name, number, following)
        return "running"
    assert following.status == 200, (name, number, following)
    count = following.number("count")
    assert count == (3 if "<absent>" not in following.text else 2), (name, number, following)
    return "again" if count == 3 else "anew"


@pytest.mark.parametrize("way", WAYS)
def test_R7_whoever_has_no_new_handle_goes_on_by_the_old_one(gateway: Gateway, way: str) -> None:
    outcomes = {step: _killed_at(gateway, *step, way) for step in _steps(gateway, way)}
    print(outcomes)
    assert set(outcomes.values()) == {"anew", "running", "again", "answered"}
