"""Sessions that move between fronts: adopted, recalled, borrowed, given back (spec 5, who holds a session)."""

import asyncio
from collections import Counter
from collections.abc import Callable

from gateway.errors import Busy
from gateway.keeper.accounts import drawn_up
from gateway.keeper.link import Message
from gateway.keeper.reasons import Reason
from gateway.keeper.table import ENDING, session_key
from gateway.program import Name, Program
from gateway.sessions.handles import Handles
from gateway.sessions.instance import Instance
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.lifecycle import State
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.sessions.shared import Ended, Shared

Resolve = Callable[[str, bytes], Program | None]


class Moves:
    """Adopts what the keeper grants and gives what it recalls; `resolve` finds the program of a cgi-name."""

    def __init__(self, registry: Registry, link: KeeperLink, resolve: Resolve) -> None:
        self._registry, self._link, self._resolve = registry, link, resolve
        self._table = registry.store.table
        self._wanted: dict[int, asyncio.Future[None]] = {}
        # Requests that wait for an instance, or have not gone on since it came; what is given when they have
        self._borrowing = Counter[int]()
        self._recalled: set[int] = set()

    def elsewhere(self, name: Name, handle: bytes) -> int | None:
        """The number of the instance in which another front has a session of this handle."""
        if not self._registry.overlap:
            return None
        slot = self._table.find(session_key(*name, handle))
        if slot is None:
            return None
        instance = self._table.instance(slot)
        return None if instance in self._registry.instances else instance

    async def borrow(self, instance: int, at_most: float) -> None:
        """Ask for an instance and wait until it has come or is over; then look again. Raises Busy after
        `at_most` seconds (R5)."""
        wanted = self._wanted.get(instance)
        if wanted is None:
            wanted = self._wanted[instance] = self._registry.loop.create_future()
            self._link.tell("want", id=instance)
        self._borrowing[instance] += 1
        try:
            await asyncio.wait((wanted,), timeout=at_most)
        finally:
            self._went_on(instance)
        if not wanted.done():
            raise Busy(f"waited {at_most:g} s for a session of another front", retry_after=at_most)

    def _went_on(self, number: int) -> None:
        """A request waits for this instance no more; it takes it before anything else happens."""
        self._borrowing[number] -= 1
        if self._borrowing[number]:
            return
        del self._borrowing[number]
        if number in self._recalled:
            self._recalled.discard(number)
            self._registry.loop.call_soon(self._recall, number)

    def granted(self, message: Message) -> None:
        """`grant`: this front holds the instance from now on."""
        fields, registry = message.fields, self._registry
        instance = Instance(registry.loop, State.ELSEWHERE, fields, message.descriptors, registry.heard_idle)
        about = fields["about"]
        instance.mark = about["mark"].encode()
        name = about["host"], about["cgi_name"].encode("latin-1")
        slots = [instance.slot]
        if about["shared"]:
            instance.shared = Shared(name)
            slots = self._remaining(instance, instance.shared, fields["sessions"])
        program = self._resolve(*name)
        if program is None:
            self._abandon(instance, name, slots)
        elif not slots:
            registry.abandon(instance, f"HTS006 it has no session any more: {about['cgi_name']}", name[0])
        else:
            registry.adopt(instance, {self._session(instance, slot, name, program) for slot in slots})
        self._answered(instance.id)

    def missing(self, message: Message) -> None:
        """`missing`: a wanted instance is over."""
        self._answered(message.fields["id"])

    def recalled(self, message: Message) -> None:
        """`recall`: give the instance, in its turn (R5). Who has asked for it and got it just now comes first:
        two fronts would else give it to and fro, and nobody would be served."""
        number = message.fields["id"]
        if number in self._borrowing and number in self._registry.instances:
            self._recalled.add(number)
        else:
            self._recall(number)

    def _recall(self, number: int) -> None:
        instance = self._registry.instances.get(number)
        if instance is not None:
            self._registry.recall(instance)

    def drain(self) -> None:
        """A new front takes over: give every idle session now, the others when they come to rest."""
        self._registry.draining = self._registry.overlap = True
        for instance in list(self._registry.instances.values()):
            if instance.state is State.IDLE and not instance.queue:
                self._registry.give(instance)

    def _remaining(self, instance: Instance, shared: Shared, slots: list[int]) -> list[int]:
        """The slots of a shared instance's living sessions; of the others its program is still to hear (S4)."""
        for slot in slots:
            if self._table.state(slot) == ENDING:
                shared.over(Ended(slot, self._table.handles(slot).texts[0]))
        shared.answered = self._table.clock(instance.slot)[2]
        return [slot for slot in slots if self._table.state(slot) != ENDING]

    def _session(self, instance: Instance, slot: int, name: Name, program: Program) -> Session:
        deadline, timeout, requests = self._table.clock(slot)
        texts, lost = self._table.handles(slot)
        handles = Handles(list(texts), program.previous_handles, lost=lost)
        session = Session(name, handles, instance, program, slot)
        session.deadline, session.timeout, session.requests = deadline, timeout, requests
        session.rested, session.user = self._table.rested(slot), self._table.owner(slot)
        session.bind, session.holders = self._table.bind(slot), self._table.holders(slot)
        facts = self._table.facts(slot)
        session.began, session.bytes_in, session.bytes_out, session.busy, session.last = facts
        return session

    def _abandon(self, instance: Instance, name: Name, slots: list[int]) -> None:
        """Its cgi-name is gone after a reload: its sessions end (HTS006)."""
        text = name[1].decode("latin-1")
        log = f"HTS006 its cgi-name is gone after a reload: {text}"
        for slot in slots:
            number = str(instance.id) if instance.shared is None else f"{instance.id}.{slot}"
            ending = drawn_up(self._table, slot, (name[0], text), number, Reason.CLOSED, log)
            if ending is not None:
                self._registry.tally.note(ending)
                self._link.tell("account", id=instance.id, slot=slot, last=True, ending=ending._asdict())
            timeout = self._table.clock(slot)[1]
            for handle in self._table.handles(slot).texts:
                self._registry.store.retired.add(session_key(*name, handle), Reason.CLOSED, timeout)
        self._registry.abandon(instance, log, name[0])

    def _answered(self, instance: int) -> None:
        wanted = self._wanted.pop(instance, None)
        if wanted is not None and not wanted.done():
            wanted.set_result(None)
