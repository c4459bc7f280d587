"""From a format to the text of a line: each code becomes a function of the entry, once, when it is loaded."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

from gateway.directives.readers.logformat import Code, Part
from gateway.logs.access import facts
from gateway.logs.access.entry import Entry
from gateway.logs.access.facts import Facts
from gateway.logs.access.moments import moment
from gateway.logs.access.text import escaped
from gateway.protocol.cookies import PREFIX, without_own

Field = Callable[[Entry], str]
NOTHING = "-"
_SCALES = {"": 1, "s": 1, "ms": 1_000, "us": 1_000_000}
_SECRET = (b"authorization", b"proxy-authorization")
_URLS = (b"referer", b"location", b"content-location")


def line(parts: Sequence[Part], known: Facts) -> Callable[[Entry], bytes]:
    """What writes a line in this format."""
    fields = [_conditional(part, known) for part in parts if isinstance(part, Code)]
    frame = "".join("%s" if isinstance(part, Code) else part.replace("%", "%%") for part in parts) + "\n"

    def written(entry: Entry) -> bytes:
        return (frame % tuple([field(entry) for field in fields])).encode("utf-8", "surrogateescape")

    return written


def _conditional(code: Code, known: Facts) -> Field:
    field = _field(code, known)
    if not code.statuses:
        return field
    wanted, unless = code.statuses, code.unless
    return lambda entry: field(entry) if (entry.status in wanted) is not unless else NOTHING


def _shown(value: bytes | None) -> str:
    return NOTHING if value is None else escaped(value)


def _field(code: Code, known: Facts) -> Field:
    """Raises LookupError for a code that `logformat` does not know either."""
    letter, argument, first = code.letter, code.argument, code.first
    named = argument.lower().encode("utf-8", "surrogateescape")
    simple: dict[str, Field] = {
        "A": lambda entry: facts.local(entry)[0],
        "B": lambda entry: str(entry.size),
        "b": lambda entry: str(entry.size) if entry.size else NOTHING,
        "f": lambda entry: _shown(facts.file(entry)),
        "H": lambda entry: escaped(facts.protocol(entry)),
        "I": lambda entry: str(entry.received),
        "k": lambda entry: str(entry.number),
        "m": lambda entry: escaped(facts.request(entry, first).method.encode()),
        "O": lambda entry: str(entry.sent),
        "q": lambda entry: escaped(facts.query(facts.request(entry, first))),
        "r": lambda entry: escaped(known.request_line(entry, first)),
        "R": facts.handler,
        "S": lambda entry: str(entry.received + entry.sent),
        "s": lambda entry: facts.status(entry, first),
        "U": lambda entry: _shown(known.path(entry, first)),
        "u": lambda entry: facts.user(entry, first, escaped),
        "V": lambda entry: escaped(facts.named_host(entry)),
        "v": lambda entry: escaped(facts.server_name(entry)),
        "X": facts.end,
        "D": lambda entry: str(int(entry.seconds * 1_000_000)),
        "T": lambda entry: str(int(entry.seconds * _SCALES[argument])),
        "a": facts.peer if argument == "c" else facts.client,
        "h": facts.peer if argument == "c" else facts.client,
        "p": lambda entry: facts.port(entry, argument),
        "P": _process(argument),
        "t": _time(argument),
        "i": lambda entry: _shown(_header(known, entry, entry.record.request.headers, named)),
        "o": lambda entry: _shown(_header(known, entry, entry.headers, named)),
        "C": lambda entry: _shown(facts.cookie(entry, argument.encode("utf-8", "surrogateescape"))),
        "e": lambda entry: _shown(facts.variable(entry, argument)),
        "x": _x(argument, known),
    }
    return simple.get(letter, lambda entry: NOTHING)


def _header(known: Facts, entry: Entry, headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """A header, repeated ones joined; handles in URLs masked, credentials cut down to their scheme,
    the gateway's own cookies left out (W2)."""
    values = [value for key, value in headers if key == name]
    if name == b"cookie":
        values = list(filter(None, map(without_own, values)))
    elif name == b"set-cookie":
        values = [value for value in values if not value.startswith(PREFIX)]
    if not values:
        return None
    if name in _SECRET:
        return values[0].partition(b" ")[0] if b" " in values[0] else b"*"
    if name in _URLS:
        values = [known.url(entry, value) for value in values]
    return b", ".join(values)


def _x(name: str, known: Facts) -> Field:
    """`%{…}x`: facts of the session and of the program's time, else of the connection's TLS."""
    own: dict[str, Field] = {
        "HTSESSION": lambda entry: known.session(entry)[0] or NOTHING,
        "HTSESSION_STATE": lambda entry: known.session(entry)[1] or NOTHING,
        "HTSESSION_REQUEST": lambda entry: _number(facts.number(entry)),
        "PROGRAM_TIME": lambda entry: _number(facts.program_time(entry)),
        "QUEUE_TIME": lambda entry: _number(facts.queue_time(entry)),
    }
    return own.get(name, lambda entry: facts.tls(entry, name))


def _number(value: int | None) -> str:
    return NOTHING if value is None else str(value)


def _time(argument: str) -> Field:
    at_end, form = argument.startswith("end:"), argument.removeprefix("begin:").removeprefix("end:")
    text = moment(form)
    if at_end:
        return lambda entry: text(entry.started + entry.seconds)
    return lambda entry: text(entry.started)


def _process(argument: str) -> Field:
    numbers = {"tid": threading.get_native_id, "hextid": threading.get_native_id}
    form = "%x" if argument == "hextid" else "%d"
    number = _once(numbers.get(argument, os.getpid))
    return lambda entry: form % number()


def _once(ask: Callable[[], int]) -> Callable[[], int]:
    return lru_cache(maxsize=1)(ask)
