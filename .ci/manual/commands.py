"""The commands of `gateway` as its argument parser (click) knows them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import NamedTuple

import click

from gateway.cli import main


class Option(NamedTuple):
    """An option: its names, what stands behind it ("" for a flag), what it does."""

    names: tuple[str, ...]
    value: str
    help: str


class Command(NamedTuple):
    """A command: its name, the words behind it as its usage shows them, its text (Markdown), its own options;
    `asks`: it has the `common` options beside them."""

    name: str
    arguments: str
    text: str
    options: tuple[Option, ...]
    asks: bool


def commands() -> Iterator[Command]:
    """Every command, by name."""
    for name, command in sorted(main.commands.items()):
        context = click.Context(command, info_name=name)
        arguments = " ".join(word for word in command.collect_usage_pieces(context) if word != "[OPTIONS]")
        options = tuple(_options(command, context))
        asks = set(common()) <= set(options)
        own = tuple(option for option in options if not asks or option not in common())
        yield Command(name, arguments, _text(command), own, asks)


@functools.cache
def common() -> tuple[Option, ...]:
    """The options by which a command finds the gateway that runs: `status` has no others."""
    status = main.commands["status"]
    return tuple(_options(status, click.Context(status, info_name="status")))


def _text(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def _options(command: click.Command, context: click.Context) -> Iterator[Option]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield _option(parameter, context)


def _option(option: click.Option, context: click.Context) -> Option:
    value = "" if option.is_flag else option.make_metavar(context)
    said = option.help or ""
    if option.show_default:
        said += f" The default is {option.default}."
    if option.required:
        said += " Required."
    return Option(tuple(option.opts), value, said)
