"""The command `gateway`."""

import os
import sys

import click

from gateway import __version__
from gateway.cli_config import check, conf_argument, defines_option, directives, dump
from gateway.cli_control import COMMANDS
from gateway.cli_new import new
from gateway.configuration.accounts import runs_as_root
from gateway.configuration.load import ConfigurationErrors, load
from gateway.control.place import state_directory


@click.group(context_settings={"max_content_width": 100})
@click.version_option(__version__, prog_name="gateway")
def main() -> None:
    """A persistent-CGI gateway: CGI programs that stay alive between two requests.

    `gateway COMMAND --help` tells more of each command.
    """


@main.command()
@conf_argument
@defines_option
def serve(conf: str, defines: tuple[str, ...]) -> None:
    """Start the gateway on a directives file, in the foreground.

    CONF is $GATEWAY_CONF, or conf/gateway.conf, where none is named. Ctrl-C or TERM stops it.
    """
    try:
        configuration = load(conf, defines=defines)
    except ConfigurationErrors as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    as_root = runs_as_root(conf, configuration.server.settings)
    for notice in (*configuration.notices, *as_root):
        click.echo(str(notice), err=True)
    command = [sys.executable, "-m", "gateway.keeper", state_directory(configuration), os.path.abspath(conf)]
    os.execv(sys.executable, [*command, *defines])


main.add_command(check)
main.add_command(directives)
main.add_command(dump)
main.add_command(new)
for _command in COMMANDS:
    main.add_command(_command)
