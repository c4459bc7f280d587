"""Instances that are killed, stand still, or want more memory than they may have."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tests.blackbox.harness import wait_for
from tests.blackbox.proc import alive
from tests.chaos.book import Rules, Visitor
from tests.chaos.faults.fault import CRASHED, Fault
from tests.chaos.programs import SHARED
from tests.chaos.scene import Scene

_KILLED = Rules(ends=CRASHED)
# Who is killed between the end of a page and the end mark has ended it (P3)
_KILLED_IN_THE_END = Rules(CRASHED | {(410, "ended")}, cuts=True)
_LATE = 1.0  # seconds; who closes its output and lives on has finished after half a second
_TIMED_OUT = Rules(ends=frozenset({(504, None), (410, "crashed")}))


def _kill(scene: Scene, visitor: Visitor) -> None:
    scene.load.strike(lambda: scene.end(visitor.pid), lambda: [visitor])


def _idle(scene: Scene) -> None:
    visitor = scene.draw_instance()
    _kill(scene, visitor)
    scene.load.give_back(visitor)


def _while(where: str, status: int) -> Callable[[Scene], None]:
    def inflict(scene: Scene) -> None:
        visitor = scene.draw_instance()
        with scene.connect() as client:
            scene.begin(client, visitor, where)
            _kill(scene, visitor)
            found = scene.judge(client, visitor)
        if found != status:
            scene.fail("wrong", f"killed in {where}: {found} instead of {status or 'a cut'}")
        scene.load.give_back(visitor)

    return inflict


def _unheard(scene: Scene) -> None:
    """In the middle of its body, and the keeper stands still: the front hears of no exit."""
    visitor, keeper = scene.draw_instance(), scene.gateway.keeper
    with scene.connect() as client:
        scene.begin(client, visitor, "body")
        scene.halt(keeper)
        try:
            _kill(scene, visitor)
            time.sleep(_LATE)
        finally:
            os.kill(keeper, signal.SIGCONT)
        if found := scene.judge(client, visitor):
            scene.fail("wrong", f"killed in the body, unheard of: {found} instead of a cut")
    scene.load.give_back(visitor)


def _shared(scene: Scene) -> None:
    visitor = scene.load.take(lambda one: one.program == SHARED and alive(one.pid))
    _kill(scene, visitor)
    scene.load.give_back(visitor)
    scene.load.more(len(scene.load.visitors) // 4)


def _pause(scene: Scene) -> None:
    """It goes on where it was: the request that came meanwhile is answered."""
    visitor = scene.draw_instance()
    scene.halt(visitor.pid)
    try:
        with scene.connect() as client:
            scene.send(client, visitor.target())
            scene.load.more(20)
            os.kill(visitor.pid, signal.SIGCONT)
            if scene.judge(client, visitor) != 200:
                scene.fail("wrong", "an instance that was stopped and went on did not answer")
    finally:
        scene.load.give_back(visitor)


def _halt(scene: Scene) -> None:
    """It never goes on: CGIScriptTimeout ends it, which only SIGKILL can do."""
    visitor = scene.draw_instance()
    pid = visitor.pid
    scene.load.strike(lambda: scene.halt(pid), lambda: [visitor])
    with scene.connect() as client:
        scene.send(client, visitor.target())
        visitor.expose()
        found = scene.judge(client, visitor)
    if found != 504:
        scene.fail("wrong", f"a stopped instance: {found} instead of 504")
    wait_for("its end", lambda: not alive(pid))
    scene.load.give_back(visitor)


def _eat(scene: Scene) -> None:
    visitor = scene.draw_instance()
    with scene.connect() as client:
        scene.send(client, visitor.target(eat=1))
        visitor.expose()
        found = scene.judge(client, visitor)
    if found != 502:
        scene.fail("wrong", f"more memory than RLimitMEM: {found} instead of 502")
    scene.load.give_back(visitor)


FAULTS = (
    Fault("instance-idle", "kill -9 of an instance that waits for a request", _idle, _KILLED, 100),
    Fault("instance-running", "kill -9 before it has written anything", _while("running", 502), _KILLED, 50),
    Fault("instance-header", "kill -9 in the middle of its header", _while("header", 502), _KILLED, 50),
    Fault("instance-body", "kill -9 in the middle of its body", _while("body", 0), _KILLED, 50),
    Fault("instance-unheard", "kill -9 in the middle of its body while the keeper stands still", _unheard,
          _KILLED, 10),
    Fault("instance-shared", "kill -9 of the instance of many sessions", _shared, _KILLED_IN_THE_END),
    Fault("instance-paused", "SIGSTOP of an instance, a request, SIGCONT", _pause),
    Fault("instance-stopped", "SIGSTOP of an instance for ever", _halt, _TIMED_OUT, 10,
          directives="CGIScriptTimeout 2s"),
    Fault("memory", "a program that wants more than RLimitMEM", _eat, _KILLED,
          directives="<Directory cgi-bin>\n  RLimitMEM 2147483648\n</Directory>"),
)  # fmt: skip
