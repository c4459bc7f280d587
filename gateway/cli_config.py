"""`gateway check`, `gateway directives`, `gateway dump`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO

import click

from gateway.configuration.accounts import runs_as_root
from gateway.configuration.load import Configuration, ConfigurationErrors, load
from gateway.directives import reference, report

DEFAULT_CONF = "conf/gateway.conf"
CONF_VARIABLE = "GATEWAY_CONF"  # the environment's, where the command names no directives file
REFERENCE_FILE = "docs/directives.md"

conf_argument = click.argument("conf", default=DEFAULT_CONF, envvar=CONF_VARIABLE, type=click.Path())
defines_option = click.option(
    "-D", "--define", "defines", metavar="NAME[=VALUE]", multiple=True,
    help="Define a name, as Define in the file does.",
)  # fmt: skip


def read_or_exit(conf: str, defines: tuple[str, ...] = (), *, notices: bool = False) -> Configuration:
    """The configuration; problems go to standard error, `notices` behind them, and the command ends with 1."""
    try:
        return load(conf, defines=defines)
    except ConfigurationErrors as errors:
        for line in (*errors.problems, *(report.noted(errors.notices) if notices else ())):
            click.echo(str(line), err=True)
        raise SystemExit(1) from None


def _with_conf(command: Callable[..., Any]) -> Callable[..., Any]:
    return conf_argument(defines_option(command))


@click.command()
@_with_conf
@click.option("--strict", is_flag=True, help="Exit with 1 for notices too.")
def check(conf: str, defines: tuple[str, ...], strict: bool) -> None:
    """Check a directives file.

    Tells every problem with its line, what is ignored and why, and what would be served; nothing is started.

    The exit status is 0, or 1 if there are problems, and with `--strict` if there are notices.
    """
    configuration = read_or_exit(conf, defines, notices=True)
    as_root = runs_as_root(conf, configuration.server.settings)
    click.echo(f"{conf}: no problems")
    for line in (*report.noted((*configuration.notices, *as_root)), *report.summary(configuration)):
        click.echo(line)
    raise SystemExit(strict and bool(configuration.notices))


@click.command()
@_with_conf
def dump(conf: str, defines: tuple[str, ...]) -> None:
    """Print the settings in force, each with its origin."""
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
    """Print the reference of the directives: all, or one."""
    if markdown is not None:
        markdown.write(reference.markdown())
        return
    entry = reference.text(name) if name else reference.overview()
    if entry is None:
        raise click.ClickException(f"expected a known directive, found {name}{reference.hint(name or '')}")
    click.echo(entry)
