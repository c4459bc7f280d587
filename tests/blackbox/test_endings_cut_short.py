"""A front that is killed while it tells of the end of an instance: what was told stands, and is told once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.blackbox.accounts import lines
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import wait_drained
from tests.blackbox.harness import wait_for
from tests.blackbox.proc import alive

pytestmark = pytest.mark.running

URL = "/cgi-bin/shared/child"
SESSIONS = 400  # their accounts are more than the link takes while nobody reads
DIRECTIVES = """
SessionLog logs/sessions.log
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""


def test_sessions_whose_end_was_told_in_part_are_over_and_have_one_account_each(
    serve: Serve, tmp_path: Path
) -> None:
    gateway = serve(DIRECTIVES)
    gateway.program("shared/child", CHILD_TEXT)
    now = tmp_path / "now"
    for number in range(SESSIONS):
        assert gateway.get(f"{URL}?handle={number:03}-of-many&count").status == 200
    last = f"{URL}/000-of-many"
    program = gateway.get(f"{last}?handle=000-of-many&count&late=x&latewait={now}").number("pid")
    front = gateway.fronts()[-1]
    os.kill(gateway.keeper, signal.SIGSTOP)
    now.touch()  # output between two calls: all sessions of the instance are over (P5, S5)
    wait_for("the front to say so", lambda: "HTS011" in gateway.log)
    os.kill(front, signal.SIGKILL)
    os.kill(gateway.keeper, signal.SIGCONT)
    wait_for("the program to be ended", lambda: not alive(program))
    wait_drained(gateway)
    assert gateway.get(last).status == 410
    wait_for("the accounts", lambda: len(lines(gateway)) >= SESSIONS)
    written = lines(gateway)
    assert Counter(line["id"] for line in written).most_common(1)[0][1] == 1
    assert len(written) == SESSIONS
    assert {line["reason"] for line in written} == {"protocol", "stopped"}
