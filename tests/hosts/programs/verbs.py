"""The verbs of ../languages.py in Python: a returning program. Globals stay; the block below is the call."""

from __future__ import annotations

import atexit
import importlib
import os
import random
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import TextIO

REVISION = "revision-one"
count, headed = 0, False
fields: list[str] = []
notes: TextIO | None = None


def head() -> None:
    global headed
    if not headed:
        headed = True
        print(*fields, "Content-Type: text/plain", "", sep="\n")


def say(text: str) -> None:
    head()
    print(text)


def env(name: str) -> None:
    say(f"{name}={os.environ[name]}" if name in os.environ else f"{name} is absent")


def write_bytes(*pieces: bytes) -> None:
    head()
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)


def body() -> None:
    while piece := sys.stdin.buffer.read(1 << 16):
        write_bytes(piece)


def run(command: str) -> None:
    flush()
    subprocess.run(command, shell=True)


def flush() -> None:
    head()
    sys.stdout.flush()


def deep(status: int, depth: int = 9) -> None:
    if depth:
        deep(status, depth - 1)
    exit(status)


def die(text: str, depth: int = 9) -> None:
    if depth:
        die(text, depth - 1)
    raise KeyError(text)


def close(descriptor: int) -> None:
    flush()
    os.close(descriptor)


def aside(path: str) -> None:
    flush()
    kept, other = os.dup(1), os.open(path, os.O_WRONLY | os.O_CREAT)
    os.dup2(other, 1)
    print("aside")
    sys.stdout.flush()
    os.dup2(kept, 1)
    os.close(other)
    os.close(kept)


def write_file(path: str) -> None:
    with open(path, "a") as file:
        file.write("cleaned up\n")


def fork() -> None:
    sys.stdout.flush()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        say("parent")
    else:
        say("child")
        sys.exit()


def daemon(path: str) -> None:
    if os.fork():
        return
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    while not os.path.exists(path):
        os.sched_yield()
    sys.exit()


def note(path: str) -> None:
    global notes
    notes = notes or open(path, "a")  # noqa: SIM115
    notes.write(f"note {count}\n")
    notes.flush()


VERBS: dict[str, Callable[[str], object]] = {
    "keep": lambda value: fields.append("Accept-HTSession: " + value),
    "count": lambda _: say(f"count={count} pid={os.getpid()}"),
    "echo": say,
    "env": env,
    "set": lambda value: os.environ.__setitem__(*value.split(":")),
    "environ": lambda _: write_bytes(*(b"%s=%s\n" % pair for pair in os.environb.items())),
    "body": lambda _: body(),
    "line": lambda _: say(sys.stdin.readline().rstrip("\n")),
    "bytes": lambda _: write_bytes(bytes(range(256)), b"\0\0\4\4", b"0" * 32, b"\n"),
    "run": run,
    "flush": lambda _: flush(),
    "exit": lambda value: sys.exit(int(value)),
    "deep": lambda value: deep(int(value)),
    "die": die,
    "warn": lambda value: warnings.warn(value, stacklevel=2),
    "cd": os.chdir,
    "where": lambda _: say("cwd=" + os.getcwd()),
    "umask": lambda value: os.umask(int(value, 8)),
    "ignore": lambda _: signal.signal(signal.SIGUSR1, signal.SIG_IGN),
    "arguments": lambda _: say(f"arguments={len(sys.argv) - 1} {sys.argv[0]}"),
    "close": lambda value: close(int(value)),
    "aside": aside,
    "cleanup": lambda value: atexit.register(write_file, value),
    "fork": lambda _: fork(),
    "daemon": daemon,
    "random": lambda _: say(f"random={random.getrandbits(53)}"),
    "use": lambda value: say(f"{value}={importlib.import_module(value).mark}"),
    "note": note,
    "revision": lambda _: say(REVISION),
}

if __name__ == "__main__":
    count, headed, fields = count + 1, False, []
    for part in filter(None, os.environ["QUERY_STRING"].split("&")):
        verb, _, argument = part.partition("=")
        VERBS[verb](argument.replace("+", " "))
    head()
