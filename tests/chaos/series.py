"""One fault many times, under load, and what came of it."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.blackbox.harness import wait_for
from tests.blackbox.warm import hosts, ready
from tests.chaos import remains
from tests.chaos.faults.fault import Fault
from tests.chaos.faults.fronts import drained
from tests.chaos.load import Load
from tests.chaos.programs import ALL
from tests.chaos.report import Outcome
from tests.chaos.scene import READY, Scene, site

LINES = 40  # of the error log, where something has failed


def run(fault: Fault, folder: Path, native: Path, times: int, sessions: int, seed: int) -> Outcome:
    """The fault so many times, beside so many sessions, in a new folder; the gateway is stopped in the end."""
    begin = time.monotonic()
    gateway = site(folder, native, fault.directives, unprivileged=fault.unprivileged)
    gateway.prefix += fault.through(folder)
    load = Load(gateway.port, sessions, fault.rules, seed)
    scene = Scene(gateway, load, random.Random(seed))
    gateway.start()
    try:
        undo = fault.set_up(scene)
        try:
            _beside_the_load(fault, scene, times)
        except (
            Exception
        ) as error:  # an event that never came, a client that could not go on: the series has failed
            scene.fail("wrong", f"turn {scene.turn}: {error!r}")
        finally:
            undo()
    finally:
        gateway.stop()
    for line in remains.complaints(gateway):
        scene.fail("complaints", line)
    for line in remains.told_twice(gateway):
        scene.fail("leftovers", line)
    for pid, name in remains.processes(folder).items():
        scene.fail("orphans", f"{pid} {name}, after the stop")
    if load.book.failures:
        load.book.failures += [f"error log: {line}" for line in gateway.log.splitlines()[-LINES:]]
    return Outcome.of(fault, times, sessions, load.book, time.monotonic() - begin)


def _beside_the_load(fault: Fault, scene: Scene, times: int) -> None:
    _warm_up(scene)
    before = remains.held(scene.gateway)
    with scene.load.running():
        for scene.turn in range(times):
            fault.inflict(scene)
    drained(scene)
    unknown, book = remains.end_unknown(scene.gateway), scene.load.book
    if unknown > book.figures["unknown sessions"]:
        scene.fail("leftovers", f"{unknown} sessions that nobody knows")
    if too_much := remains.difference(scene.gateway, before):
        scene.fail("leftovers", too_much)


def _warm_up(scene: Scene) -> None:
    """Every program once: what is made on first use is there before anything is counted."""
    for program in ALL:
        scene.gateway.get(f"/cgi-bin/{program}?word=w&nonce=0.0&bye=1")
    scene.front()
    wait_for("the programs to end", lambda: remains.held(scene.gateway).jobs == 0)
    wait_for("warm hosts", lambda: len(ready(scene.gateway)) == READY * len(hosts(scene.gateway)) > 0)
