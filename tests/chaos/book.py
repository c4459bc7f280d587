"""What a visitor knows of its session, and what an answer says about the gateway. No IO."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tests.chaos.programs import SHARED

End = tuple[int, str | None]  # status, and the word of X-HTSession-Ended


class Answer(NamedTuple):
    """A whole response; `reason` is X-HTSession-Ended."""

    status: int
    reason: str | None
    body: bytes


class Rules(NamedTuple):
    """What a fault may do. `ends`: how a session may end that was exposed to it; `cuts`: connections may be
    cut; `refuses`: they may be refused; `newcomers`: statuses besides 200 for newcomers meanwhile."""

    ends: frozenset[End] = frozenset()
    cuts: bool = False
    refuses: bool = False
    newcomers: frozenset[int] = frozenset()


@dataclass
class Visitor:
    """`count` 0: no session now; `cuts`: requests since the last answer that may have been carried out;
    `exposed`: the newest request when a fault met this session; `taken`: a fault plays with it, the load leaves
    it alone; `leaving`: its last request, not answered whole, was to end the session."""

    number: int
    program: str
    rotates: bool
    word: str = ""
    handle: str = ""
    count: int = 0
    cuts: int = 0
    serial: int = 0
    pid: int = 0
    exposed: int | None = None
    in_flight: bool = False
    taken: bool = False
    leaving: bool = False

    def target(self, **verbs: str | int) -> str:
        """The URL path of its next request, a nonce of its own in it."""
        self.serial += 1
        if not self.count:
            self.word = f"w{self.number}-{secrets.token_hex(6)}."
        path = f"/cgi-bin/{self.program}" + (f"/{self.handle}" if self.count else "")
        first = {"word": self.word, "nonce": f"{self.number}.{self.serial}"} | (
            {"rotate": 1} if self.rotates else {}
        )
        return f"{path}?" + "&".join(f"{name}={value}" for name, value in (first | verbs).items())

    @property
    def rests(self) -> bool:
        """Whether it has a session with no request under way."""
        return bool(self.count) and not self.in_flight and not self.taken

    def expose(self) -> None:
        """A fault meets its session now."""
        self.exposed = self.serial

    def lost(self) -> None:
        """Its session is over."""
        self.handle, self.count, self.cuts, self.pid = "", 0, 0, 0
        self.exposed, self.leaving = None, False


class Book:
    """Judges every answer. `failures` tells the first ones of what must not happen."""

    MOST_TOLD = 20

    def __init__(self, rules: Rules, visitors: list[Visitor]) -> None:
        self.rules, self.visitors = rules, visitors
        self.figures: Counter[str] = Counter()
        self.failures: list[str] = []

    def fail(self, kind: str, text: str) -> None:
        """Something that must not happen."""
        self.figures[kind] += 1
        if len(self.failures) < self.MOST_TOLD:
            self.failures.append(f"{kind}: {text}")

    def expose(self, visitors: Iterable[Visitor]) -> None:
        """A fault meets these. A shared instance is one: who runs in it exposes all of its sessions (S5)."""
        met = list(visitors)
        if any(visitor.program == SHARED for visitor in met):
            met += [visitor for visitor in self.visitors if visitor.program == SHARED]
        for visitor in met:
            visitor.expose()

    def cut(self, visitor: Visitor, what: str, *, stale: bool = False, bye: bool = False) -> None:
        """The connection ended before the answer was whole; `stale`: it had been kept, and nothing came. A
        server may close such a one at any time (RFC 9112, section 9.3.1): then the request was not carried
        out."""
        if stale and not self.rules.cuts:
            self.figures["stale"] += 1
            return
        visitor.cuts += 1
        visitor.leaving |= bye
        self.figures["cut"] += 1
        self.figures["unknown sessions"] += not visitor.count
        if not self.rules.cuts and visitor.exposed is None:
            self.fail("wrong", f"{visitor}: cut, {what}")

    def refused(self, visitor: Visitor) -> None:
        """No connection could be made."""
        self.figures["refused"] += 1
        if not self.rules.refuses:
            self.fail("refusals", str(visitor))

    def answered(
        self, visitor: Visitor, answer: Answer, body: bytes = b"", fill: int = 0, bye: bool = False
    ) -> None:
        """Judge a whole answer. After an error the next request tells whether the session is over."""
        self.figures["answers"] += 1
        if answer.status != 200:
            self._without_page(visitor, answer)
            return
        line, _, rest = answer.body.partition(b"\n")
        told = dict(pair.split("=", 1) for pair in line.decode("latin-1").split(" ") if "=" in pair)
        wanted = body + visitor.word.encode() * fill
        if told.get("word") != visitor.word or told.get("nonce") != f"{visitor.number}.{visitor.serial}":
            self.fail("mixed", f"{visitor} was answered {line!r}")
        elif rest != wanted or told["length"] != str(len(body)):
            strange = rest.replace(visitor.word.encode(), b"")
            kind = (
                "mixed"
                if any(other.word.encode() in strange for other in self.visitors if other.word)
                else "wrong"
            )
            self.fail(kind, f"{visitor}: {len(rest)} bytes instead of {len(wanted)}, {strange[:80]!r}")
        elif not 1 <= int(told["count"]) - visitor.count <= 1 + (visitor.cuts if visitor.count else 0):
            self.fail("wrong", f"{visitor}: count {told['count']}")
        self._goes_on(visitor, told, bye)

    def _goes_on(self, visitor: Visitor, told: dict[str, str], bye: bool) -> None:
        if visitor.exposed is not None and visitor.serial > visitor.exposed:
            visitor.exposed = None
        self.figures["begun"] += not visitor.count
        visitor.count, visitor.cuts = int(told.get("count", 0)), 0
        visitor.handle, visitor.pid = told.get("handle", ""), int(told.get("pid", 0))
        if bye:
            visitor.lost()

    def _unseen(self, visitor: Visitor, answer: Answer) -> bool:
        """Whether a page with a new handle was handed to the kernel for a connection that the visitor had just
        left: that counts as delivered, because nothing tells the gateway otherwise (R7)."""
        unseen = bool(visitor.rotates and visitor.cuts) and answer.reason == "replaced"
        self.figures["unseen"] += unseen
        self.figures["unknown sessions"] += unseen
        return unseen

    def _without_page(self, visitor: Visitor, answer: Answer) -> None:
        end = (answer.status, answer.reason)
        allowed = visitor.exposed is not None and end in self.rules.ends
        if not visitor.count:
            self.figures["turned away"] += 1
            if not allowed and answer.status not in self.rules.newcomers:
                self.fail("wrong", f"{visitor} may not begin: {end}")
        elif answer.status == 410:
            left = (visitor.leaving and answer.reason == "ended") or self._unseen(visitor, answer)
            self.figures["lost in flight"] += allowed and not left
            if not allowed and not left:
                self.fail("lost", f"{visitor}: {end}")
            visitor.lost()
        else:
            visitor.cuts += 1
            if not allowed:
                self.fail("wrong", f"{visitor}: {end} {answer.body[:200]!r}")
