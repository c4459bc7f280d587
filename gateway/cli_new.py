"""`gateway new`: a ready, commented starter program."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

import click

from gateway import helpers
from gateway.announce import url
from gateway.cli_config import CONF_VARIABLE, DEFAULT_CONF, read_or_exit
from gateway.configuration.load import Configuration
from gateway.directives import table
from gateway.starters import STARTERS, STYLES, Starter
from gateway.starters.names import trouble

DEFAULT_FOLDER = "cgi-bin"
# a file name, and a name of COBOL (31 characters, not at the end a hyphen)
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9_-]{0,29}[A-Za-z0-9])?")


class _Place(NamedTuple):
    """Where the program goes: its folder, and that one's URL path (empty: no ScriptAlias leads there)."""

    folder: str
    alias: str


@click.command()
@click.argument("name")
@click.option("--language", type=click.Choice(list(STARTERS)), required=True, help="What it is written in.")
@click.option(
    "--style",
    type=click.Choice(STYLES),
    help="returning: a host calls it again (default where there is one); looping: it asks for its next request "
    "itself; plain: it answers one.",
)
@click.option(
    "--directory",
    metavar="FOLDER",
    type=click.Path(),
    help="Where to write it [default: the ScriptAlias of --conf].",
)
@click.option(
    "--conf",
    metavar="CONF",
    envvar=CONF_VARIABLE,
    type=click.Path(),
    help=f"The directives file that it will run under [{DEFAULT_CONF}].",
)
def new(name: str, language: str, style: str | None, directory: str | None, conf: str | None) -> None:
    """Write a commented starter program.

    It becomes NAME with its extension in cgi-bin, and the answer says how to build and open it.
    """
    starter = _starter(language, style)
    if not _NAME.fullmatch(name):
        wanted = "1 to 31 letters, digits, - and _, a letter first (the extension is added)"
        raise click.ClickException(f"expected a name of {wanted}, found {name!r}")
    if why := trouble(language, name):
        raise click.ClickException(f"expected another name, found {name!r}: {why}")
    if conf is None and os.path.exists(DEFAULT_CONF):
        conf = DEFAULT_CONF
    configuration = None if conf is None else read_or_exit(conf)
    place = _place(configuration, directory)
    path = os.path.join(place.folder, name + starter.source)
    program = os.path.join(place.folder, name + starter.program)
    _refuse_what_is_there(path, program)
    _write(path, starter.text(name), executable=path == program)
    click.echo(f"written: {path}")
    for line in _what_to_do(starter, path, program, place, configuration):
        click.echo(line)


def _starter(language: str, style: str | None) -> Starter:
    found = STARTERS[language]
    if style is None:
        return next(iter(found.values()))
    if style not in found:
        raise click.ClickException(f"expected --style {' or '.join(found)} for {language}, found {style}")
    return found[style]


def _place(configuration: Configuration | None, directory: str | None) -> _Place:
    """Raises ClickException: there is no such folder."""
    aliases = [] if configuration is None else _aliases(configuration)
    if directory is not None:
        real = os.path.realpath(directory)
        alias = next((alias for alias, target in aliases if os.path.realpath(target) == real), "")
        place = _Place(directory, alias)
    elif configuration is None:
        place = _Place(DEFAULT_FOLDER, "")
    elif aliases:
        place = _Place(_short(aliases[0][1]), aliases[0][0])
    else:
        found = f"found neither in {configuration.path}"
        raise click.ClickException(f"expected a ScriptAlias that names a folder, or --directory: {found}")
    if not os.path.isdir(place.folder):
        raise click.ClickException(f"expected a folder to write into, found none at {place.folder}")
    return place


def _aliases(configuration: Configuration) -> list[tuple[str, str]]:
    """ScriptAlias of the main server: URL path and folder."""
    named = configuration.server.settings[table.ScriptAlias]
    return [(alias, target) for alias, target in named if not os.path.isfile(target)]


def _short(path: str) -> str:
    """Relative to the present folder where it lies below it."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def _refuse_what_is_there(*paths: str) -> None:
    for path in paths:
        if os.path.lexists(path):
            raise click.ClickException(f"expected a new name, found {path}: nothing is overwritten")


def _write(path: str, text: str, *, executable: bool) -> None:
    mode = 0o777 if executable else 0o666  # the umask decides the rest
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise click.ClickException(f"expected to write {path}, found: {error.strerror}") from None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _what_to_do(
    starter: Starter, path: str, program: str, place: _Place, configuration: Configuration | None
) -> Iterator[str]:
    if starter.build:
        words = {"source": path, "program": program, "helpers": helpers.FOLDER}
        filled = starter.build.format(**{key: shlex.quote(word) for key, word in words.items()})
        yield f"build:   {filled}"
    where = "the directives file" if configuration is None else configuration.path
    base = place.alias.rstrip("/")
    if not place.alias:
        base = f"/{os.path.basename(os.path.abspath(place.folder))}"
        yield f"add to {where}: ScriptAlias {base}/ {os.path.abspath(place.folder)}/"
    address = f"{base}/{quote(os.path.basename(program))}"
    if starter.host and starter.host != _host_of(configuration, address, program):
        yield f"add to {where}: CGIActivationGroup {starter.host} {starter.program}"
    yield f"open:    {_origin(configuration)}{address}"


def _host_of(configuration: Configuration | None, address: str, program: str) -> str | None:
    """The kind of host that would run the program at this URL path; None without one."""
    if configuration is None:
        return None
    settings = configuration.server.lookup(address, os.path.abspath(program))
    choice = settings[table.CGIActivationGroup].get(os.path.splitext(program)[1])
    return None if choice is None else choice.kind


def _origin(configuration: Configuration | None) -> str:
    if configuration is None or not configuration.listeners:
        return ""
    return url(configuration.listeners[0]).rstrip("/")
