"""The names of handlers in files: those that do something here, those that may stand, those that may not.

`PAGES` are answers of the gateway's own at any URL (SetHandler); to the files of an extension they are nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown, suggestion
from gateway.directives.readers.values import only

HANDLERS = ("cgi-script",)
PAGES = STATUS, METRICS, HEALTH, READY = ("server-status", "server-metrics", "server-health", "server-ready")
IDLE = (
    "balancer-manager",
    "default-handler",
    "ldap-status",
    "server-info",
    "type-map",
)
_SOURCE = "files that are sent as they are (their source would be shown): run them as CGI programs, cgi-script"
_FOREIGN = ("php", "application/x-httpd-php", "proxy:", "fcgi", "fastcgi", "wsgi", "server-parsed", "jakarta")


def handler(word: str) -> str:
    """A handler's name in lower case. Raises Malformed."""
    name = word.lower()
    if name in HANDLERS or name in PAGES or name in IDLE:
        return name
    if name.startswith(_FOREIGN):
        raise Malformed(f"a handler of this gateway; without this one they are {_SOURCE}", shown([word]))
    known = (*HANDLERS, *PAGES, *IDLE)
    raise Malformed(f"one of {', '.join((*HANDLERS, *PAGES))}", shown([word]) + suggestion(word, known))


class HandlerChoice(NamedTuple):
    """A handler for all URLs of a place, or None."""

    syntax: str = "|".join((*HANDLERS, *PAGES, "None"))

    def read(self, words: Words, root: str) -> str | None:
        """The name in lower case, or None."""
        word = only(words, self.syntax)
        return None if word.lower() == "none" else handler(word)

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word."""
        return [[value or "None"]]


def remarks(value: str | Mapping[str, str | None] | None) -> Iterator[str]:
    """Which handlers do nothing."""
    names, idle = (value.values(), IDLE + PAGES) if isinstance(value, Mapping) else ([value], IDLE)
    for name in dict.fromkeys(name for name in names if name in idle):
        yield f"the handler {name} has no effect here: its files are sent as they are"
