"""What a program's output says, event by event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.protocol.conditions import Validators


class Advice(NamedTuple):
    """The gateway headers of one response (H1, H6, H7), read but not judged.

    `handle` and `timeout` are trimmed raw values. `timeout` is None unless an Accept-HTSession precedes it.
    `complaints` are texts for HTS010.
    """

    handle: bytes | None = None
    timeout: bytes | None = None
    complaints: tuple[str, ...] = ()


class Head(NamedTuple):
    """The header block of a response (RFC 3875, section 6.3).

    `headers` have lower-case names, without Status, gateway headers, hop-by-hop headers, Date and Server.
    `location` is the client's Location (also in `headers`); `local_redirect` is one for the server and is
    not in `headers` (section 6.2.2); at most one of the two is set. `content_length` is in `headers` too.
    `stated`: the program named the status; `validators`: what makes a response of status 200 conditional.
    Heads are shared between responses that begin with the same bytes: nothing in one may be changed.
    """

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    location: bytes | None
    local_redirect: bytes | None
    content_length: int | None
    advice: Advice
    stated: bool = False
    validators: Validators | None = None


@dataclass(slots=True)
class Data:
    """A piece of the body, never empty."""

    data: bytes


@dataclass(slots=True)
class End:
    """The response is complete: by the end mark (P1), or by end of file (P2).

    `excess`: bytes followed the mark in the same read (P5).
    """

    marked: bool
    excess: bool = False


class Invalid(NamedTuple):
    """The output breaks RFC 3875, section 6, or P4. It is the last event; `reason` is a text for the log."""

    reason: str
    after_head: bool


Event = Head | Data | End | Invalid
