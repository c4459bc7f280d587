"""`gateway completion`: the real shells, typed into."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.blackbox.commands import DIRECTIVES, ENVIRONMENT, Begun
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.blackbox.terminal import Terminal

pytestmark = pytest.mark.running

# shell -> how it is started without anybody's settings, what loads the completion
SHELLS = {
    "bash": (["bash", "--norc"], "source <(gateway completion bash)"),
    "zsh": (["zsh", "-f"], "autoload -U compinit; compinit -D -u; source <(gateway completion zsh)"),
    "fish": (["fish", "--no-config"], "gateway completion fish | source"),
}
_ANEW = "\x15"  # Ctrl-U: what stands in the line is gone


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    """With one session: its number is the only one that can be meant."""
    gateway = serve(DIRECTIVES)
    Begun(gateway)
    return gateway


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(name)) for name in SHELLS])
def shell(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[Terminal]:
    command, load = SHELLS[request.param]
    commands = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    more = {"PATH": commands, "TERM": "xterm", "HOME": str(gateway.folder), "HISTFILE": "", "LC_ALL": "C.UTF-8"}
    terminal = Terminal(command, ENVIRONMENT | more, gateway.conf.parent)
    terminal.type(f"{load}; echo it is load''ed\r")
    terminal.until("it is loaded")
    yield terminal
    terminal.close()


def test_a_shell_completes_commands_files_and_numbers_of_sessions(shell: Terminal, gateway: Gateway) -> None:
    shell.type("gateway comp\tba\t\r")
    shell.until("_GATEWAY_COMPLETE")
    shell.type(f"gateway show --conf {gateway.conf.name[:-3]}\t\t\r")
    shell.until("alive because")
    shell.type(f"{_ANEW}gateway check {gateway.conf.name[:-3]}\t\r")
    shell.until("no problems")
