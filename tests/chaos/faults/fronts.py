"""Fronts that are killed, stand still, or are replaced again and again."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from tests.blackbox.harness import wait_for
from tests.chaos.book import Rules
from tests.chaos.faults.fault import STOPPED, Fault
from tests.chaos.scene import PATIENCE, Scene

_CRASH = Rules(STOPPED, cuts=True)
_STORM = 10
_TIMEOUT = 2  # seconds, of all waiting in `front-still`


def _killed(scene: Scene) -> None:
    scene.load.more(16)
    scene.kill_front()


def _killed_in_a_reload(scene: Scene) -> None:
    """The old one or the new one, whichever chance wants."""
    old = scene.front()
    os.kill(scene.gateway.keeper, signal.SIGHUP)
    fronts = wait_for("two fronts", lambda: found if len(found := scene.gateway.fronts()) > 1 else None)
    victim = scene.chance.choice(fronts)
    scene.load.strike(lambda: scene.end(victim))
    scene.load.more(16)
    if victim == old:
        scene.await_another(old)


def _killed_with_an_instance(scene: Scene) -> None:
    """It never hears of the death: the handle is remembered all the same (R4)."""
    visitor, old = scene.draw_instance(), scene.front()

    def kill() -> None:
        scene.halt(old)
        scene.end(visitor.pid)
        scene.end(old)

    scene.load.strike(kill, lambda: [visitor, *(one for one in scene.load.visitors if one.in_flight)])
    scene.await_another(old)
    scene.load.give_back(visitor)
    scene.load.more(50)


def _paused(scene: Scene, seconds: float = 0.0) -> None:
    """For so long, and longer: what was answered or sent meanwhile was in time."""
    front = scene.front()
    scene.halt(front)
    scene.load.stalled()
    time.sleep(seconds)
    os.kill(front, signal.SIGCONT)
    scene.load.more(50)


def _hung(scene: Scene) -> None:
    """It does not let go of its sessions: a reload replaces it all the same."""
    front = scene.front()
    scene.load.strike(lambda: scene.halt(front))
    os.kill(scene.gateway.keeper, signal.SIGHUP)
    scene.await_another(front)
    scene.load.more(50)


def _reload(scene: Scene) -> None:
    old = scene.front()
    scene.load.more(16)
    os.kill(scene.gateway.keeper, signal.SIGHUP)
    scene.await_another(old)


def _storm(scene: Scene) -> None:
    """Reloads and requests for new logs that come faster than they can be carried out."""
    old = scene.front()
    for _ in range(_STORM):
        os.kill(scene.gateway.keeper, scene.chance.choice((signal.SIGHUP, signal.SIGHUP, signal.SIGUSR1)))
        scene.load.more(5)
    scene.await_another(old)


def drained(scene: Scene) -> None:
    """Wait until the old fronts have gone."""
    wait_for("one front", lambda: len(scene.gateway.fronts()) == 1, PATIENCE)


FAULTS = (
    Fault("reload", "a reload", _reload, Rules(), 100, 500),
    Fault("reload-storm", "ten reloads and new logs at once", _storm, Rules(), 15, smoke=0),
    Fault("front", "kill -9 of the front", _killed, _CRASH, 100, 500),
    Fault("front-reload", "kill -9 of the old or the new front in a reload", _killed_in_a_reload, _CRASH, 30),
    Fault(
        "front-instance",
        "kill -9 of an instance and, before it heard of that, the front",
        _killed_with_an_instance,
        _CRASH,
        30,
    ),
    Fault("front-paused", "SIGSTOP of the front until every client waits, SIGCONT", _paused),
    Fault(
        "front-still",
        "SIGSTOP of the front for longer than every time-out, SIGCONT",
        partial(_paused, seconds=1.5 * _TIMEOUT),
        Rules(),
        10,
        directives=f"Timeout {_TIMEOUT}s\nCGIScriptTimeout {_TIMEOUT}s\nKeepAliveTimeout {_TIMEOUT}s\n"
        f"RequestReadTimeout header={_TIMEOUT}s body={_TIMEOUT}s",
    ),
    Fault("front-hung", "SIGSTOP of the front for ever, and a reload", _hung, _CRASH, 5, smoke=0),
)
