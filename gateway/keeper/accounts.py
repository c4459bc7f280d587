"""Accounts of sessions that are over: told by the front that held them, else drawn up from the shared table.

A line is written when the session's process has been reaped, because only then it is known what that has used;
for a session of a shared instance that lives on, at once.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.keeper import table as tables
from gateway.keeper.child import Child
from gateway.keeper.fields import ending_of
from gateway.keeper.reasons import Reason
from gateway.logs.error import ErrorLog, LogFile
from gateway.logs.session import Ending, SessionLog, Used, mask

_MOST_UNTOLD = 200
_KEPT = 200  # endings that the next front is told of
_LONGEST = 1000  # characters of a text of theirs
ORPHANED = "HTS007 ended when its front was gone"


class _Owed(NamedTuple):
    """A process that was reaped before its front told of these sessions, by slot: their accounts, and what is
    to be remembered of their handles (R4)."""

    front: Any
    pid: int
    used: Used
    endings: dict[int, Ending]
    retired: dict[int, list[tables.Entry]]


class Accounts:
    """Each session is written once: `Table.account` marks the slot of one that has been told. `tell` hands what
    was drawn up here, or another front has told, to the front that serves; False: there is none. `remember`
    is called with the handles of sessions of which nobody tells any more."""

    def __init__(
        self,
        table: tables.Table,
        log: ErrorLog,
        tell: Callable[[Ending, Any], bool],
        remember: Callable[[tables.Entry], None],
    ) -> None:
        self._table, self._error, self._tell, self._remember = table, log, tell, remember
        self._log = SessionLog(self._cannot_write)
        self._owed: dict[int, _Owed] = {}
        self._untold: deque[Ending] = deque(maxlen=_MOST_UNTOLD)
        self._recent: deque[Ending] = deque(maxlen=_KEPT)

    # ---- the files

    def configure(self, paths: Mapping[str, str | None]) -> None:
        """SessionLog of each host. One that cannot be opened is told; then the files of before stay."""
        try:
            self._log.configure(paths)
        except OSError as error:
            self._error("error", f"the session logs stay where they were: {error}", module="core")

    def reopen(self) -> None:
        """Open the files anew (USR1)."""
        for file, error in self._log.reopen():
            self._error("error", f"cannot reopen {file.path}: {error.strerror}", module="core")

    def _cannot_write(self, file: LogFile, error: OSError) -> None:
        self._error("error", f"cannot write to {file.path}: {error.strerror}", module="core")

    # ---- a front tells

    def told(self, front: Any, child: Child | None, fields: dict[str, Any]) -> None:
        """`account`: the id of the instance and the slot of a session that is over, whether the instance ends
        with it (`last`), and an Ending."""
        slot, ending = fields["slot"], ending_of(fields)
        if child is None:
            owed = self._owed.get(fields["id"])
            if owed is not None and owed.front is front and owed.endings.pop(slot, None) is not None:
                self._announce(ending, front)
                self._log.write(ending, owed.pid, owed.used)
                if not owed.endings:
                    del self._owed[fields["id"]]
        elif child.holder is front and slot in {child.slot, *child.sessions}:
            self._over(child, slot, last=fields["last"])
            self._announce(ending, front)
            if fields["last"]:
                child.endings.append(ending)
            else:
                self._log.write(ending, child.pid, None)

    def _over(self, child: Child, slot: int, *, last: bool) -> None:
        """What has been told stands, should the front die before its next message: no other one gets it."""
        self._table.account(slot)
        for over in {slot, child.slot} if last else {slot}:
            self._table.set_state(over, tables.ENDING)

    # ---- nobody tells

    def stopped(self, child: Child, reason: Reason = Reason.STOPPED, text: str = ORPHANED) -> None:
        """All sessions of an instance are over that nobody holds."""
        for ending in self._draw_up(child, reason, text).values():
            child.endings.append(ending)
            self._announce(ending)

    def reaped(self, child: Child, facts: dict[str, Any]) -> None:
        """An instance is gone; its slots are still there."""
        used = Used(facts["cpu"], facts["peak_kib"])
        if child.holder is None:
            self.stopped(child)
        for ending in child.endings:
            self._log.write(ending, child.pid, used)
        endings = self._draw_up(child, Reason.STOPPED, ORPHANED)
        if endings:
            retired = {slot: retirements(self._table, child, slot) for slot in endings}
            self._owed[child.id] = _Owed(child.holder, child.pid, used, endings, retired)

    def front_lost(self, front: Any) -> None:
        """It tells nothing any more."""
        for number, owed in list(self._owed.items()):
            if owed.front is front:
                self.let_go(number)

    def let_go(self, instance: int) -> None:
        """The front of a reaped instance knows nothing of it."""
        owed = self._owed.pop(instance, None)
        if owed is not None:
            for slot, ending in owed.endings.items():
                self._log.write(ending, owed.pid, owed.used)
                self._announce(ending)
                for entry in owed.retired[slot]:
                    self._remember(entry)

    def announce_to_heir(self) -> None:
        """There is a front that serves again."""
        while self._untold and self._tell(self._untold[0], None):
            self._untold.popleft()

    def inheritance(self) -> list[Ending]:
        """What a front that serves from now on is to know, without those that `announce_to_heir` tells it."""
        return [ending for ending in self._recent if ending not in self._untold]

    def _announce(self, ending: Ending, front: Any = None) -> None:
        """`front` knows it already."""
        items = ending._asdict().items()
        texts: dict[str, Any] = {name: _bounded(value) for name, value in items if isinstance(value, str)}
        kept = ending._replace(**texts)
        self._recent.append(kept)
        if self._untold or not self._tell(kept, front):
            self._untold.append(kept)

    def _draw_up(self, child: Child, reason: Reason, text: str) -> dict[int, Ending]:
        """What the table knows of the sessions that have not been told yet, by slot; they count as told now."""
        found = {}
        for slot in (child.slot, *sorted(child.sessions)):
            if not self._table.began(slot):
                continue
            name = child.about["host"], child.about["cgi_name"]
            number = f"{child.id}.{slot}" if child.about["shared"] else str(child.id)
            ending = drawn_up(self._table, slot, name, number, reason, text)
            self._table.account(slot)
            if ending is not None:
                found[slot] = ending
        return found


def _bounded(text: str) -> str:
    """A text that a front may have made, as others can show it."""
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode()


def retirements(table: tables.Table, child: Child, slot: int) -> list[tables.Entry]:
    """What is to be remembered of the handles of a session that nobody can end in order (R4 `stopped`); nothing
    of one that its front has ended."""
    if table.state(slot) == tables.ENDING:
        return []
    host, name = child.about["host"], child.about["cgi_name"].encode("latin-1")
    timeout, now = table.clock(slot)[1], time.monotonic()
    keys = [tables.session_key(host, name, handle) for handle in table.handles(slot).texts if handle]
    return [tables.Entry(key, now, timeout, Reason.STOPPED) for key in keys]


def drawn_up(
    table: tables.Table, slot: int, name: tuple[str, str], number: str, reason: Reason, text: str
) -> Ending | None:
    """A session that is over now, as the table knows it: with its request under way, if any, but not what that
    has come to. None: there is none in this slot, or it has been told. `name`: host and cgi-name; `number`:
    what people call the session. Times that cannot be are left out: a front may have written anything."""
    facts, handles = table.facts(slot), table.handles(slot).texts
    if not facts.began or not handles:
        return None
    now = time.time()
    requests = table.clock(slot)[2] + (table.state(slot) != tables.IDLE)
    return Ending(
        now,
        *name,
        mask(handles[0]),
        (table.owner(slot) or b"").decode("utf-8", "backslashreplace"),
        reason.word,
        text,
        max(1, requests),
        min(facts.began, now) if facts.began > 0 else now,
        number,
        facts.bytes_in,
        facts.bytes_out,
        facts.busy if 0 <= facts.busy <= now else 0.0,
    )
