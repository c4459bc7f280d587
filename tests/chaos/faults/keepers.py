"""The processes that own others: the keeper, its guardian, warm hosts."""

from __future__ import annotations

from tests.blackbox import warm
from tests.blackbox.harness import wait_for
from tests.chaos.book import Rules
from tests.chaos.faults.fault import Fault
from tests.chaos.remains import processes
from tests.chaos.scene import PATIENCE, Scene, state

_NEWCOMERS = 12  # among them hosted ones
_ALL_GO = Rules(frozenset({(410, "ended")}), cuts=True, refuses=True)


def _keeper(scene: Scene) -> None:
    """All sessions go with it, and every process; the next gateway knows that their handles were handles."""
    gateway, load = scene.gateway, scene.load

    def kill() -> None:
        scene.end(gateway.keeper)
        gateway.wait_exit()

    load.strike(kill, lambda: load.visitors)
    try:
        wait_for("all processes to end", lambda: not processes(gateway.folder))
    except AssertionError:
        scene.fail("orphans", f"after the keeper's end: {processes(gateway.folder)}")
    gateway.start()
    load.more(2 * len(load.visitors))


def _guardian(scene: Scene) -> None:
    old = guardian(scene)
    scene.load.strike(lambda: scene.end(old), tuple)
    wait_for("another guardian", lambda: guardian(scene) != old)


def guardian(scene: Scene) -> int:
    """Its pid, as soon as there is one."""
    return wait_for("the guardian", lambda: _named(scene, "gateway-guard"), PATIENCE)


def _named(scene: Scene, name: str) -> int | None:
    return next(
        (pid for pid, found in processes(scene.gateway.folder).items() if found == name and state(pid) != "Z"),
        None,
    )


def _host(scene: Scene) -> None:
    """The sessions that it has made live on: they are the keeper's children."""
    host = wait_for("a warm host", lambda: warm.hosts(scene.gateway))[0].pid
    scene.load.strike(lambda: scene.end(host), tuple)
    wait_for("another host", lambda: [one for one in warm.hosts(scene.gateway) if one.pid != host], PATIENCE)
    # Three that are killed before a session has begun by them would be given up, as the docs say
    wait_for("a process of it", lambda: warm.ready(scene.gateway), PATIENCE)
    figures = scene.load.book.figures
    begun = figures["begun"]
    wait_for("new sessions", lambda: figures["begun"] >= begun + _NEWCOMERS, PATIENCE)
    scene.load.more(30)


FAULTS = (
    Fault("keeper", "kill -9 of the keeper, and a start", _keeper, _ALL_GO, 10, 60),
    Fault("guardian", "kill -9 of the guardian", _guardian),
    Fault("host", "kill -9 of a warm host", _host),
)
