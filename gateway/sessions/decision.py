"""What a response asks for, judged: is its handle honoured, and for how long (pure; H3 to H9, R3, L1, L3)."""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from gateway.program import Limits
from gateway.protocol.events import Advice
from gateway.protocol.head import parse_minutes
from gateway.sessions.handle import is_valid


class Outcome(Enum):
    """KEEP: the session lives on; PLAIN: nothing was asked for; the others end the instance.

    REFUSED and LIMIT are logged; END is a normal end by the program (H7 0, H8); UNWANTED is L3.
    """

    KEEP = auto()
    PLAIN = auto()
    END = auto()
    REFUSED = auto()
    LIMIT = auto()
    UNWANTED = auto()


class Asked(NamedTuple):
    """`timeout` in seconds; `log` is the message with its HTS id, empty when there is nothing to say;
    `advice` are HTS008 and HTS010 texts; `limit` is the directive whose limit is reached, with LIMIT."""

    outcome: Outcome
    handle: bytes
    timeout: float
    log: str
    advice: tuple[str, ...]
    limit: str = ""


def ask(
    advice: Advice,
    limits: Limits,
    *,
    own: tuple[bytes, ...] | None,
    segment: bytes,
    taken: Callable[[bytes], bool],
    full: Callable[[], bool],
    never_kept: bool,
    nph: bool = False,
    limit: str = "MaxPersistentCGI",
) -> Asked:
    """Judge one response. `own`: the accepted handles of the session that asks, None for a first response.

    `segment`: the first segment of a first request's path info (R3); `taken`: whether another session has
    a handle (H4); `full`: whether `limit` is reached (L1, S5); `never_kept`: HEAD (L3); `nph`: H10.
    """
    timeout, complaints = _timeout(advice, limits)
    handle = advice.handle

    def asked(outcome: Outcome, log: str = "") -> Asked:
        return Asked(outcome, handle or b"", timeout, log, complaints)

    if handle is None:
        return asked(Outcome.PLAIN) if own is None else asked(Outcome.END, "HTS006 ended by the program")
    if not is_valid(handle):
        return asked(Outcome.REFUSED, "HTS004 not a handle (H3)")
    if own is None and handle == segment:
        return asked(Outcome.REFUSED, "HTS004 the handle of its own URL (R3)")
    if nph:
        return Asked(
            Outcome.UNWANTED, handle, timeout, "", (*complaints, "HTS010 an NPH program cannot persist")
        )
    if own is None and never_kept:
        return asked(Outcome.UNWANTED)
    if own is None or handle not in own:
        if taken(handle):
            return asked(Outcome.REFUSED, "HTS001 the handle is not unique")
        if own is None and full():
            return asked(Outcome.LIMIT, f"HTS003 {limit} is reached")._replace(limit=limit)
    if timeout == 0:
        return asked(Outcome.END, "HTS006 ended by the program (HTTimeout 0)")
    return asked(Outcome.KEEP)


def _timeout(advice: Advice, limits: Limits) -> tuple[float, tuple[str, ...]]:
    """The session's time (H7), and what there is to say about the headers."""
    complaints = tuple(f"HTS010 {text}" for text in advice.complaints)
    seconds = limits.timeout
    if advice.handle is not None and advice.timeout is not None:
        minutes = parse_minutes(advice.timeout)
        if minutes is None:
            complaints += ("HTS008 HTTimeout is not a whole number of minutes",)
        else:
            seconds = minutes * 60.0
    return min(seconds, limits.max_timeout), complaints
