"""Sessions that move between fronts: adopted, recalled, borrowed, given back (spec 5, who holds a session)."""

import asyncio
from collections.abc import Callable

from gateway.errors import Busy
from gateway.keeper.link import Message
from gateway.keeper.reasons import Reason
from gateway.keeper.table import session_key
from gateway.program import Name, Program
from gateway.sessions.handles import Handles, Use
from gateway.sessions.instance import Instance, Waiter
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.lifecycle import State
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session

Resolve = Callable[[str, bytes], Program | None]


class Moves:
    """Adopts what the keeper grants and gives what it recalls; `resolve` finds the program of a cgi-name."""

    def __init__(self, registry: Registry, link: KeeperLink, resolve: Resolve) -> None:
        self._registry, self._link, self._resolve = registry, link, resolve
        self._table = registry.store.table
        self._wanted: dict[int, asyncio.Future[None]] = {}

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
        await asyncio.wait((wanted,), timeout=at_most)
        if not wanted.done():
            raise Busy(f"waited {at_most:g} s for a session of another front", retry_after=at_most)

    def granted(self, message: Message) -> None:
        """`grant`: this front holds the instance from now on."""
        fields, registry = message.fields, self._registry
        instance = Instance(registry.loop, State.ELSEWHERE, fields, message.descriptors, registry.heard_idle)
        about = fields["about"]
        instance.mark = about["mark"].encode()
        name = about["host"], about["cgi_name"].encode("latin-1")
        program = self._resolve(*name)
        if program is None:
            self._abandon(instance, name)
        else:
            registry.adopt(self._session(instance, name, program))
        self._answered(instance.id)

    def missing(self, message: Message) -> None:
        """`missing`: a wanted instance is over."""
        self._answered(message.fields["id"])

    def recalled(self, message: Message) -> None:
        """`recall`: give the session, in its turn (R5)."""
        instance = self._registry.instances.get(message.fields["id"])
        if instance is None:
            return
        if instance.state is State.IDLE and not instance.queue:
            self._registry.give(self._registry.sessions[instance.id])
        else:
            turn: asyncio.Future[Use | None] = self._registry.loop.create_future()
            instance.queue.append(Waiter(None, turn))

    def drain(self) -> None:
        """A new front takes over: give every idle session now, the others when they come to rest."""
        self._registry.draining = self._registry.overlap = True
        for instance in list(self._registry.instances.values()):
            if instance.state is State.IDLE and not instance.queue:
                self._registry.give(self._registry.sessions[instance.id])

    def _session(self, instance: Instance, name: Name, program: Program) -> Session:
        deadline, timeout, requests = self._table.clock(instance.slot)
        texts, lost = self._table.handles(instance.slot)
        session = Session(name, Handles(list(texts), program.previous_handles, lost=lost), instance, program)
        session.deadline, session.timeout, session.requests = deadline, timeout, requests
        session.user = self._table.owner(instance.slot)
        return session

    def _abandon(self, instance: Instance, name: Name) -> None:
        """Its cgi-name is gone after a reload: the session ends (HTS006)."""
        timeout = self._table.clock(instance.slot)[1]
        for handle in self._table.handles(instance.slot).texts:
            self._registry.store.retired.add(session_key(*name, handle), Reason.ENDED, timeout)
        text = name[1].decode("latin-1")
        self._registry.abandon(instance, f"HTS006 its cgi-name is gone after a reload: {text}", name[0])

    def _answered(self, instance: int) -> None:
        wanted = self._wanted.pop(instance, None)
        if wanted is not None and not wanted.done():
            wanted.set_result(None)
