"""A warm host, for the hosts that are written in Python: it was started ahead of need and makes a process for
every start (P11, StartCGI).

The processes are the keeper's children from the first moment (clone(2) with CLONE_PARENT). They share with this
one the memory that they do not write to. Standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import array
import atexit
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

# linux/sched.h and the system call tables; all other arguments are 0, which makes their order the same
_CLONE_PARENT = 0x8000
_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "loongarch64": 220}
_CONTROL = 3
_DESCRIPTORS = 3
_LONGEST_MARK = 64
_SEED = 32  # bytes
_INT = array.array("i").itemsize
# Modules for whose sake the interpreter is told of the new process. Without threads there is nothing else
# to mend, and what is not run touches no memory that is shared
_NEED_CARE = {"asyncio", "concurrent", "logging", "multiprocessing", "ssl", "threading"}
_holes: list[bytes] = []


def prepare() -> None:
    """Before anything is set up for a child: its variables, as far as they are the same for all; a pipe as
    standard output, for streams remember what kind of file they are."""
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(reading)
    os.close(writing)
    del os.environ["HTSESSION_WARM"]
    os.environ["HTSESSION_FD"] = str(_CONTROL)  # where the request pipe will be
    os.environ["HTSESSION_FIRST"] = "frame"


def serve(before: Callable[[], None]) -> bytes:
    """Make a child for every end mark that comes, after a call of `before`; exit when the keeper has closed the
    socket.

    Returns the mark in the child, which has its descriptors and waits for its first request as a frame.
    """
    control = socket.socket(fileno=_CONTROL)
    clone = _cloner()
    gc.disable()
    _settle()
    while True:
        mark, descriptors = _receive(control)
        if len(descriptors) != _DESCRIPTORS:
            os._exit(0)
        before()
        try:
            pid = clone()
        except OSError as error:
            pid = -(error.errno or 1)
        if pid == 0:
            control.detach()
            _become(descriptors)
            return mark
        for descriptor in descriptors:
            os.close(descriptor)
        try:
            control.send(b"%d" % pid)
        except OSError:
            os._exit(0)


def name_process(path: str) -> None:
    """Show the program's name in `ps`, where the name of the interpreter would stand."""
    try:
        name = os.open("/proc/self/comm", os.O_WRONLY)
    except OSError:
        return
    os.write(name, os.fsencode(os.path.basename(path))[:15])
    os.close(name)


def finish(run: Callable[[], None], tidy: Callable[[], None]) -> NoReturn:
    """Carry out `run` and end this process as an interpreter ends, without taking apart what is shared: threads
    are waited for, exit functions run, `tidy` lets go of the program's own objects."""
    status = _status_of(run)
    try:
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit._run_exitfuncs()
        tidy()
        gc.collect()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass
    os._exit(status & 0xFF)


def _status_of(run: Callable[[], None]) -> int:
    """The exit status that the interpreter would give."""
    try:
        run()
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return ending.code or 0
        print(ending.code, file=sys.stderr)
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _settle() -> None:
    """Let no child write to pages that it shares with this process when it need not: a collection would go over
    all objects, the cache of attributes drops names that are spread over the memory, and small objects go into
    the holes of half empty pages."""
    sys._clear_type_cache()
    gc.collect()
    for size in range(16, 513, 16):
        _holes.extend(bytes(max(0, size - 33)) for _ in range(100))
    gc.freeze()


def _cloner() -> Callable[[], int]:
    """`os.fork`, but for the parent. Raises OSError."""
    number = _CLONE.get(os.uname().machine) if sys.maxsize > 1 << 32 else None
    if number is None:
        sys.exit(f"warm starts (StartCGI) are not known on {os.uname().machine}: programs are started cold")
    system_call = ctypes.PyDLL(None, use_errno=True).syscall
    system_call.restype = ctypes.c_long
    arguments = [ctypes.c_long(number), ctypes.c_long(_CLONE_PARENT | signal.SIGCHLD), *[ctypes.c_long(0)] * 4]
    api = ctypes.pythonapi if _NEED_CARE & sys.modules.keys() else None

    def clone() -> int:
        if api is not None:
            api.PyOS_BeforeFork()
        pid = int(system_call(*arguments))
        if api is not None:
            (api.PyOS_AfterFork_Parent if pid else api.PyOS_AfterFork_Child)()
        elif pid == 0 and "random" in sys.modules:
            sys.modules["random"].seed(int.from_bytes(os.urandom(_SEED), "big"))
        if pid < 0:
            raise OSError(ctypes.get_errno(), "clone")
        return pid

    return clone


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """An end mark and the descriptors that came with it; none at the end."""
    space = socket.CMSG_SPACE(_DESCRIPTORS * _INT)
    try:
        mark, ancillary, _, _ = control.recvmsg(_LONGEST_MARK, space, socket.MSG_CMSG_CLOEXEC)
    except OSError:  # the keeper has gone without reading all answers
        return b"", []
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    return mark, descriptors.tolist()


def _become(descriptors: list[int]) -> None:
    """A process of its own: session and descriptors. The pipe takes the control socket's place."""
    os.setsid()
    output, errors, requests = descriptors
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.dup2(requests, 3, inheritable=False)
    for descriptor in descriptors:  # between them there may be others
        os.close(descriptor)
    if "threading" in sys.modules:
        sys.modules["threading"].main_thread()._set_native_id()  # the interpreter forgets this one after a fork
    gc.enable()
