"""gateway.conf(5)."""

from __future__ import annotations

from collections.abc import Iterator

from gateway import __version__
from gateway.directives import reference
from gateway.directives.directive import Container, Control, Directive, Row
from gateway.directives.foreign.ignored import IGNORED
from gateway.directives.foreign.refused import REFUSED
from gateway.directives.steering import ROWS
from manual.roff import blocks, bold, escaped, head, inline

_WHAT = "directives file of the persistent-CGI gateway"
_DESCRIPTION = """\
`gateway serve` reads it; `gateway check` tells every problem in it, `gateway dump` the settings in force, and
`gateway directives NAME` one entry of this page."""
_LEFT_OUT = "Each gets a notice; `gateway directives NAME` tells why."
_REFUSED = """\
What guards something or would be missed, and is not done here; `gateway directives NAME` tells what
to do instead."""
_KINDS: tuple[tuple[str, type[Row]], ...] = (
    ("SETTINGS", Directive),
    ("READING", Control),
    ("SECTIONS", Container),
)


def page() -> str:
    """The whole page."""
    lines = [
        *head("gateway.conf", 5, __version__, _WHAT),
        ".SH DESCRIPTION",
        *blocks(f"{_DESCRIPTION}\n\n{reference.SYNTAX}"),
        *(line for title, kind in _KINDS for line in _entries(title, kind)),
        *_names("ACCEPTED WITHOUT EFFECT", _LEFT_OUT, (name for name, _ in IGNORED.values())),
        *_names("REFUSED", _REFUSED, (one.name for one in REFUSED.values())),
        ".SH SEE ALSO",
        r"\fBgateway\fR(1)",
    ]
    return "\n".join(lines) + "\n"


def _entries(title: str, kind: type[Row]) -> Iterator[str]:
    yield f".SH {title}"
    for _, row in sorted(ROWS.items()):
        if isinstance(row, kind):
            yield from (".TP", bold(reference.usage(row).rstrip()), inline(row.help))
            facts = "; ".join(f"{label}: {value}" for label, value in reference.facts(row))
            yield from (".br", rf"\&{escaped(facts)}")


def _names(title: str, introduction: str, names: Iterator[str]) -> Iterator[str]:
    yield f".SH {title}"
    yield inline(introduction)
    yield from (".PP", escaped(", ".join(sorted(set(names), key=str.lower))))
