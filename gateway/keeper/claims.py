"""Uniqueness (H4) and the limit (L1) while more than one front serves: the keeper decides."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.keeper.child import Child
from gateway.keeper.table import Table


class Granted(NamedTuple):
    """A claim of an instance, which had answered so many requests then."""

    instance: int
    newcomer: bool
    requests: int


class Claims:
    """Answers `ok`, `taken`, `other`, `limit` or `gone`. A claim that was granted but is not yet in the table
    is kept here."""

    def __init__(self, table: Table, children: Mapping[int, Child]) -> None:
        self._table, self._children = table, children
        self._granted: dict[bytes, Granted] = {}  # by session key

    def decide(self, holder: Any, fields: dict[str, Any]) -> str:
        """`fields`: id of the claimant's instance; session key; the slot of its session (None: one more of a
        shared instance); `common`: the key of the shared instance itself, or None; whether the instance is a
        newcomer, and MaxPersistentCGI. `other`: another instance is the shared one; `gone`: the claimant has
        exited."""
        key, child = bytes.fromhex(fields["key"]), self._children.get(fields["id"])
        if child is None:
            return "gone"
        if child.holder is not holder:
            return "taken"
        self._settle()
        found = self._table.find(key)
        granted = self._granted.get(key)
        if (found is not None and found != fields["slot"]) or (granted and granted.instance != child.id):
            return "taken"
        if fields["common"] is not None and not self._only(bytes.fromhex(fields["common"]), child):
            return "other"
        if fields["newcomer"] and self._persistent() >= fields["limit"]:
            return "limit"
        self._granted[key] = Granted(child.id, fields["newcomer"], self._requests(child))
        return "ok"

    def _only(self, key: bytes, child: Child) -> bool:
        """Whether no other instance is the shared one of this name."""
        found, granted = self._table.find(key), self._granted.get(key)
        if found is not None and found != child.slot:
            return False
        if granted is not None and granted.instance != child.id:
            return False
        self._granted[key] = Granted(child.id, False, self._requests(child))
        return True

    def _settle(self) -> None:
        """Forget the claims of responses that are over: the table shows them, or has shown them, or their
        instance is gone."""
        for key, claim in list(self._granted.items()):
            child = self._children.get(claim.instance)
            if (
                child is None
                or child.ending
                or self._shows(key, child)
                or self._requests(child) != claim.requests
            ):
                del self._granted[key]

    def _shows(self, key: bytes, child: Child) -> bool:
        slot = self._table.find(key)
        return slot is not None and self._table.instance(slot) == child.id

    def _requests(self, child: Child) -> int:
        return self._table.clock(child.slot)[2]

    def _persistent(self) -> int:
        kept = {child.id for child in self._children.values() if self._table.persistent(child.slot)}
        kept.update(claim.instance for claim in self._granted.values() if claim.newcomer)
        return len(kept)
