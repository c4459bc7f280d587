"""What the status page tells of one moment: plain values, handles masked (W3)."""

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.control.facts import Facts, living, of_ending, of_session, shown, state
from gateway.control.overview import Overview
from gateway.logs.access.masks import Masks
from gateway.program import Program
from gateway.sessions.call import Call
from gateway.sessions.instance import Instance
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.sessions.starter import Starter
from gateway.status.usage import Usage
from gateway.status.warm import WarmHosts

LISTS = ("sessions", "instances", "oneshots", "warm", "recent")


class Sources(NamedTuple):
    """Whom the status page asks."""

    overview: Overview
    registry: Registry
    starter: Starter
    masks: Masks
    warm: WarmHosts
    usage: Usage


class Snapshots:
    """Facts of this front. `look` finds out what takes its time; all else tells what is known then."""

    def __init__(self, sources: Sources) -> None:
        self._sources, self._registry = sources, sources.registry

    async def look(self, at_most: int | None = None) -> None:
        """Ask the keeper for its hosts, and find out what processes use (`at_most`: of so many)."""
        await self._sources.overview.look()
        await self._sources.warm.look()
        await self._sources.usage.look(self.pids(), at_most)

    async def taken(self) -> Facts:
        """Everything, now."""
        await self.look()
        return self.whole()

    def whole(self) -> Facts:
        """Everything that is known: docs/operations.md has a row for each key."""
        sessions = [self.session(session) for session in living(self._registry)]
        return self.overview() | {"sessions": sessions, "recent": self.recent()} | self.processes()

    def overview(self) -> Facts:
        """All but the lists."""
        told = self._sources.overview.told(self._sources.usage.known)
        del told["calls"]
        return told | {
            "queue": {
                "start": self._sources.starter.waiting,
                "session": sum(len(one.queue) for one in self._registry.instances.values()),
            },
            "at": time.time(),
        }

    def session(self, session: Session) -> Facts:
        """The row of a session; its times are those `at` a wall time."""
        facts = of_session(session, self._sources.masks)
        return facts | self._sources.usage.of(session.instance.pid) | {"at": time.time()}

    def mark(self, session: Session) -> tuple[object, ...]:
        """It changes when something of the row does beside the times that pass."""
        waiting = session.instance.waiting(session.slot)
        return (
            state(session),
            session.requests,
            session.bytes_in,
            session.bytes_out,
            session.deadline,
            waiting,
            session.handles.current,
            session.last,
            tuple(self._sources.usage.of(session.instance.pid).values()),
        )

    def processes(self) -> Facts:
        """Instances, programs that run without a session, and hosts that are kept ready."""
        instances, oneshots = [], []
        for instance in sorted(self._registry.instances.values(), key=lambda one: one.id):
            held = self._registry.sessions.get(instance.id, ())
            if held:
                instances.append(self._instance(instance, held))
            else:
                oneshots.append(self._oneshot(instance))
        return {"instances": instances, "oneshots": oneshots, "warm": self._sources.warm.rows()}

    def recent(self) -> list[Facts]:
        """The newest endings, the newest first; `key` tells them apart, as an id may be given out again."""
        endings = reversed(self._registry.tally.recent)
        return [of_ending(ending) | {"key": f"{ending.id}-{ending.at:f}"} for ending in endings]

    def pids(self) -> Iterator[int]:
        """The processes of all programs."""
        return (instance.pid for instance in self._registry.instances.values())

    def _instance(self, instance: Instance, held: Iterable[Session]) -> Facts:
        sessions = list(held)
        began = min(session.began for session in sessions)
        return self._process(instance, sessions[0].program) | {
            "age": max(0.0, time.time() - began),
            "sessions": len(sessions),
            "shared": instance.shared is not None,
            "queue": len(instance.queue),
        }

    def _oneshot(self, instance: Instance) -> Facts:
        call = instance.call
        program = call.program if isinstance(call, Call) else None
        age = time.monotonic() - instance.ordered if instance.ordered else None
        return self._process(instance, program) | {"age": age}

    def _process(self, instance: Instance, program: Program | None) -> Facts:
        """What is told of every process; a program that has answered and is ending has no name any more."""
        return {
            "id": instance.id,
            "pid": instance.pid,
            "state": instance.state.name.lower(),
            "cgi_name": None if program is None else program.text,
            "file": None if program is None else shown(program.file),
            "host": None if program is None else program.name[0],
            "warm": instance.warm,
        } | self._sources.usage.of(instance.pid)
