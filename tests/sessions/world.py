"""A registry in a small world: real pipes, a real link (its other end plays the keeper), a set clock."""

import asyncio
import os
import socket
from collections import Counter
from typing import Any

import pytest

from gateway.directives.settings import Settings
from gateway.keeper.claims import Claims
from gateway.keeper.link import Link, Message
from gateway.keeper.slots import Slots
from gateway.keeper.table import ENDING, attach, create
from gateway.logs.error import ErrorLog
from gateway.program import Limits, Name, Program
from gateway.sessions.call import Call
from gateway.sessions.holdings import ServerLimits
from gateway.sessions.instance import Instance
from gateway.sessions.judge import Judge
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.moves import Moves
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.sessions.sharing import Sharing
from gateway.sessions.starter import Cold, Starter
from tests.sessions.played_process import Process, Taker
from tests.sessions.set_time import Clock, Loop

NAME: Name = ("host", b"/cgi-bin/counter")
TIMEOUT, QUEUE_TIMEOUT, QUEUE, PREVIOUS, MOST = 300.0, 30.0, 2, 1, 4
LOG = ErrorLog(os.devnull)
SLOTS, SHARED_SLOTS, MOST_SESSIONS = 64, 40, 3
FRAME = b"5:hello,"
CLOCK_USERS = ("registry", "holdings", "clocks", "retired", "call")


class World:
    """The registry with everything around it; `shared`: its program has one instance for many sessions."""

    def __init__(self, *, shared: bool = False) -> None:
        self.clock = Clock()
        self._patches = pytest.MonkeyPatch()
        for module in CLOCK_USERS:
            self._patches.setattr(f"gateway.sessions.{module}.time", self.clock)
        self.loop = Loop(self.clock)
        self.table = create(SLOTS, SHARED_SLOTS)
        self.slots = Slots(self.table, SLOTS)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._keeper, self._link = Link(theirs), KeeperLink(ours, self.loop)
        self.registry = Registry(
            self.loop, self._link, attach(os.dup(self.table.descriptor)), LOG, ServerLimits(MOST, 1000)
        )
        self.judge = Judge(self.registry, LOG)
        self.moves = Moves(self.registry, self._link, lambda host, name: self.program)
        self.starter = Starter(self.registry, self._link, 1000)
        self._link.on |= {"gone": self._gone, "grant": self.moves.granted, "recall": self.moves.recalled}
        self.sharing = Sharing(self.registry, self.moves)
        self.program = _program(shared=shared)
        self.processes: dict[int, Process] = {}
        self._claims = Claims(self.table, self.processes)  # type: ignore[arg-type]
        self.accounts: Counter[str] = Counter()  # of sessions that are over, by reason
        self._count = 0
        self._recalled: set[int] = set()

    def close(self) -> None:
        """Close every descriptor, and give the modules their clock back."""
        self.loop.spin()
        for instance in self.registry.instances.values():
            instance.close()
        for process in self.processes.values():
            process.close()
        self._link.close()
        self._keeper.close()
        self.loop.close()
        self.registry.store.table.close()
        self.table.close()
        self.leave_time()

    def leave_time(self) -> None:
        """Give the modules their clock back: those of a world that stays are others' too."""
        self._patches.undo()

    # ---- what the keeper does

    def settle(self) -> None:
        """Until nothing more happens by itself."""
        self.loop.spin()
        while messages := self._keeper.receive():
            for message in messages:
                getattr(self, f"_{message.kind}")(message.fields)
            self.loop.spin()

    def _recipe(self, fields: dict[str, Any]) -> None:
        """They are all of one program."""

    def _start(self, fields: dict[str, Any]) -> None:
        self._count += 1
        about = {**self.program.about, "mark": fields["mark"]}
        process = self.processes[self._count] = Process(self._count, self._count % SLOTS, about)
        process.holder = self
        self.table.open_slot(self._count % SLOTS, self._count)
        self._keeper.send("started", (process.output, process.requests), tag=fields["tag"], **process.facts)

    def _end(self, fields: dict[str, Any]) -> None:
        process = self.processes[fields["id"]]
        process.how = fields["how"]
        self._recalled.discard(fields["id"])
        for slot in (process.slot, *process.sessions):
            self.table.set_state(slot, ENDING)

    def _give(self, fields: dict[str, Any]) -> None:
        self.processes[fields["id"]].holder = None
        self._recalled.discard(fields["id"])

    def _claim(self, fields: dict[str, Any]) -> None:
        answer, slot = self._claims.decide(self, fields), None
        if answer == "ok" and fields["slot"] is None:
            slot = self.slots.take_for_session(fields["id"])
            self.processes[fields["id"]].sessions.add(slot)
        self._keeper.send("claimed", tag=fields["tag"], answer=answer, slot=slot)

    def _account(self, fields: dict[str, Any]) -> None:
        """Written down once for each session."""
        slot = fields["slot"]
        assert self.table.facts(slot).began
        self.table.account(slot)
        self.accounts[fields["ending"]["reason"]] += 1

    def _want(self, fields: dict[str, Any]) -> None:
        """The other front gives it when the test says so."""

    def _leave(self, fields: dict[str, Any]) -> None:
        process = self.processes.get(fields["id"])
        if process is not None:
            process.sessions.remove(fields["slot"])
            self.slots.release(fields["slot"])

    def _overlap(self) -> None:
        """The other front is there as long as it holds an instance, or waits for one."""
        elsewhere = any(process.holder is None for process in self.processes.values())
        self.registry.overlap = self.registry.draining or elsewhere or bool(self._recalled)

    def recall(self, number: int) -> None:
        """Ask for an instance on behalf of another front."""
        self.registry.overlap = True
        self._recalled.add(number)
        self._keeper.send("recall", id=number)
        self.settle()

    def grant(self, number: int, *, recall: bool = False) -> None:
        """Give an instance to the registry again; `recall`: another front wants it by then, and both messages
        are there before anybody reads."""
        process = self.processes[number]
        process.holder = self
        facts = {"about": process.about, "sessions": sorted(process.sessions), **process.facts}
        self._keeper.send("grant", (process.output, process.requests), **facts)
        if recall:
            self.recall(number)
        self.settle()
        self._overlap()

    def reload(self) -> None:
        """Another front takes over: idle instances are given at once, others when they come to rest."""
        self.moves.drain()
        self.settle()

    def serve_again(self) -> None:
        """From now on the registry stands for that other front."""
        self.registry.draining = False
        self._overlap()

    def reap(self, number: int, status: int) -> None:
        """The process is gone, with this exit status or minus the signal."""
        process = self.processes.pop(number)
        self._recalled.discard(number)
        process.close()
        self._keeper.send("gone", id=number, status=status, tail=[])
        self.settle()
        self.table.free_slot(process.facts["slot"])
        for slot in process.sessions:
            self.slots.release(slot)

    # ---- what the front does

    def _gone(self, message: Message) -> None:
        instance = self.registry.instances[message.fields["id"]]
        instance.exited.set_result(message.fields)
        self.registry.gone(instance)

    def tick(self, seconds: float) -> None:
        """Time passes."""
        self.clock.now += seconds
        self.settle()

    def first_call(self, segment: bytes = b"") -> Call:
        """Start an instance for a first request."""
        stays: asyncio.Future[None] = self.loop.create_future()
        task = self.loop.create_task(self.starter.start(self.program, Cold({}), stays))
        self.settle()
        return self._begin(Call(task.result(), self.program, Taker(), self.judge.decide, segment=segment))

    def newcomer(self, gone: "asyncio.Future[None]") -> "asyncio.Task[Instance]":
        """A request without a handle asks for the shared instance, or starts it."""

        async def enter() -> Instance:
            instance = await self.sharing.enter(self.program, gone)
            if instance is None:
                try:
                    instance = await self.starter.start(self.program, Cold({}), gone)
                finally:
                    self.sharing.started(NAME)
            return instance

        task = self.loop.create_task(enter())
        self.settle()
        return task

    def entered_call(self, instance: Instance, user: bytes | None, *, head_only: bool) -> Call:
        """The call of a newcomer who has entered; its frame is written unless it is the first."""
        call = Call(instance, self.program, Taker(), self.judge.decide, user=user, head_only=head_only)
        if instance.framed:
            call.send(FRAME)
        return self._begin(call)

    def later_call(self, session: Session, handle: bytes) -> Call:
        """A call of a session that has been claimed; its frame is written."""
        call = Call(session.instance, self.program, Taker(), self.judge.decide, session=session, handle=handle)
        call.send(FRAME)
        return self._begin(call)

    def _begin(self, call: Call) -> Call:
        self.registry.calls.add(call)
        return call

    def answer(self, call: Call, response: bytes, *, delivered: bool = True) -> None:
        """The program answers, and the response goes to the client or is lost."""
        self.begin_answer(call, response)
        self.end_answer(call, delivered=delivered)

    def begin_answer(self, call: Call, response: bytes) -> None:
        """The program takes the request and answers but for the end mark."""
        process = self.processes[call.instance.id]
        if not call.exchange.first:
            assert process.take() == FRAME
        process.write(response)
        self.settle()

    def end_answer(self, call: Call, *, delivered: bool) -> None:
        """The end mark; the response has gone to the client or is lost."""
        self.processes[call.instance.id].write(b"\4" + call.instance.mark + b"\n")
        self.settle()
        assert call.exchange.over
        self.registry.finish(call, delivered=delivered)
        self.settle()

    def die(self, call: Call) -> None:
        """The program ends in the middle of a call."""
        self.processes[call.instance.id].exit()
        self.loop.spin()
        assert call.exchange.over
        self.registry.finish(call, delivered=False)
        self.settle()

    def armed(self, instance: Instance) -> float | None:
        """When the timer of an instance's session is due."""
        return next(
            (due for known, (due, _) in self.registry.clock._timers.items() if known.instance is instance), None
        )

    def due(self, session: Session) -> float | None:
        """When the timer of a session is due."""
        return next((due for known, (due, _) in self.registry.clock._timers.items() if known is session), None)


def _program(*, shared: bool) -> Program:
    return Program(
        name=NAME,
        settings=Settings({}, {}),
        text=NAME[1].decode(),
        file="counter",
        argv=(b"counter",),
        ahead=None,
        directory=b".",
        environ={},
        variables={},
        limits=Limits(TIMEOUT, 6 * TIMEOUT),
        previous_handles=PREVIOUS,
        queue=QUEUE,
        queue_timeout=QUEUE_TIMEOUT,
        script_timeout=1e9,
        timeout=1e9,
        grace=2.0,
        fresh_when_expired=False,
        body_limit=0,
        hosted=False,
        nph=False,
        identity=None,
        process_limits=(),
        shared=shared,
        most_sessions=MOST_SESSIONS,
    )
