"""One front process as the keeper sees it: its role, its link, how it is started."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from gateway.keeper.child import Child
from gateway.keeper.identity import is_roots
from gateway.keeper.link import Link, LinkError, Message
from gateway.keeper.loop import Loop
from gateway.keeper.permit import NOTHING
from gateway.keeper.recipe import Recipes
from gateway.keeper.spawn import Order, spawn
from gateway.logs.error import ErrorLog

_HOME = os.getcwdb()  # where the gateway was started


class Role(Enum):
    """STARTING until it is ready; ACTIVE accepts connections; DRAINING finishes what it has."""

    STARTING = "starting"
    ACTIVE = "active"
    DRAINING = "draining"
    GONE = "gone"


class Front:
    """A front process and the link to it. `leaving`: it was told to drain, and keeps nothing; `recipes`: the
    programs that it has told of; `reaped`: its number may be another process's, although not all that it said
    has been read."""

    def __init__(
        self,
        loop: Loop,
        arguments: Sequence[str],
        on_message: "Callable[[Front, Message], None]",
        on_lost: "Callable[[Front, str], None]",
    ) -> None:
        """Start the process. Raises OSError."""
        self._loop, self._on_message, self._on_lost = loop, on_message, on_lost
        self.role = Role.STARTING
        self.ready = False
        self.leaving = self.reaped = False
        self.refusal: str | None = None
        self.permit = NOTHING
        self.recipes = Recipes()
        self.drops = False  # it gives up being root once it is configured
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            argv = [os.fsencode(word) for word in (sys.executable, "-m", "gateway.front", *arguments)]
            order = Order(argv, dict(os.environb), _HOME)
            self.pid = spawn(order, (0, 1, 2, theirs.fileno()))
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._link = Link(ours)
        self._writing = self._asked = False
        self._why = "its link was closed"
        loop.reader(self._link.fileno(), self._event)

    def send(self, kind: str, descriptors: Sequence[int] = (), **fields: Any) -> None:
        """Send a message; what does not go at once goes when the socket can be written."""
        if self.role is Role.GONE:
            return
        try:
            self._link.send(kind, descriptors, **fields)
        except OSError as error:  # its sessions live on, and go to the next front
            self._why = f"no message could be kept for it: {error.strerror}"
            self.kill()
        else:
            self._watch()

    def require_unconfigured(self) -> None:
        """What follows decides with the keeper's rights: it is believed before anybody from outside could
        reach the front, once, and if the keeper is root's, from a process that is so too. Raises LinkError."""
        if self.permit is not NOTHING or self.role is not Role.STARTING:
            raise LinkError("it may configure nothing any more")
        if not os.geteuid() and not is_roots(self.pid):
            raise LinkError("it is not root's process any more")

    def grant(self, child: Child) -> None:
        """Hand an instance over: the front holds it from now on."""
        child.holder = self
        facts = {
            "id": child.id,
            "pid": child.pid,
            "slot": child.slot,
            "about": child.about,
            "sessions": sorted(child.sessions),
        }
        self.send("grant", (child.output, child.requests), **facts)

    def lives(self, log: ErrorLog) -> bool:
        """Whether it has answered since this was last asked; asks again. One that hangs is killed: its sessions
        live on."""
        lives, self._asked = not self._asked, True
        self.send("ping")
        if not lives:
            log("error", f"front {self.pid} does not answer; it is killed", module="core")
            self.kill()
        return lives

    def answered(self) -> None:
        """Its event loop runs."""
        self._asked = False

    def kill(self) -> None:
        """End the process at once; its link then comes to its end of file."""
        if self.role is not Role.GONE and not self.reaped:
            os.kill(self.pid, 9)

    def _event(self) -> None:
        if self.role is Role.GONE:
            return
        why = self._why
        try:
            self._link.flush()
            messages = self._link.receive()
            for message in messages or ():
                self._on_message(self, message)
        except Exception as error:  # a front may be an attacker's: whatever it sends, the keeper lives on
            why = f"it broke the link: {error!r}"
            self.kill()
            messages = None
        if messages is None:
            self._lost(why)
        else:
            self._watch()

    def _lost(self, why: str) -> None:
        self._loop.forget(self._link.fileno())
        self._link.close()
        self._on_lost(self, why)

    def _watch(self) -> None:
        if self.role is not Role.GONE and self._link.pending != self._writing:
            self._writing = self._link.pending
            self._loop.writer(self._link.fileno(), self._event, wanted=self._writing)


class Fronts(list[Front]):
    """Those that are there, the oldest first."""

    def of(self, role: Role) -> list[Front]:
        """Those that have a role."""
        return [front for front in self if front.role is role]

    @property
    def active(self) -> Front | None:
        """The one that accepts connections."""
        return next(iter(self.of(Role.ACTIVE)), None)

    def reaped(self, pid: int) -> None:
        """This process has been waited for."""
        for front in self:
            front.reaped |= front.pid == pid

    def tell_overlap(self) -> None:
        """Whether more than one front serves has changed."""
        serving = self.of(Role.ACTIVE) + self.of(Role.DRAINING)
        for front in serving:
            front.send("overlap", on=len(serving) > 1)

    def reopen_logs(self) -> bool:
        """The logs were rotated; whether there is one that may not open files any more."""
        for front in self:
            if not front.drops:
                front.send("reopen")
        return any(front.drops for front in self)


def signal_name(number: int) -> str:
    """How a signal is called; real-time signals have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
