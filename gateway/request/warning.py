"""PersistentCGIWarning: HTML pages of sessions get a script that warns before the end, and offers to stay.

The script asks at the session's own URL, by POST with the header X-HTSession-Stay (`look` or `stay`), which no
page of another origin can send unasked; the gateway answers itself, with the seconds that are left in
X-HTSession-Left.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote_from_bytes

from gateway.errors import Forbidden
from gateway.protocol.environ import Request
from gateway.protocol.events import Head
from gateway.request.incoming import Send
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session

_ASKS, _SITE, _DEST, _HTML = b"x-htsession-stay", b"sec-fetch-site", b"sec-fetch-dest", b"text/html"
_PAGES = (b"document", b"frame", b"iframe")  # else a script of a page asks, and a part of one is the answer
_END = b"</body>"
_LONGEST = 10 * 365 * 86400.0  # seconds: a session that never ends needs no warning
_SCRIPT = (Path(__file__).parents[1] / "web" / "templates" / "warning.html").read_text()
Headers = Sequence[tuple[bytes, bytes]]


def wish_of(request: Request) -> bytes | None:
    """What the script asks for; None: the request is for the program. Raises Forbidden for other origins."""
    if request.method != "POST":
        return None
    headers = dict(request.headers)
    wish = headers.get(_ASKS)
    if wish not in (b"look", b"stay"):
        return None
    if headers.get(_SITE, b"same-origin") != b"same-origin":
        raise Forbidden("a page of another origin asks for a session to stay")
    return wish


def left(registry: Registry, session: Session, wish: bytes) -> float:
    """The seconds until the session ends; with `stay` its clock begins anew first, within
    MaxPersistentCGITimeout since the program was called last."""
    if session.called:
        return session.timeout
    now = time.monotonic()
    until = min(now + session.timeout, session.rested + session.program.limits.max_timeout)
    if wish == b"stay" and until > session.deadline > now:
        registry.prolong(session, until - now)
    return max(0.0, session.deadline - time.monotonic())


async def answer(send: Send, seconds: float) -> None:
    """Tell the script how many seconds are left."""
    headers = [(b"x-htsession-left", b"%.3f" % seconds), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class Insertion:
    """The script on its way into one page: before `</body>` where that comes in one piece, else at the end."""

    def __init__(self, script: bytes) -> None:
        self._script = script

    def into(self, body: bytes, *, last: bool) -> bytes:
        """The next piece of the page."""
        script = self._script
        if not script:
            return body
        at = body.lower().rfind(_END)
        if at < 0 and not last:
            return body
        self._script = b""
        return body + script if at < 0 else body[:at] + script + body[at:]


def insertion(session: Session, warning: float, head: Head, request: Request) -> Insertion | None:
    """What goes into a response that keeps this session; None: it is not an HTML page that can be changed, or
    none that the browser shows by itself (Sec-Fetch-Dest of Fetch Metadata, W3C)."""
    if not _shows_page(head.status) or session.timeout > _LONGEST:
        return None
    if dict(request.headers).get(_DEST, b"document") not in _PAGES:
        return None
    headers = dict(head.headers)
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != _HTML or b"content-encoding" in headers:
        return None
    url = f"{quote_from_bytes(session.name[1])}/{quote_from_bytes(session.handles.current)}"
    values = {
        "url": escape(url),
        "left": f"{session.timeout:g}",
        "warning": f"{min(warning, session.timeout / 2):g}",
    }
    script = _SCRIPT
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    return Insertion(script.encode("ascii"))


def _shows_page(status: int) -> bool:
    """Whether a browser shows such a response whole: it follows redirects, and puts parts together."""
    return status in (200, 201, 202, 203) or status >= 400


def lengthened(headers: Headers, length: int | None) -> list[tuple[bytes, bytes]]:
    """The headers of a page that gets longer; its length is None when it is not known yet."""
    others = [pair for pair in headers if pair[0] != b"content-length"]
    return others if length is None else [*others, (b"content-length", b"%d" % length)]
