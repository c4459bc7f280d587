"""`gateway status`, `sessions`, `show`, `end`, `extend`, `reload`, `stop`, `drain`, `completion`.

Exit status: 0 done; 1 the gateway, or its directives file, says no; 2 no gateway is reached, or bad usage.
"""

from __future__ import annotations

import functools
import json
import os
import signal
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import click
from click.shell_completion import CompletionItem, get_completion_class

from gateway import cli_tables
from gateway.cli_config import CONF_VARIABLE, DEFAULT_CONF, defines_option
from gateway.cli_reload import outcome, reloads
from gateway.cli_watch import watch
from gateway.configuration.load import ConfigurationErrors, load
from gateway.control import client
from gateway.control.place import control_path

COMMAND = "gateway"


class Running(NamedTuple):
    """A gateway that runs: its control socket; `as_json`: for scripts."""

    socket: str
    as_json: bool

    def ask(self, method: str, what: str, **fields: str) -> dict[str, Any]:
        """The answer to one question; the command ends where there is none."""
        try:
            return client.ask(self.socket, method, what, **fields)
        except client.Refused as refusal:
            _fail(str(refusal), 1)
        except client.Unreachable as error:
            _fail(str(error), 2)

    def tell(self, answer: dict[str, Any], text: str) -> None:
        """Print an answer."""
        click.echo(json.dumps(answer, indent=2) if self.as_json else text)

    def signal(self, number: signal.Signals) -> int:
        """Signal the keeper; its pid."""
        try:
            pid = client.keeper(self.socket)
            os.kill(pid, number)
        except (client.Unreachable, OSError) as error:
            _fail(str(error), 2)
        return pid


def _fail(text: str, status: int) -> NoReturn:
    click.echo(text, err=True)
    raise SystemExit(status)


def _found(socket: str | None, conf: str, defines: tuple[str, ...]) -> str:
    """The control socket that is meant. The command ends where there is none."""
    if socket is not None:
        return socket
    try:
        path = control_path(load(conf, defines=defines))
    except ConfigurationErrors as errors:
        others = f"--conf or {CONF_VARIABLE} names another file, --socket the socket itself"
        _fail(f"{errors}\nThe directives file says where the gateway's socket is: {others}.", 2)
    if path is None:
        _fail(f"{conf}: ControlSocket none: this gateway has no control socket", 2)
    return path


def _running(command: Callable[..., None]) -> Callable[..., None]:
    """The options by which a gateway is found."""

    @click.option("--socket", metavar="PATH", type=click.Path(), help="The gateway's control socket.")
    @click.option(
        "--conf",
        metavar="CONF",
        default=DEFAULT_CONF,
        envvar=CONF_VARIABLE,
        type=click.Path(),
        show_default=True,
        help="The directives file that names it.",
    )
    @defines_option
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
    @functools.wraps(command)
    def found(socket: str | None, conf: str, defines: tuple[str, ...], as_json: bool, **others: Any) -> None:
        path = _found(socket, conf, defines)
        command(Running(path, as_json), **others)

    return found


def _ids(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The numbers of living sessions, for the shell."""
    given = context.params
    try:
        conf, defines = given.get("conf") or DEFAULT_CONF, given.get("defines") or ()
        path = given.get("socket") or control_path(load(conf, defines=defines))
        sessions = client.ask(path, "GET", "sessions")["sessions"] if path else []
    except (ConfigurationErrors, client.Unreachable, client.Refused):
        return []
    return [
        CompletionItem(one["id"], help=one["cgi_name"]) for one in sessions if one["id"].startswith(incomplete)
    ]


_id = click.argument("session", metavar="ID", shell_complete=_ids)


@click.command()
@_running
def status(running: Running) -> None:
    """Show processes, sessions, limits and newest endings."""
    answer = running.ask("GET", "status")
    running.tell(answer, cli_tables.status(answer))


@click.command()
@_running
@click.option(
    "--watch", "watching", is_flag=True, help="Draw the list anew every 2 seconds, until q or Ctrl-C."
)
def sessions(running: Running, watching: bool) -> None:
    """List the living sessions."""
    if watching:
        watch(running.socket, running.as_json)
        return
    answer = running.ask("GET", "sessions")
    running.tell(answer, cli_tables.sessions(answer))


@click.command()
@_running
@_id
def show(running: Running, session: str) -> None:
    """Show why a session is alive, or why it ended.

    Of a living one what will end it, and when; of one that is over the reason, the time and what the log said.
    ID is what `gateway sessions` shows, the pid of its process, or a handle or URL as a user sees it.
    """
    answer = running.ask("GET", "session", id=session)
    running.tell(answer, cli_tables.session(answer))


@click.command()
@_running
@_id
def end(running: Running, session: str) -> None:
    """End a session.

    Its program gets end of file, then TERM, then KILL, each after CGIStopGrace. ID as at `gateway show`.
    """
    answer = running.ask("POST", "end", id=session)
    running.tell(answer, f"{answer['id']} is ended: {cli_tables.plain(answer['cgi_name'])} {answer['handle']}")


@click.command()
@_running
@_id
@click.argument("time")
def extend(running: Running, session: str, time: str) -> None:
    """Give a session time.

    It waits for its next request so long from now on (90s, 5m, 1h; a plain number is seconds), at most
    MaxPersistentCGITimeout. ID as at `gateway show`.
    """
    answer = running.ask("POST", "extend", id=session, time=time)
    running.tell(answer, f"{answer['id']} has {cli_tables.span(answer['left'])} left")


@click.command()
@_running
def reload(running: Running) -> None:
    """Have the directives file read anew.

    It is checked first: with a problem nothing changes. Sessions live on. The command waits until a front
    serves with the new settings, or says why none does.
    """
    before = reloads(running.socket)
    pid = running.signal(signal.SIGHUP)
    went = None if before is None else outcome(running.socket, before)
    told = {"keeper": pid, "told": "reload"}
    if went is None:
        running.tell(told, f"The keeper ({pid}) is told to reload; its log says how it went.")
    elif went.done:
        running.tell(told | {"front": went.front}, f"Reloaded: front {went.front} serves.")
    else:
        _fail(f"{went.refusal}\nNot reloaded: the old settings stay.", 1)


@click.command()
@_running
def stop(running: Running) -> None:
    """Stop the gateway in order.

    Running requests may finish within GracefulShutdownTimeout, then every session ends.
    """
    pid = running.signal(signal.SIGTERM)
    running.tell({"keeper": pid, "told": "stop"}, f"The keeper ({pid}) is told to stop.")


@click.command()
@_running
@click.option("--cancel", is_flag=True, help="Let newcomers in again.")
def drain(running: Running, cancel: bool) -> None:
    """Let nobody new in, and stop with the last session.

    What would begin a session or a program gets 503; living sessions and files are served as before.
    """
    answer = running.ask("POST", "drain", on="no" if cancel else "yes")
    if cancel:
        text = "Sessions begin again."
    else:
        text = (
            f"No session begins any more. The gateway stops with the last of {answer['sessions']} living ones."
        )
    running.tell(answer, text)


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, options, files and numbers of sessions. One line loads it into a shell; in the file
    that is named here, into every new one.

    For bash: `source <(gateway completion bash)`, in `~/.bashrc`

    For zsh: `source <(gateway completion zsh)`, in `~/.zshrc` behind `compinit`

    For fish: `gateway completion fish | source`, in `~/.config/fish/config.fish`
    """
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    click.echo(found(root, {}, COMMAND, "_GATEWAY_COMPLETE").source())


COMMANDS = (status, sessions, show, end, extend, reload, stop, drain, completion)
