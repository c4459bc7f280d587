"""`gateway sessions --watch`."""

from __future__ import annotations

import json
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import click

from gateway import cli_tables
from gateway.control import client

EVERY = 2.0  # seconds
_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


def watch(socket: str, as_json: bool) -> None:
    """The living sessions every EVERY seconds: a screen that is drawn anew on a terminal, one table below the
    other elsewhere, one JSON object a line for scripts. Until `q` or Ctrl-C; a gateway that starts anew is
    waited for."""
    screen = sys.stdout.isatty() and not as_json
    try:
        with _keys() as keys:
            if screen:
                click.clear()
            while True:
                text = _page(socket, as_json)
                _draw(text) if screen else click.echo(text)
                if _quits(keys):
                    return
    except KeyboardInterrupt:
        return


def _page(socket: str, as_json: bool) -> str:
    try:
        answer = client.ask(socket, "GET", "sessions")
    except (client.Unreachable, client.Refused) as error:
        return json.dumps({"error": str(error)}) if as_json else f"{error}\n"
    if as_json:
        return json.dumps(answer)
    return f"{time.strftime('%H:%M:%S')}  {cli_tables.sessions(answer)}\n"


def _draw(text: str) -> None:
    _, rows = cli_tables.size()
    lines = text.splitlines()
    if len(lines) >= rows:
        lines = [*lines[: rows - 2], f"… and {len(lines) - rows + 2} more"]
    click.echo(_HOME + "".join(f"{line}{_REST_OF_LINE}\n" for line in lines) + _REST_OF_SCREEN, nl=False)


@contextmanager
def _keys() -> Iterator[int | None]:
    """The terminal's descriptor, its keys read one by one; None where standard input is none."""
    if not sys.stdin.isatty():
        yield None
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield descriptor
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _quits(keys: int | None) -> bool:
    """Wait for the next look; whether `q` was typed, or the terminal is gone."""
    end = time.monotonic() + EVERY
    while (left := end - time.monotonic()) > 0:
        if keys is None:
            time.sleep(left)
        elif select.select([keys], [], [], left)[0] and sys.stdin.read(1) in ("q", "Q", ""):
            return True
    return False
