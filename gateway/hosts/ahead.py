"""What a warm Python host loads ahead of need, and in which order.

What every process uses comes after everything else, into fresh memory, side by side (`pages` says why).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

PRELOAD = "HTSESSION_PRELOAD"  # by SetEnv: more modules, for programs whose imports take long
# What small scripts import; nothing of it starts threads or opens files
SCRIPTS = """
    base64 collections.abc copy datetime email.generator email.message email.parser functools hashlib hmac
    html http.cookies io itertools json linecache locale logging math random re secrets shutil sqlite3
    string tempfile textwrap threading time traceback urllib.parse
""".split()  # noqa: SIM905
# What the modules import that come after this one
HOST = "ast fcntl marshal select signal socket struct types".split()  # noqa: SIM905
# Whose hooks at a fork mend what other threads of the parent may have left; `random` has a reseeder
_ONLY_FOR_THREADS = {"concurrent.futures.thread", "logging", "random", "threading"}
_with_hooks: set[str] = set()
_logging: ModuleType | None = None  # as it was loaded here; a script may have another one
_handlers = 0  # that it makes for itself
_TURNS = 12  # the interpreter chooses its instructions from the eighth call on


def load() -> list[str]:
    """Load all of it; returns the names of the modules that scripts may want to have from elsewhere."""
    register = os.register_at_fork

    def note(**hooks: Callable[[], object]) -> None:
        _with_hooks.add(sys._getframe(1).f_globals.get("__name__", ""))
        register(**hooks)

    os.register_at_fork = note  # type: ignore[assignment]
    try:
        return _load()
    finally:
        os.register_at_fork = register


def is_fork_watched() -> bool:
    """Whether a new process must go through the interpreter's hooks at a fork. Else it must not: what they
    write to would be copied in each process."""
    return not _with_hooks <= _ONLY_FOR_THREADS or len(os.listdir("/proc/self/task")) > 1


def end_logging() -> None:
    """What `logging` does at an exit, where it has something to do."""
    if _logging is not None and len(_logging._handlerList) > _handlers:
        _logging.shutdown()


def _load() -> list[str]:
    global _logging, _handlers
    for name in HOST:
        __import__(name)
    before = set(sys.modules)
    for name in SCRIPTS:
        _want(name)
    with contextlib.suppress(Exception):  # PYTHONPATH has other modules of these names
        for _ in range(_TURNS):
            _use()
    _logging = sys.modules["logging"]
    _handlers = len(_logging._handlerList)
    atexit.unregister(_logging.shutdown)
    own_folder = sys.path.pop(0)  # its modules are the host's
    for name in os.environ.get(PRELOAD, "").split():
        _try(name)
    sys.path.insert(0, own_folder)
    return [name for name in sys.modules if name not in before]


def _want(name: str) -> None:
    """An interpreter can be built without it, and PYTHONPATH have a broken one: whoever wants it is told."""
    with contextlib.suppress(Exception):
        __import__(name)


def _use() -> None:
    """What scripts do with the larger ones of the modules: names are looked up then, and places found. Nothing
    of it is left for a script to see."""
    import base64
    import datetime
    import email.message
    import hashlib
    import http.cookies
    import json
    import logging

    cookies = http.cookies.SimpleCookie("name=value")
    cookies["name"]["path"] = "/"
    text = json.dumps([cookies.output(), datetime.date(2000, 1, 1).isoformat(), 1.5, None])
    json.loads(json.dumps({"text": text}))
    base64.b64encode(hashlib.sha256(text.encode()).digest())
    sqlite3 = sys.modules.get("sqlite3")
    if sqlite3 is not None:
        database = sqlite3.connect(":memory:")
        database.execute("select ? * 7", (6,)).fetchone()
        database.close()
    message = email.message.Message()
    message["Content-Type"] = "text/html"
    message.set_payload(text)
    message.as_string()
    logging.Logger("unknown").info("not told")


def _try(name: str) -> None:
    """Load what an administrator has named; it may be wrong, and then the programs say so themselves."""
    try:
        __import__(name)
    except Exception as error:
        sys.stderr.write(f"{PRELOAD}: {name}: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
