"""Uniqueness (H4) and the limit (L1) while more than one front serves: the keeper decides."""

from collections.abc import Mapping
from typing import Any

from gateway.keeper.child import Child
from gateway.keeper.table import Table


class Claims:
    """Answers `ok`, `taken` or `limit`. A claim that was granted but is not yet in the table is kept here."""

    def __init__(self, table: Table, children: Mapping[int, Child]) -> None:
        self._table, self._children = table, children
        self._granted: dict[bytes, tuple[int, bool]] = {}  # session key -> (instance, a newcomer)

    def decide(self, holder: Any, fields: dict[str, Any]) -> str:
        """`fields`: id and session key of the claimant, whether it is a newcomer, and MaxPersistentCGI."""
        key, child = bytes.fromhex(fields["key"]), self._children.get(fields["id"])
        if child is None or child.holder is not holder:
            return "taken"
        self._settle()
        found = self._table.find(key)
        if (found is not None and found != child.slot) or self._granted.get(key, (child.id,))[0] != child.id:
            return "taken"
        if fields["newcomer"] and self._persistent() >= fields["limit"]:
            return "limit"
        self._granted[key] = child.id, fields["newcomer"]
        return "ok"

    def _settle(self) -> None:
        """Forget the claims that the table shows by now, or whose instance is gone."""
        for key, (instance, _) in list(self._granted.items()):
            child = self._children.get(instance)
            if child is None or child.ending or self._table.find(key) == child.slot:
                del self._granted[key]

    def _persistent(self) -> int:
        kept = {child.id for child in self._children.values() if self._table.persistent(child.slot)}
        kept.update(instance for instance, newcomer in self._granted.values() if newcomer)
        return len(kept)
