"""Answers of the gateway's own: HTML, plain text or JSON by Accept; small, self-contained, never stderr."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from gateway.directives.readers.redirects import Document
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from jinja2 import Template

_HTML, _JSON, _TEXT = "text/html", "application/json", "text/plain"
_REMEMBERED = 64  # whoever asks for much that is refused gets the same answers


class Page(NamedTuple):
    """What an answer says. `kept` is a list of short lines, `link` where to go on, `facts` more JSON keys."""

    status: int
    title: str
    heading: str
    paragraphs: Sequence[str] = ()
    kept: Sequence[str] = ()
    link: str = ""
    link_text: str = ""
    facts: Mapping[str, Any] = MappingProxyType({})


@cache
def template() -> Template:
    """The template of the HTML pages, loaded with the first one, as a front without any starts a tenth sooner;
    or before the front becomes another user, while its files may be read."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("gateway.web")
    return Environment(loader=loader, autoescape=True, keep_trailing_newline=True).get_template("error.html")


def of_error(error: GatewayError) -> Page:
    """The page of an error without more to say."""
    link, link_text = error.link
    return Page(error.status, error.title, error.text, link=link, link_text=link_text)


def of_document(document: Document, status: int, headers: Iterable[tuple[bytes, bytes]]) -> Response:
    """What ErrorDocument says itself: a text, or the way to a URL."""
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    fields.setdefault("cache-control", "no-store")
    if document.kind == "url":
        return Response(status_code=302, headers=fields | {"location": document.value})
    return HTMLResponse(document.value.encode("utf-8", "surrogateescape"), status, fields)


def render(page: Page, accept: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> Response:
    """The page in the form that the Accept header prefers; as text when no file can be opened for the HTML."""
    kind = preferred(accept)
    html = _html(page) if kind == _HTML else None
    fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    fields.setdefault("cache-control", "no-store")
    if kind == _JSON:
        body = {"status": page.status, "title": page.title, "message": page.heading, **page.facts}
        if page.link:
            body["link"] = page.link
        return JSONResponse(body, page.status, fields)
    if html is None:
        lines = [f"{page.status} {page.title}", "", page.heading, *page.paragraphs]
        lines += [f"- {line}" for line in page.kept]
        lines += [f"{page.link_text}: {page.link}"] if page.link else []
        return PlainTextResponse("\n".join(lines) + "\n", page.status, fields)
    fields["content-security-policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return HTMLResponse(html, page.status, fields)


def _html(page: Page) -> str | None:
    try:
        template()
    except OSError:
        return None
    return _rendered(*page[:3], tuple(page.paragraphs), tuple(page.kept), page.link, page.link_text)


@lru_cache(_REMEMBERED)
def _rendered(*shown: Any) -> str:
    """The HTML page; `shown` are the fields of a Page, without `facts`."""
    return template().render(dict(zip(Page._fields, shown, strict=False)))


@lru_cache(_REMEMBERED)
def preferred(accept: str) -> str:
    """The best of the three kinds by quality, then by precision (RFC 9110, section 12.5.1); HTML for ties."""
    qualities = {kind: _quality(kind, accept) for kind in (_HTML, _TEXT, _JSON)}
    best = max(qualities.values())
    return next(kind for kind, quality in qualities.items() if quality == best)


def _quality(kind: str, accept: str) -> tuple[float, int]:
    found = (0.0, -1)
    for item in accept.lower().split(",") if accept.strip() else ["*/*"]:
        name, *parameters = (part.strip() for part in item.split(";"))
        ranges = {kind: 2, kind.partition("/")[0] + "/*": 1, "*/*": 0}
        if ranges.get(name, -1) > found[1]:
            quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
            found = (_number(quality), ranges[name])
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
