"""A program dies, and its front never gets to say so: the handle is remembered all the same (R4)."""

from __future__ import annotations

import os
import signal

import pytest

from tests.blackbox.accounts import account, unlike_others
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import ended
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive

PROGRAMS = ("/cgi-bin/child", "/cgi-bin/shared/child")
DIRECTIVES = """
SessionLog logs/sessions.log
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """A program with a process for each session, and one with a process for all."""
    path: str = request.param
    return path


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    gateway = serve(DIRECTIVES)
    gateway.program("shared/child", CHILD_TEXT)
    return gateway


def test_R4_a_front_that_is_killed_before_it_heard_of_the_death(gateway: Gateway, program: str) -> None:
    handle = unlike_others()
    pid = gateway.get(f"{program}?handle={handle}&count").number("pid")
    os.kill(gateway.fronts()[0], signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    wait_for("the program to be reaped", lambda: not alive(pid))
    gateway.kill_front()
    assert ended(gateway, handle, program) == (410, "stopped")
    assert account(gateway, handle)["reason"] == "stopped"
