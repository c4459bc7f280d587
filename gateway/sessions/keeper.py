"""The front's end of the link to the keeper, on the event loop."""

import asyncio
import errno
import itertools
import os
import socket
import time
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from gateway.keeper.identity import Identity
from gateway.keeper.link import VERSION, Link, LinkError, Message
from gateway.keeper.table import Entry
from gateway.program import HostGroup

T = TypeVar("T")


class Recipe(NamedTuple):
    """How a program is started each time: argument vector, environment and directory as bytes; `about` comes
    back at an adoption; `grace` seconds between the steps of T3; as whom it runs (None: as the keeper's user)
    and within which limits: (name, soft, hard)."""

    argv: tuple[bytes, ...]
    environ: Mapping[bytes, bytes]
    directory: bytes
    about: dict[str, Any]
    grace: float
    identity: Identity | None
    limits: tuple[tuple[str, int | None, int | None], ...]


class Order(NamedTuple):
    """One start by the recipe of this number: further `words` of the argument vector, the variables that are
    not the recipe's; `mark`: its end mark; `body`: with a pipe for stdin; `brief`: it is expected to be over
    soon."""

    recipe: int
    words: tuple[bytes, ...]
    environ: Mapping[bytes, bytes]
    mark: bytes
    body: bool
    brief: bool = False


class KeeperLink:
    """Asks, and hands what the keeper tells to `on`: a callback for each kind of message. `on_answer` hears of
    each question that was answered, and how many seconds that took: not of starts whose end may be awaited."""

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._link = Link(sock)
        self._loop = loop
        self._tags = itertools.count(1)
        self._answers: dict[int | str, tuple[float, Callable[[Message], None]]] = {}
        self._writing = False
        self._done: list[int] = []
        self.on: dict[str, Callable[[Message], None]] = {}
        self.on_lost: Callable[[], None] = lambda: None
        self.on_answer: Callable[[str, float], None] | None = None
        loop.add_reader(self._link.fileno(), self._readable)

    # ---- the start of a front

    async def hello(self) -> tuple[int, bytes]:
        """The descriptor of the shared table, and the key of the ready-made handles (H11)."""
        message = await self._ask("hello", "welcome", _itself, version=VERSION, pid=os.getpid())
        return message.descriptors[0], bytes.fromhex(message.fields["key"])

    async def listen(self, addresses: list[tuple[str, str, int]]) -> list[socket.socket]:
        """The listening sockets for these addresses. Raises OSError with the keeper's text."""
        message = await self._ask("listen", "listening", _itself, addresses=addresses)
        if "error" in message.fields:
            raise OSError(message.fields["error"])
        return [socket.socket(fileno=descriptor) for descriptor in message.descriptors]

    async def configure(self, **fields: Any) -> None:
        """Tell what the keeper takes from a front once, before it serves and gives up being root."""
        await self._ask("configure", "configured", _itself, **fields)

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a message that has no answer."""
        if self._done:
            fields["done"], self._done = self._done, []
        self._link.send(kind, **fields)
        self._watch()

    def done(self, instance: int) -> None:
        """Nothing is written any more into the slots of an instance that is gone: the next message says so."""
        self._done.append(instance)

    # ---- instances

    def recipe(self, number: int, recipe: Recipe) -> None:
        """Tell how a program is started; what the number stood for is forgotten."""
        self.tell(
            "recipe",
            number=number,
            argv=_texts(recipe.argv),
            environ=_block_of(recipe.environ),
            directory=recipe.directory.decode("latin-1"),
            about=recipe.about,
            grace=recipe.grace,
            identity=recipe.identity,
            limits=recipe.limits,
        )

    def start(self, order: Order, receive: Callable[[Message], T]) -> "asyncio.Future[T]":
        """What `receive` makes of `started` (with the pipe ends) or `failed`. It is called before the next
        message is looked at: the news that the instance is gone may follow at once, or be part of `started`."""
        return self._tagged(
            "start",
            receive,
            recipe=order.recipe,
            words=_texts(order.words),
            environ=_block_of(order.environ),
            mark=order.mark.decode(),
            body=order.body,
            brief=order.brief,
        )

    def prepare(self, group: HostGroup) -> None:
        """Have hosts ready."""
        self.tell(
            "prepare",
            id=group.id,
            argv=_texts(group.argv),
            environ=_block_of(group.environ),
            identity=group.identity,
            limits=group.limits,
            count=group.number,
        )

    def start_warm(
        self, group: str, about: dict[str, Any], grace: float, receive: Callable[[Message], T]
    ) -> "asyncio.Future[T]":
        """As `start`; `failed` says that there is no process of this group now."""
        return self._tagged("start_warm", receive, group=group, about=about, grace=grace)

    def count_warm(self) -> "asyncio.Future[dict[str, int]]":
        """How many processes are ready, by group."""
        return self._tagged("count_warm", lambda message: dict(message.fields["ready"]))

    def claim(self, instance: int, key: bytes, **fields: Any) -> "asyncio.Future[Message]":
        """Ask for a handle while more than one front serves, or for one more session of a shared instance
        (`Claims.decide` says what the fields are)."""
        return self._tagged("claim", _itself, id=instance, key=key.hex(), **fields)

    def retire(self, entry: Entry) -> None:
        """Pass a retired handle on to the front that writes the rings."""
        key, at, timeout, reason = entry
        self.tell("retire", key=key.hex(), at=at, timeout=timeout, reason=int(reason))

    @property
    def waits(self) -> float:
        """For how many seconds the oldest question has not been answered; 0.0 when none is open."""
        asked, _ = next(iter(self._answers.values()), (None, None))
        return 0.0 if asked is None else time.monotonic() - asked

    def close(self) -> None:
        """Leave the loop and close the link."""
        if self._link.fileno() >= 0:
            self._loop.remove_reader(self._link.fileno())
            self._loop.remove_writer(self._link.fileno())
            self._link.close()

    # ---- the socket

    def _tagged(self, kind: str, receive: Callable[[Message], T], **fields: Any) -> "asyncio.Future[T]":
        tag = next(self._tags)
        return self._ask(kind, tag, receive, tag=tag, **fields)

    def _ask(
        self, kind: str, answer: int | str, receive: Callable[[Message], T], **fields: Any
    ) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self._loop.create_future()
        asked = time.monotonic()

        def received(message: Message) -> None:
            if self.on_answer is not None and not fields.get("brief"):
                self.on_answer(kind, time.monotonic() - asked)
            if message.bare:
                message = self._unusable(message)
            if future.cancelled():
                self._decline(message)
            else:
                future.set_result(receive(message))

        self._answers[answer] = asked, received
        self.tell(kind, **fields)
        return future

    def _decline(self, message: Message) -> None:
        """Nobody waits any more for what came."""
        for descriptor in message.descriptors:
            os.close(descriptor)
        if message.kind == "started":
            self.tell("end", id=message.fields["id"], how="term")

    def _unusable(self, message: Message) -> Message:
        """The pipes of a program that was started could not be taken: its start has failed."""
        self.tell("end", id=message.fields["id"], how="kill")
        return Message({"kind": "failed", "errno": errno.EMFILE, "step": "taking its pipes"})

    def _readable(self) -> None:
        try:
            messages = self._link.receive()
        except LinkError:
            messages = None
        if any(message.bare and message.kind != "started" for message in messages or ()):
            messages = None  # another front tries again: without its sessions this one is none
        for message in messages or ():
            key = message.fields.get("tag", message.kind)
            _, receive = self._answers.pop(key, (0.0, None))
            (receive or self.on[message.kind])(message)
            if "gone" in message.fields:
                self.on["gone"](Message(message.fields["gone"] | {"id": message.fields["id"]}))
        if messages is None:
            self.close()
            self.on_lost()

    def _watch(self) -> None:
        if self._link.pending and not self._writing:
            self._writing = True
            self._loop.add_writer(self._link.fileno(), self._writable)

    def _writable(self) -> None:
        self._link.flush()
        if not self._link.pending:
            self._writing = False
            self._loop.remove_writer(self._link.fileno())


def _texts(words: tuple[bytes, ...]) -> list[str]:
    return [word.decode("latin-1") for word in words]


def _block_of(environ: Mapping[bytes, bytes]) -> bytes:
    """An environment as the link carries it. Raises ValueError for a NUL within it."""
    words = b"\0".join(chain.from_iterable(environ.items()))
    if words.count(b"\0") != max(0, 2 * len(environ) - 1):
        raise ValueError("expected names and values without NUL in an environment")
    return words + b"\0" if environ else b""


def _itself(message: Message) -> Message:
    return message
