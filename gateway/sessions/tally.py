"""What a front counts, and the sessions that ended in its time: for status page, metrics and accounting."""

import time
from collections import Counter, deque
from collections.abc import Iterable

from gateway.logs.session import Ending as Ending
from gateway.sessions.exchange import Fault
from gateway.sessions.handle import mask
from gateway.sessions.session import Session

KEPT = 200  # endings
_SHORTEST = 4  # bytes of a handle that is looked for in a text


class Tally:
    """`created` sessions; `ended` ones by reason; `refused` ones by the directive whose limit was reached;
    `starts` of processes; `requests` to living sessions; `in_lane`: those of them that the session lane
    answered; `recent`: the newest endings, the newest last."""

    __slots__ = ("created", "ended", "in_lane", "recent", "refused", "requests", "starts")

    def __init__(self) -> None:
        self.created = self.starts = self.requests = self.in_lane = 0
        self.ended: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.recent: deque[Ending] = deque(maxlen=KEPT)

    def begins(self, session: Session, since: float) -> None:
        """A session begins: its first request was handed out at `since` (monotonic)."""
        session.began = time.time() - max(0.0, time.monotonic() - since)
        self.created += 1

    def over(self, session: Session, fault: Fault) -> Ending:
        """A session is over, now."""
        ending = Ending(
            time.time(),
            session.name[0],
            session.name[1].decode("latin-1"),
            mask(session.handles.current),
            _text(session.user or b""),
            fault.reason.word,
            _without(session.handles.accepted, fault.log),
            session.requests,
            session.began,
            session.id,
            session.bytes_in,
            session.bytes_out,
            session.busy,
        )
        self.note(ending)
        return ending

    def note(self, ending: Ending) -> None:
        """An ending, of this front's session or of one whose front drains or is gone."""
        self.ended[ending.reason] += 1
        self.recent.append(ending)

    def inherit(self, endings: Iterable[Ending]) -> None:
        """The newest endings of the fronts before this one, which counts only its own; the newest last."""
        self.recent.extend(endings)


def _without(handles: list[bytes], text: str) -> str:
    """A program's last words may name its handle (W3)."""
    for handle in handles:
        if len(handle) >= _SHORTEST:
            text = text.replace(_text(handle), mask(handle))
    return text


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
