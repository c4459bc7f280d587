"""A warm host, for the hosts that are written in Python: it was started ahead of need and makes a process for
every start (P11, StartCGI).

The processes are the keeper's children from the first moment (clone(2) with CLONE_PARENT). They share with this
one the memory that they do not write to. Standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import fcntl
import gc
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import NoReturn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from gateway.hosts import ahead, pages
else:
    import ahead
    import pages

# linux/sched.h and the system call tables; all other arguments are 0, which makes their order the same
_SIBLING = 0x8000 | int(signal.SIGCHLD)  # CLONE_PARENT: the keeper's child
_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220, "loongarch64": 220}
_CONTROL = 3
_DESCRIPTORS = 3
_MOST = 32  # processes that are asked for by one packet
_TOGETHER = 8  # processes for which others may wait before they are told of
_LONGEST_MARK = 64
_NUMBERS = struct.Struct(f"{_DESCRIPTORS}i")
_SPACE = socket.CMSG_SPACE(_MOST * _NUMBERS.size)
_CLOSE_ON_EXEC = int(socket.MSG_CMSG_CLOEXEC)
_LIBC = ctypes.PyDLL(None, use_errno=True)
_PR_SET_NAME = 15
_set_process = _LIBC.prctl
_REFUSED = 0x800  # flags that clone(2) refuses
_REHEARSALS = 24  # the interpreter chooses its instructions from the eighth call on
_SPARE = 64  # a descriptor's number that nothing else has
_MARK = b"0" * 32
# The variables of a plain request, for whose values there is room then
_VARIABLES = """
    GATEWAY_INTERFACE SERVER_SOFTWARE SERVER_NAME SERVER_ADDR SERVER_PORT SERVER_PROTOCOL SERVER_ADMIN
    REQUEST_METHOD REQUEST_SCHEME REQUEST_URI QUERY_STRING SCRIPT_NAME SCRIPT_FILENAME DOCUMENT_ROOT
    CONTEXT_PREFIX CONTEXT_DOCUMENT_ROOT REMOTE_ADDR REMOTE_PORT UNIQUE_ID HTTP_HOST HTSESSION_TIMEOUT
    HTSESSION_MAX_TIMEOUT HTSESSION_NEXT_HANDLE
"""
_BODY = b"name=value"


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


def rehearse(before: Callable[[], None], child: Callable[[bytes], None]) -> None:
    """Before `serve`: let requests of no account go through this process, as others will through its children,
    two at a time: without a body, and with a form.

    What is settled at first use (names that were looked up, symbols of libraries, the interpreter's choice of
    instructions) is settled here then, and no child writes it into memory that it shares until then.
    `child(mark)` serves every request that comes and leaves no traces but in the environment. The script
    that is named is the host's own file.
    """
    environment = dict(os.environb)
    kept = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _SPARE) for number in range(1, _CONTROL + 1)]
    sys._clear_type_cache()
    control, keeper = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    receive, requests = _receiver(control), _request(b"") + _request(_BODY)
    clone = _cloner()
    pages.fill()
    used: dict[int, CodeType] = {}
    sys.setprofile(lambda frame, *_: used.setdefault(id(frame.f_code), frame.f_code))
    for turn in range(_REHEARSALS):
        if turn == 1:
            sys.setprofile(None)
            pages.gather(used)
        output, theirs = os.pipe()
        reading, writing = os.pipe()
        os.write(writing, requests)
        os.close(writing)
        rights = _NUMBERS.pack(theirs, theirs, reading)
        keeper.sendmsg([_MARK], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        os.close(theirs)
        os.close(reading)
        (mark,), descriptors = receive()
        before()
        clone(_REFUSED)
        _become(descriptors)
        child(mark)
        os.close(output)
        for name in os.environb.keys() - environment.keys():
            del os.environb[name]
        for name in environment.keys() - os.environb.keys():
            os.environb[name] = environment[name]
    control.close()
    keeper.close()
    for number, descriptor in enumerate(kept, 1):
        os.dup2(descriptor, number, inheritable=number < _CONTROL)
        os.close(descriptor)
    name_process(sys.executable)


def serve(before: Callable[[], None], child: Callable[[bytes], NoReturn]) -> NoReturn:
    """Make a child for every end mark that comes, after a call of `before`, and answer those that came together
    together; exit at the socket's end of file.

    The child has its descriptors, and waits in `child(mark)` for its first request as a frame.
    """
    control = socket.socket(fileno=_CONTROL)
    waiting = select.poll()
    waiting.register(control, select.POLLIN)
    clone, receive, send, more_wait = _cloner(), _receiver(control), control.send, waiting.poll
    pages.fill()
    gc.freeze()  # a collection in a child need not go over what is here
    while True:
        marks, descriptors = receive()
        while 0 < len(marks) < _TOGETHER and more_wait(0):
            more, theirs = receive()
            if not more:
                os._exit(0)
            marks += more
            descriptors += theirs
        if not marks:
            os._exit(0)
        before()
        pids = []
        for number, mark in enumerate(marks):  # what is written to in between is copied again
            pid = clone(_SIBLING)
            if pid == 0:  # nothing is let go, not even the control socket: that would write into shared memory
                os.setsid()
                _become(descriptors, number)
                child(mark)
            pids.append(b"%d" % pid)
        for descriptor in descriptors:
            os.close(descriptor)
        try:
            send(b" ".join(pids))
        except OSError:  # the keeper has let go of it
            os._exit(0)


def name_process(path: str) -> None:
    """Show the program's name in `ps`, where the name of the interpreter would stand (prctl(2))."""
    _set_process(_PR_SET_NAME, os.fsencode(path.rpartition("/")[2])[:15])


def finish(run: Callable[[], None], tidy: Callable[[], None]) -> NoReturn:
    """Carry out `run` and end this process as an interpreter ends, without taking apart what is shared: threads
    are waited for, exit functions run, `tidy` lets go of the program's own objects."""
    status = _status_of(run)
    try:
        threading = sys.modules.get("threading")
        if threading is not None and (_thread._count() or getattr(threading, "_threading_atexits", True)):
            threading._shutdown()
        atexit._run_exitfuncs()
        ahead.end_logging()
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


def _request(body: bytes) -> bytes:
    fields = dict.fromkeys(_VARIABLES.split(), "rehearsal")
    fields["SCRIPT_FILENAME"] = os.path.abspath(sys.argv[0])
    fields.update(CONTENT_LENGTH=str(len(body)), SCGI="1", HTSESSION_END=_MARK.decode())
    frame = b"".join(os.fsencode(f"{name}\0{value}\0") for name, value in fields.items())
    return b"%d:%s,%s" % (len(frame), frame, body)


def _cloner() -> Callable[[int], int]:
    """`os.fork`, but with flags; the number of an error has a minus."""
    number = _CLONE.get(os.uname().machine) if sys.maxsize > 1 << 32 else None
    if number is None:
        sys.exit(f"warm starts (StartCGI) are not known on {os.uname().machine}: programs are started cold")
    system_call = _LIBC.syscall
    system_call.restype = ctypes.c_long
    arguments = [ctypes.c_long(0)] * 4
    api = ctypes.pythonapi if ahead.is_fork_watched() else None
    reseed = _reseeder()

    def clone(flags: int) -> int:
        if api is not None:
            api.PyOS_BeforeFork()
        pid = int(system_call(number, flags, *arguments))
        if api is not None:
            (api.PyOS_AfterFork_Parent if pid else api.PyOS_AfterFork_Child)()
        elif pid <= 0:
            reseed()
        return pid if pid >= 0 else -ctypes.get_errno()

    return clone


def _reseeder() -> Callable[[], None]:
    """Fresh random state, in C alone."""
    random = sys.modules.get("random")
    if random is None:
        return lambda: None
    seed: Callable[[], None] = super(random.Random, random._inst).seed
    return seed


def _receiver(control: socket.socket) -> Callable[[], tuple[list[bytes], list[int]]]:
    """A function that waits for the end marks that come together, and their descriptors; none at the end."""
    receive = control.recvmsg

    def wait() -> tuple[list[bytes], list[int]]:
        try:
            data, ancillary, _, _ = receive(_MOST * _LONGEST_MARK, _SPACE, _CLOSE_ON_EXEC)
        except OSError:  # the keeper has gone without reading all answers
            return [], []
        descriptors = [number for _, _, rights in ancillary for number in memoryview(rights).cast("i")]
        marks = data.split()
        return (marks, descriptors) if len(descriptors) == _DESCRIPTORS * len(marks) else ([], [])

    return wait


def _become(descriptors: list[int], number: int = 0) -> None:
    """Take the place of output, errors and the control socket. `number`: whose the descriptors are of several
    processes."""
    output, errors, requests = descriptors[_DESCRIPTORS * number :][:_DESCRIPTORS]
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.dup2(requests, 3, inheritable=False)
    for descriptor in descriptors:
        os.close(descriptor)
    if "threading" in sys.modules:
        sys.modules["threading"].main_thread()._set_native_id()  # the interpreter forgets this one after a fork
