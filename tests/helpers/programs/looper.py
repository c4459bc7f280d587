"""A looping program whose visitor says what it does: verb = query string, argument = X-Argument."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.helpers import htsession
else:
    sys.path.append(os.environ.get("HTSESSION_LIB", ""))
    import htsession

calls = 0


def argument() -> str:
    return os.environ["HTTP_X_ARGUMENT"]


def echo() -> None:
    shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)


def echo_descriptor() -> None:
    while part := os.read(0, 1 << 16):
        sys.stdout.buffer.write(part)


def child() -> None:
    print("<", end="", flush=True)
    subprocess.run(["cat"], check=True)
    print(">", end="")


def variables() -> None:
    for name in argument().encode().split(b","):
        value = os.environb.get(name)
        sys.stdout.buffer.write(b"-\0" if value is None else b"+" + value + b"\0")


def fork() -> None:
    pid = os.fork()
    if pid == 0:
        if htsession.accept():
            print("never", flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    print("parent", end="")


def nested() -> None:
    again = {**os.environ, "QUERY_STRING": "count"}
    subprocess.run([sys.executable, __file__], env=again, close_fds=False, check=True)


def close() -> None:
    print("closed", end="", flush=True)
    for descriptor in range(3):
        os.close(descriptor)


def redirect() -> None:
    file = os.open(argument(), os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.close(file)
    print("to the file")


def set_mine() -> None:
    os.environ["MINE"] = argument()


def catch() -> None:
    signal.signal(signal.SIGUSR1, lambda *_: None)


VERBS: dict[str, Callable[[], object]] = {
    "count": lambda: print(calls, end=""),
    "echo": echo,
    "echo-descriptor": echo_descriptor,
    "line": lambda: print(sys.stdin.readline(), end=""),
    "ignore": lambda: print("done", end=""),
    "child": child,
    "variables": variables,
    "prefix": lambda: print(sum(name.startswith(argument()) for name in os.environ), end=""),
    "set": set_mine,
    "handle": lambda: print(htsession.handle(), end=""),
    "fork": fork,
    "nested": nested,
    "descriptors": lambda: print(len(os.listdir("/proc/self/fd")), end=""),
    "close": close,
    "redirect": redirect,
    "almost": lambda: print(f"\4{os.environ['HTSESSION_END']}.\4", end=""),
    "warn": lambda: print(argument(), file=sys.stderr),
    "exit": lambda: (print("page", end=""), sys.exit(3)),
    "catch": catch,
}

if "MINE" not in os.environ:
    os.environ["MINE"] = "before the loop"
while htsession.accept():
    calls += 1
    VERBS[os.environ.get("QUERY_STRING") or "count"]()
print("bye", file=sys.stderr)
