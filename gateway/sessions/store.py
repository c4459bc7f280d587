"""The sessions by virtual host, cgi-name and handle: found with dictionary look-ups, however many there are."""

from gateway.keeper.reasons import Reason
from gateway.keeper.table import Table, session_key
from gateway.program import Name
from gateway.protocol.paths import Path
from gateway.sessions.retired import Retired
from gateway.sessions.session import Session


def shared_key(name: Name) -> bytes:
    """The name of a program's shared instance in the table: that of the session without a handle."""
    return session_key(*name, b"")


_ByHandle = dict[bytes, Session]


class Store:
    """Keeps the dictionaries, the shared table and the memory of retired handles in step."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.retired = Retired(table)
        self._hosts: dict[str, dict[bytes, _ByHandle]] = {}

    def match(self, host: str, path: Path) -> tuple[Session, bytes] | None:
        """The session that a path belongs to, and the handle in it (R1, R2)."""
        names = self._hosts.get(host)
        if not names:
            return None
        decoded = path.decoded
        at = decoded.find(b"/", 1)
        while 0 < at <= path.slash_at:
            following = decoded.find(b"/", at + 1)
            handles = names.get(decoded[:at])
            if handles is not None and at != path.slash_at:
                handle = decoded[at + 1 : following] if following > 0 else decoded[at + 1 :]
                session = handles.get(handle)
                if session is not None:
                    return session, handle
            at = following
        return None

    def find(self, name: Name, handle: bytes) -> Session | None:
        """The session that accepts this handle now."""
        return self._hosts.get(name[0], {}).get(name[1], {}).get(handle)

    def add(self, session: Session) -> None:
        """A session is live under all its handles from now on."""
        by_handle = self._hosts.setdefault(session.name[0], {}).setdefault(session.name[1], {})
        for handle in session.handles.accepted:
            by_handle[handle] = session
            self.retired.forget(session_key(*session.name, handle))

    def publish(self, session: Session) -> None:
        """Write the accepted handles into the shared table: they survive this process. A handle whose response
        is still on its way counts as lost there, should this process die now (R7)."""
        accepted = tuple(session.handles.accepted)
        keys = tuple(session_key(*session.name, handle) for handle in accepted)
        lost = session.handles.lost or session.handles.issued
        self.table.set_handles(session.slot, accepted, keys, lost)

    def publish_shared(self, slot: int, name: Name) -> None:
        """Write into the shared table that a shared instance of this name lives: other fronts find it (S1)."""
        self.table.set_handles(slot, (b"",), (shared_key(name),), lost=False)

    def replace(self, session: Session, retired: list[bytes], reason: Reason = Reason.REPLACED) -> None:
        """These handles of a living session are not accepted any more (H5)."""
        by_handle = self._hosts[session.name[0]][session.name[1]]
        for handle in retired:
            by_handle.pop(handle, None)
            self.retired.add(session_key(*session.name, handle), reason, session.timeout)

    def remove(self, session: Session, reason: Reason | None) -> None:
        """The session is over: all its handles are retired (R4), or just dropped (`reason` None)."""
        host = self._hosts[session.name[0]]
        by_handle = host[session.name[1]]
        for handle in session.handles.accepted:
            by_handle.pop(handle, None)
            if reason is not None:
                self.retired.add(session_key(*session.name, handle), reason, session.timeout)
        if not by_handle:
            del host[session.name[1]]

    def taken(self, name: Name, handle: bytes) -> bool:
        """Whether a living session of this front accepts the handle (H4)."""
        return self.find(name, handle) is not None
