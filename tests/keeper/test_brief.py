"""A program that is over soon: its front hears of start and end in one message."""

from __future__ import annotations

from tests.blackbox.users import as_root
from tests.keeper.test_permit import Front
from tests.keeper.test_permit import front as front  # the fixture

pytestmark = as_root

TOGETHER = """
configure(anybody=True)
for _ in range(50):  # a loaded machine may take longer than the bound, but not each time
    gone = start(["/bin/false"], None, brief=True).get("gone")
    if gone is not None:
        tell(("together", gone["status"], gone["tail"]))
        break
"""
APART = """
configure(anybody=True)
for _ in range(5):
    assert "gone" not in start(["/bin/false"], None)
tell("apart")
"""
RUNS_ON = """
configure(anybody=True)
started = start(["/bin/sleep", "1000"], None, brief=True)
assert "gone" not in started
link.send("end", id=started["id"], how="kill")
while not (messages := link.receive()):
    select.select([link], [], [])
gone = messages[0].fields
tell((gone["kind"], gone["id"] == started["id"], gone["status"]))
"""


def test_start_and_end_of_a_program_that_is_over_at_once_come_together(front: Front) -> None:
    assert "front: ('together', 1, [])" in front(TOGETHER)


def test_without_that_wish_they_come_apart(front: Front) -> None:
    assert "front: apart" in front(APART)


def test_a_program_that_runs_on_is_told_of_before_it_ends(front: Front) -> None:
    assert "front: ('gone', True, -9)" in front(RUNS_ON)
