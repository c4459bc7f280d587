"""`gateway check`, `gateway directives`, `gateway dump`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

import click

from gateway.configuration import Configuration, ConfigurationErrors, load
from gateway.directives import reference, report

DEFAULT_CONF = "conf/gateway.conf"
REFERENCE_FILE = "docs/directives.md"

_conf = click.argument("conf", default=DEFAULT_CONF)
_defines = click.option(
    "-D", "defines", metavar="NAME[=VALUE]", multiple=True, help="Define a name, as Define does."
)


def read_or_exit(conf: str, defines: tuple[str, ...] = ()) -> Configuration:
    """The configuration; problems go to standard error and end the command with status 1."""
    try:
        return load(conf, defines=defines)
    except ConfigurationErrors as errors:
        for problem in errors.problems:
            click.echo(str(problem), err=True)
        raise SystemExit(1) from None


def _with_conf(command: Callable[..., Any]) -> Callable[..., Any]:
    return _conf(_defines(command))


@click.command()
@_with_conf
def check(conf: str, defines: tuple[str, ...]) -> None:
    """Check a directives file: every problem, notices, and what would be served."""
    configuration = read_or_exit(conf, defines)
    for notice in configuration.notices:
        click.echo(str(notice))
    click.echo(f"{conf}: no problems")
    for line in report.summary(configuration):
        click.echo(line)


@click.command()
@_with_conf
def dump(conf: str, defines: tuple[str, ...]) -> None:
    """Print the effective settings, each with its origin."""
    for line in report.dump(read_or_exit(conf, defines)):
        click.echo(line)


@click.command()
@click.argument("name", required=False)
@click.option(
    "--markdown",
    type=click.File("w", encoding="utf-8"),
    is_flag=False,
    flag_value=REFERENCE_FILE,
    help=f"Write the whole reference to a file ({REFERENCE_FILE}; - is standard output).",
)
def directives(name: str | None, markdown: TextIO | None) -> None:
    """Print the reference: all directives, or one."""
    if markdown is not None:
        markdown.write(reference.markdown())
        return
    entry = reference.text(name) if name else reference.overview()
    if entry is None:
        raise click.ClickException(f"expected a known directive, found {name}{reference.hint(name or '')}")
    click.echo(entry)
