"""gateway(1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway import __version__
from manual import texts
from manual.commands import Command, Option, commands, common
from manual.roff import blocks, bold, head, inline, italic, rows

_WHAT = "CGI programs that stay alive between two requests"


def page() -> str:
    """The whole page."""
    lines = [
        *head("gateway", 1, __version__, _WHAT),
        ".SH SYNOPSIS",
        *_synopsis(),
        ".SH DESCRIPTION",
        *blocks(texts.DESCRIPTION),
        ".SH COMMANDS",
        *(line for command in commands() for line in _command(command)),
        ".SS Finding the gateway",
        inline(texts.FINDING),
        *_options(common()),
        *_rows("SIGNALS", "To the keeper, whose number `gateway status` shows.", texts.SIGNALS),
        *_rows("FILES", "", texts.FILES),
        *_rows("ENVIRONMENT", "", texts.ENVIRONMENT),
        *_rows("EXIT STATUS", "", texts.EXIT_STATUS),
        ".SH SEE ALSO",
        r"\fBgateway.conf\fR(5), \fBsystemd.service\fR(5), \fBlogrotate\fR(8)",
    ]
    return "\n".join(lines) + "\n"


def _synopsis() -> Iterator[str]:
    for number, command in enumerate(commands()):
        if number:
            yield ".br"
        yield f"{bold(f'gateway {command.name}')} [\\fIoptions\\fR] {italic(command.arguments)}".removesuffix(
            r" \fI\fR"
        )


def _command(command: Command) -> Iterator[str]:
    yield f".SS gateway {command.name} {inline(command.arguments)}".rstrip()
    yield from blocks(command.text)
    yield from _options(command.options)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        names = ", ".join(map(bold, option.names))
        yield from (".TP", f"{names} {italic(option.value)}" if option.value else names, inline(option.help))


def _rows(title: str, introduction: str, pairs: texts.Rows) -> Iterator[str]:
    yield f".SH {title}"
    if introduction:
        yield inline(introduction)
    yield from rows(pairs)
