"""A warm host, for the hosts that are written in Python: it was started ahead of need and makes a process for
every start (P11, StartCGI).

The processes are the keeper's children from the first moment (clone(2) with CLONE_PARENT). Standard library
only, Python 3.8 or newer.
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
import threading
from collections.abc import Callable
from typing import NoReturn

# linux/sched.h and the system call tables; all other arguments are 0, which makes their order the same
_CLONE_PARENT = 0x8000
_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "loongarch64": 220}
_DESCRIPTORS = 3
_LONGEST_MARK = 64
_INT = array.array("i").itemsize


def serve() -> None:
    """Make a child for every end mark that comes, and exit when the keeper closes the socket.

    Returns in the child, which has its descriptors and waits for its first request as a frame.
    """
    control = socket.socket(fileno=int(os.environ.pop("HTSESSION_WARM")))
    clone = _cloner()
    gc.collect()
    gc.freeze()  # a collection in a child would write to every page that it shares
    while True:
        mark, descriptors = _receive(control)
        if not mark:
            os._exit(0)
        try:
            pid = clone()
        except OSError as error:
            pid = -(error.errno or 1)
        if pid == 0:
            control.detach()
            _become(mark, descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(b"%d" % pid)


def name_process(path: str) -> None:
    """Show the program's name in `ps`, where the name of the interpreter would stand."""
    try:
        with open("/proc/self/comm", "wb") as name:
            name.write(os.fsencode(os.path.basename(path))[:15])
    except OSError:
        pass


def finish(run: Callable[[], None], tidy: Callable[[], None]) -> NoReturn:
    """Carry out `run` and end this process as an interpreter ends, without taking apart what is shared: threads
    are waited for, exit functions run, `tidy` lets go of the program's own objects."""
    status = _status_of(run)
    try:
        threading._shutdown()  # type: ignore[attr-defined]
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


def _cloner() -> Callable[[], int]:
    """`os.fork`, but for the parent. Raises OSError."""
    number = _CLONE.get(os.uname().machine) if sys.maxsize > 1 << 32 else None
    if number is None:
        sys.exit(f"warm starts (StartCGI) are not known on {os.uname().machine}: programs are started cold")
    system_call = ctypes.PyDLL(None, use_errno=True).syscall
    system_call.restype = ctypes.c_long
    flags, zero = ctypes.c_long(_CLONE_PARENT | signal.SIGCHLD), ctypes.c_long(0)
    api = ctypes.pythonapi

    def clone() -> int:
        api.PyOS_BeforeFork()
        pid = int(system_call(ctypes.c_long(number), flags, zero, zero, zero, zero))
        if pid == 0:
            api.PyOS_AfterFork_Child()
        else:
            api.PyOS_AfterFork_Parent()
        if pid < 0:
            raise OSError(ctypes.get_errno(), "clone")
        return pid

    return clone


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """An end mark and the descriptors that came with it; an empty one at the end."""
    space = socket.CMSG_SPACE(_DESCRIPTORS * _INT)
    mark, ancillary, _, _ = control.recvmsg(_LONGEST_MARK, space, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    return mark, descriptors.tolist()


def _become(mark: bytes, descriptors: list[int]) -> None:
    """A process of its own: session, descriptors, end mark. The control socket's place is taken by the pipe."""
    os.setsid()
    for number, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environb[b"HTSESSION_END"] = mark
    os.environ["HTSESSION_FD"] = str(_DESCRIPTORS)
    os.environ["HTSESSION_FIRST"] = "frame"
