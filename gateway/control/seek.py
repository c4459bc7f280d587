"""Which session somebody means: by its number, its process, its handle, or a URL; living or over."""

import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from gateway.configuration.load import Configuration
from gateway.control.facts import living
from gateway.keeper.reasons import Reason
from gateway.keeper.table import Entry, session_key
from gateway.program import Name
from gateway.protocol.paths import Path, parse_path
from gateway.sessions.handle import HandleMint, is_valid, mask
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.sessions.tally import Ending
from gateway.web.retired import RetiredHandle

_NUMBERS: tuple[Callable[[Session], str], ...] = (
    lambda one: one.id,
    lambda one: str(one.instance.id),
    lambda one: str(one.instance.pid),
)
_DEEPEST = 16  # segments of a path that are looked at
_AT_ONCE = 2.0  # seconds between a handle's retirement and its session's entry in the tally


class Refusal(Exception):
    """What was asked cannot be; `status` of the answer, and a text for people."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class Over(NamedTuple):
    """A session that is over, as its user's 410 page tells it (R4): `story` for people; `at` in seconds since
    1970, `ended` the same as text, None when nothing but the handle's own mark is known (H11); `ending` as the
    log has it, None when it was not among the newest. `replaced`: the session went on under a newer handle."""

    reason: str
    at: float | None
    ended: str | None
    story: list[str]
    ending: Ending | None
    replaced: bool = False


class Seeker:
    """Looks among the sessions of this front, and in the memory of retired handles."""

    def __init__(self, configuration: Configuration, registry: Registry, mint: HandleMint) -> None:
        self._configuration, self._registry, self._mint = configuration, registry, mint

    def living(self, wanted: str) -> Session:
        """The living session that is meant. Raises Refusal."""
        found = self.find(wanted)
        if isinstance(found, Session):
            return found
        older = "this handle is an older one of a session that went on"
        text = f"{older if found.replaced else f'{_shown(wanted)} is over'}: {found.reason}"
        raise Refusal(404, f"{text}, at {found.ended}" if found.ended else text)

    def find(self, wanted: str) -> Session | Over:
        """What is meant: `7`, `7.16384` or a pid; a handle; a path or URL with one. Raises Refusal."""
        if "/" in wanted:
            found = self._by_url(wanted)
        else:
            number = self._by_number(wanted) if _is_number(wanted) else None
            found = number or self._by_handle(unquote_to_bytes(wanted))
        if found is None:
            raise _unknown(wanted)
        return found

    def _by_number(self, wanted: str) -> Session | Over | None:
        sessions = list(living(self._registry))
        for key in _NUMBERS:
            matching = [one for one in sessions if key(one) == wanted]
            if len(matching) == 1:
                return matching[0]
            if matching:
                raise Refusal(409, f"{wanted} has {len(matching)} sessions, from {matching[0].id} on: name one")
        for ending in reversed(self._registry.tally.recent):
            if ending.id == wanted:
                return _of_ending(ending)
        return None

    def _by_url(self, wanted: str) -> Session | Over | None:
        try:
            url = urlsplit(wanted)
            return self._by_path(url.path, url.hostname)
        except ValueError as error:  # BadPath is one
            raise Refusal(400, f"no URL of a session: {error}") from None

    def _by_path(self, path: str, host: str | None) -> Session | Over | None:
        parsed = parse_path(path.encode())
        for key in self._hosts(host):
            matched = self._registry.store.match(key, parsed)
            if matched is not None:
                return matched[0]
        for key in self._hosts(host):
            over = self._over(key, parsed)
            if over is not None:
                return over
        return None

    def _over(self, host: str, path: Path) -> Over | None:
        for cgi_name, segment in list(path.splits())[:_DEEPEST]:
            if is_valid(segment):
                entry = self._retired((host, cgi_name), segment)
                if entry is not None or self._mint.is_ours(segment):
                    return self._told((host, cgi_name), segment, entry)
        return None

    def _by_handle(self, handle: bytes) -> Session | Over | None:
        """A handle alone is looked for under every program that has, or had, sessions."""
        sessions = list(living(self._registry))
        for session in sessions:
            if handle in session.handles.accepted:
                return session
        names = [one.name for one in sessions]
        names += [(one.host, one.cgi_name.encode("latin-1")) for one in self._registry.tally.recent]
        for name in dict.fromkeys(names):
            entry = self._retired(name, handle)
            if entry is not None:
                return self._told(name, handle, entry)
        return self._told(("", b""), handle, None) if self._mint.is_ours(handle) else None

    def _retired(self, name: Name, handle: bytes) -> Entry | None:
        return self._registry.store.retired.find(session_key(*name, handle))

    def _told(self, name: Name, handle: bytes, entry: Entry | None) -> Over:
        page = RetiredHandle(entry, "").page
        at = None if entry is None else time.time() - (time.monotonic() - entry.at)
        replaced = entry is not None and entry.reason == Reason.REPLACED
        ending = None if at is None or replaced else self._ending(name, handle, at)
        story = [page.heading, *page.paragraphs]
        return Over(page.facts["reason"], at, page.facts.get("ended"), story, ending, replaced)

    def _ending(self, name: Name, handle: bytes, at: float) -> Ending | None:
        """What the log said; of several whose masked handles are the same, the nearest in time."""
        same = [
            one
            for one in self._registry.tally.recent
            if (one.host, one.cgi_name.encode("latin-1"), one.handle) == (*name, mask(handle))
        ]
        nearest = min(same, key=lambda one: abs(one.at - at), default=None)
        return nearest if nearest is not None and abs(nearest.at - at) < _AT_ONCE else None

    def _hosts(self, name: str | None) -> list[str]:
        """The keys of the (virtual) hosts that a URL can mean; those that have this name first."""
        configuration = self._configuration
        hosts = [configuration.server, *configuration.hosts]
        return [one.key for one in sorted(hosts, key=lambda one: name is None or not one.answers_to(name))]


def _is_number(wanted: str) -> bool:
    return wanted.isascii() and wanted.replace(".", "", 1).isdecimal()


def _shown(wanted: str) -> str:
    """What somebody named, in a text: a handle in it is not repeated."""
    return wanted if _is_number(wanted) else "this session"


def _of_ending(ending: Ending) -> Over:
    at = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(ending.at))
    return Over(ending.reason, ending.at, at, [], ending)


def _unknown(wanted: str) -> Refusal:
    text = f"no session is known as {wanted}" if _is_number(wanted) else "no such session is known (any more)"
    return Refusal(404, text)
