"""Who holds which instance: one front, or nobody for a moment; the keeper decides."""

import errno
import os
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

from gateway.keeper import table as tables
from gateway.keeper.accounts import Accounts, retirements
from gateway.keeper.brief import Brief
from gateway.keeper.child import Child, unread
from gateway.keeper.children import Children
from gateway.keeper.claims import Claims
from gateway.keeper.fields import tag_of, text_of
from gateway.keeper.fronts import Front
from gateway.keeper.permit import Refused
from gateway.keeper.reasons import Reason
from gateway.keeper.spawn import StartError
from gateway.logs.error import ErrorLog
from gateway.logs.session import Ending, mask


class Holders:
    """Starts, ends and moves instances on behalf of fronts. `active` names the front that serves."""

    def __init__(self, children: Children, log: ErrorLog, active: Callable[[], Front | None]) -> None:
        self._children, self._log, self._active = children, log, active
        self._table = children.table
        self._claims = Claims(children.table, children.by_id)
        self.accounts = Accounts(children.table, log, self._tell_ending, self._remember)
        self._wanted: dict[int, deque[Front]] = defaultdict(deque)
        self._brief = Brief(children.loop, self._runs_on)
        children.gone = self._gone

    # ---- messages of a front

    def recipe(self, front: Front, fields: dict[str, Any]) -> None:
        """`recipe`: what is the same for all starts of a program, which name it by its number."""
        front.recipes.add(fields)

    def start(self, front: Front, fields: dict[str, Any]) -> None:
        """`start`: answered by `started` with the pipe ends, or by `failed`. `brief`: the program may be over
        soon, and `started` may say so (`gone`)."""
        try:
            recipe = front.recipes[fields["recipe"]]
            order = front.permit.admit(recipe.order_of(fields))
            about = {**recipe.about, "mark": text_of(fields["mark"])}
            tag, body, brief = tag_of(fields), bool(fields["body"]), bool(fields["brief"])
            started = self._children.start(order, about, body=body, grace=recipe.grace)
        except Refused as refusal:
            if refusal.breach:
                self._log("crit", f"front {front.pid} asked for a start {refusal}: refused", module="core")
            step = f"{refusal}: refused" if refusal.breach else str(refusal)
            front.send("failed", tag=fields["tag"], errno=errno.EPERM, step=step)
            return
        except OSError as error:
            step = error.step if isinstance(error, StartError) else ""
            front.send("failed", tag=fields["tag"], errno=error.errno or 0, step=step)
            return
        child = started.child
        child.holder, child.untold = front, tag
        if brief and started.stdin is None:
            self._brief.add(child)
            return
        stdin = () if started.stdin is None else (started.stdin,)
        self._children.listen(child)
        _tell_started(child, stdin)
        for descriptor in stdin:
            os.close(descriptor)

    def _runs_on(self, child: Child) -> None:
        """A program that was expected to be over by now."""
        self._children.listen(child)
        if child.holder is not None:
            _tell_started(child)

    def end(self, front: Front, fields: dict[str, Any]) -> None:
        """`end`: begin T3."""
        child = self._children.by_id.get(fields["id"])
        if child is not None and child.holder is front:
            child.dismissed = fields["how"] == "eof"
            self._children.end(child, fields["how"])

    def give(self, front: Front, fields: dict[str, Any]) -> None:
        """`give`: the front lets go of an idle instance."""
        child = self._children.by_id.get(fields["id"])
        if child is None:
            self.accounts.let_go(fields["id"])
        elif child.holder is front:
            child.holder = None
            self._settle(child)

    def claim(self, front: Front, fields: dict[str, Any]) -> None:
        """`claim`: a front asks for a handle, and for the slot of one more session of a shared instance."""
        answer, slot = self._claims.decide(front, fields), None
        if answer == "ok" and fields["slot"] is None:
            try:
                slot = self._children.open_session(self._children.by_id[fields["id"]])
            except OSError:
                answer = "full"
        front.send("claimed", tag=fields["tag"], answer=answer, slot=slot)

    def leave(self, front: Front, fields: dict[str, Any]) -> None:
        """`leave`: one session of a shared instance is over."""
        child = self._children.by_id.get(fields["id"])
        if child is not None and child.holder is front:
            self._children.close_session(child, fields["slot"])

    def account(self, front: Front, fields: dict[str, Any]) -> None:
        """`account`: a session is over; its instance ends with it, or not."""
        self.accounts.told(front, self._children.by_id.get(fields["id"]), fields)

    def want(self, front: Front, fields: dict[str, Any]) -> None:
        """`want`: a front asks for an instance; its holder is asked to give it."""
        child = self._children.by_id.get(fields["id"])
        if child is None or child.ending:
            front.send("missing", id=fields["id"])
        elif child.holder is None:
            front.grant(child)
        elif child.holder is not front:
            self._wanted[child.id].append(front)
            child.holder.send("recall", id=child.id)

    def retire(self, front: Front, fields: dict[str, Any]) -> None:
        """`retire`: a draining front names a handle that is over (R4)."""
        key = bytes.fromhex(fields["key"])
        self._remember(tables.Entry(key, fields["at"], fields["timeout"], fields["reason"]))

    def done(self, front: Front, numbers: Sequence[int]) -> None:
        """`done`, with any message: a front has heard that these are gone, and forgotten them."""
        for number in numbers:
            self._children.slots.done(front, number)

    # ---- fronts come and go

    def adopt_all(self, front: Front) -> None:
        """Grant every instance that nobody holds."""
        for child in self._children.by_id.values():
            if child.holder is None and not child.ending:
                front.grant(child)
        self.accounts.announce_to_heir()

    def front_lost(self, front: Front) -> None:
        """Keep what was idle, end what was running (R4 `stopped`)."""
        for waiters in self._wanted.values():
            while front in waiters:
                waiters.remove(front)
        for child in list(self._children.by_id.values()):
            if child.holder is front:
                self._orphaned(child)
        self.accounts.front_lost(front)
        self._children.slots.holder_lost(front)

    def _orphaned(self, child: Child) -> None:
        child.holder = None
        if child.ending:
            return
        if self._table.state(child.slot) == tables.IDLE:
            self._settle(child)
            return
        self._stopped(child)
        # A frame that was not taken whole must not be read as a request: B3, T3
        self._children.end(child, "kill" if unread(child.requests) else "eof")

    def _settle(self, child: Child) -> None:
        """Nobody holds this idle instance: it goes to the first who asked, else to the heir."""
        waiters = self._wanted.get(child.id)
        holder = waiters.popleft() if waiters else self._heir()
        if holder is None:
            return
        holder.grant(child)
        if waiters:
            holder.send("recall", id=child.id)

    def _heir(self) -> Front | None:
        """Who keeps what nobody asks for; none while one front takes over from another (`adopt_all`)."""
        active = self._active()
        return None if active is None or active.leaving else active

    def stop(self, child: Child) -> None:
        """The gateway stops, and no front is left that could end this instance."""
        self.accounts.stopped(child, Reason.STOPPING, "HTS013 the gateway is stopping")
        self._children.end(child, "eof")

    def _tell_ending(self, ending: Ending, front: Front | None) -> bool:
        """To the front that serves, unless it is the one that knows; False: there is none."""
        active = self._active()
        if active is None:
            return False
        if active is not front:
            active.send("ended", ending=ending._asdict())
        return True

    def _gone(self, child: Child, facts: dict[str, Any]) -> None:
        self.accounts.reaped(child, facts)
        if child.dismissed and (count := unread(child.output)):
            text = f"{child.about['cgi_name']}: {count} bytes of output belong to no page"
            self._log("warn", text, pid=child.pid, host=child.about["host"])
        for front in self._wanted.pop(child.id, ()):
            front.send("missing", id=child.id)
        if child.holder is not None:
            if child.untold is None:
                child.holder.send("gone", id=child.id, **facts)
            else:
                _tell_started(child, gone=facts)
        elif not child.ending:
            self._stopped(child)

    def _stopped(self, child: Child) -> None:
        """Remember the handles of a session that nobody holds and that is over."""
        self.accounts.stopped(child)
        slots = [slot for slot in child.sessions or {child.slot} if self._table.state(slot) != tables.ENDING]
        entries = [entry for slot in slots for entry in retirements(self._table, child, slot)]
        if entries:
            many = f"with {len(slots)} sessions"
            what = many if child.sessions else mask(self._table.handles(child.slot).texts[0])
            text = f"HTS007 {child.about['cgi_name']} {what}: it ended when its front was gone"
            self._log("error", text, host=child.about["host"])
        for entry in entries:
            self._remember(entry)

    def _remember(self, entry: tables.Entry) -> None:
        active = self._active()
        if active is None:
            self._ring(entry).append(entry)
        else:
            key, at, timeout, reason = entry
            active.send("retired", key=key.hex(), at=at, timeout=timeout, reason=int(reason))

    def _ring(self, entry: tables.Entry) -> tables.Ring:
        return self._table.replaced if entry.reason == Reason.REPLACED else self._table.retired


def _tell_started(child: Child, stdin: tuple[int, ...] = (), **more: Any) -> None:
    tag, child.untold = child.untold, None
    descriptors = (child.output, child.requests, *stdin)
    child.holder.send("started", descriptors, tag=tag, id=child.id, pid=child.pid, slot=child.slot, **more)
