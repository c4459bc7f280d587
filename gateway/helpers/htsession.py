r"""Persistent CGI for looping Python programs: the pipe protocol behind a `for` statement.

    import os, sys
    sys.path.append(os.environ.get("HTSESSION_LIB", "."))
    import htsession

    count = 0
    for request in htsession.requests():
        count += 1
        print(f"Accept-HTSession: {htsession.handle()}\nContent-Type: text/plain\n\nvisit {count}")
    # the session is over: clean up

`request` holds the server's variables, as `os.environ` does; standard input is the request's body.
`while htsession.accept():` is the same loop.

Import it first: what is in the environment then came from the server and goes with the next request (B1).
One file, standard library only, Python 3.8 or newer, Linux; it may be copied next to a program.
Under a plain CGI server the loop runs once.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from io import BufferedReader, FileIO, TextIOWrapper  # found faster than as attributes of a module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BODY_IN_MEMORY = 1 << 20
_CHUNK = 1 << 16
_LASTING_NAMES = {b"PATH", b"HTSESSION_FD", b"HTSESSION_LIB", b"LC_CTYPE"}
_names_at_import = set(os.environb) - _LASTING_NAMES
_environment = vars(os.environb).get("_data", os.environb)  # read without a call in Python for each


class ProtocolError(Exception):
    """What came over the request pipe is not a request for this process (P7)."""


class _Output(io.BufferedWriter):
    """The only buffer of a descriptor: `close` flushes, so that no text layer can take it along."""

    def close(self) -> None:
        self.flush()


class _Nothing(FileIO):
    """Standard input without a body; `used`: something came, for the program had put a file in its place."""

    used = False

    def readinto(self, buffer: Any) -> int | None:
        size = super().readinto(buffer)
        self.used = self.used or bool(size)
        return size

    def readall(self) -> bytes:
        data = super().readall()
        self.used = self.used or bool(data)
        return data


class _Text(TextIOWrapper):
    """A text layer that knows whether the program has set it up differently."""

    changed = False
    mode = "w"  # as the interpreter's own streams have it

    def reconfigure(self, **options: Any) -> None:
        self.changed = True
        super().reconfigure(**options)


class _Input(_Text):
    """Standard input."""

    mode = "r"


class Streams:
    """Standard input, output and error of one process, the same for every request (B1)."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._first_body: int | None = os.dup(0)
        self._descriptors = os.dup(1), os.dup(2)
        self._nothing = os.open(os.devnull, os.O_RDONLY)
        self._codings = [(stream.encoding, stream.errors) for stream in (sys.stdin, sys.stdout, sys.stderr)]
        self._stdout, self._stderr = (_Output(io.FileIO(fd, "wb", closefd=False)) for fd in (1, 2))
        self._first_output = sys.__stdout__  # a program that was there first may have kept it
        self._input: _Text | None = None  # standard input, while it is one without a body
        self._empty = _Nothing(0, closefd=False)  # what that reads from
        self._output: _Text | None = None
        self._errors: _Text | None = None
        self._alone = False  # whether all programs come after this
        self._own = (0, 0)  # device and inode of standard output then

    def attach(self) -> None:
        """Descriptors 1 and 2 have become others: those of a process that has not seen a program yet."""
        self._alone = True
        for fd, kept in enumerate(self._descriptors, 1):
            os.dup2(fd, kept, inheritable=False)
        status = os.fstat(1)
        self._own = status.st_dev, status.st_ino

    def renew(self, body: int | None = None) -> None:
        """What the program has changed is as it was; the descriptor `body` moves to standard input, None leaves
        that as it is."""
        if body is not None:
            os.dup2(body, 0)
            os.close(body)
        self._input = None
        sys.stdin = _Input(BufferedReader(FileIO(0, closefd=False)), *self._codings[0])
        self._renew_outputs()

    def renew_without_body(self) -> None:
        """The same, with nothing to read on standard input."""
        if sys.stdin is not self._input or not _is_as_made(self._input) or self._empty.used:
            os.dup2(self._nothing, 0)
            self._empty = _Nothing(0, closefd=False)
            sys.stdin = self._input = _Input(BufferedReader(self._empty), *self._codings[0])
        self._renew_outputs()

    def _renew_outputs(self) -> None:
        if sys.stdout is not self._output or sys.__stdout__ is not sys.stdout or not _is_as_made(self._output):
            self._output = _text(self._stdout, *self._codings[1])
            sys.stdout = sys.__stdout__ = self._output  # type: ignore[misc]
        if sys.stderr is not self._errors or not _is_as_made(self._errors):
            sys.stderr = self._errors = _text(self._stderr, *self._codings[2], line_buffering=True)

    def flush(self, end: bytes = b"") -> bool:
        """Send what was written so far on its way, through whatever the program made of `sys.stdout`. True: and
        `end` in the same write, because all of it goes through the buffer here."""
        os.set_blocking(self._descriptors[0], True)  # a subprocess may have changed the shared file description
        together = bool(end) and self._is_untouched()
        if together:
            self._stdout.write(end)
            streams: tuple[Any, ...] = self._stdout, sys.stderr, self._stderr
        else:
            streams = sys.stdout, sys.__stdout__, self._first_output, self._stdout, sys.stderr, self._stderr
        for stream in streams:
            try:
                stream.flush()
            except (AttributeError, ValueError):  # made None, closed or detached by the program
                pass
            except OSError:  # of standard error: the program has closed its descriptor
                if stream not in (sys.stderr, self._stderr):
                    raise
        return together

    def _is_untouched(self) -> bool:
        """Whether standard output is what it was when the request came."""
        if not self._alone or sys.stdout is not self._output or sys.__stdout__ is not self._output:
            return False
        try:
            status = os.fstat(1)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._own

    def end_response(self, mark: bytes) -> None:
        """Drop what the program left unread of the first request's body (P9), then write the end mark (P1)."""
        if self._first_body is not None:
            self.flush()
            while os.read(self._first_body, _CHUNK):
                pass
            os.close(self._first_body)
            self._first_body = None
        end = b"\4%s\n" % mark
        sent = self.flush(end)
        stdout, stderr = self._descriptors
        os.dup2(self._nothing, 0)  # a body is let go before the next one comes
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        if not sent:
            os.write(stdout, end)


class Session:
    """This process's side of the pipe protocol."""

    def __init__(self) -> None:
        self.over = False
        self.unseen = False  # a request that no loop was given yet
        self._serving = False
        self._process = os.getpid()
        self._names = _names_at_import
        self._in_environment = os.environ.pop("HTSESSION_FIRST", "") != "frame"  # else P11
        self._mark = os.environb.get(b"HTSESSION_END", b"")
        self._requests = _request_pipe()
        self._streams = Streams()

    def become(self, mark: bytes) -> None:
        """This is a process of its own now, made for one session: its descriptors are others."""
        self._mark, self._process = mark, os.getpid()
        self._streams.attach()

    def forget(self) -> None:
        """Nothing has been served, and what is in the environment is no request's. The streams are as a request
        without a body needs them."""
        self.over = self.unseen = self._serving = False
        self._names = set()
        self._streams.renew_without_body()

    def fetch(self) -> bool:
        """End the response under way and wait for the next request; False: no more (P8), or in a forked child.

        Raises ProtocolError.
        """
        if self.over or os.getpid() != self._process:
            return False
        if self._in_environment:
            self._in_environment = False
            self._streams.renew()
            self._serving = True
        else:
            self._finish()
            self.over = True  # unless what comes is a request
            self._serving = self._receive()
        self.unseen, self.over = self._serving, not self._serving
        return self._serving

    def flush(self) -> None:
        """Send what was written so far on its way."""
        self._streams.flush()

    def end(self) -> None:
        """End the response under way, though this process will not ask for another request."""
        if os.getpid() == self._process:
            self._finish()
            self._serving, self.over = False, True

    def variables(self) -> dict[str, str]:
        """What the server set for the present request."""
        return {
            os.fsdecode(name): os.fsdecode(os.environb[name]) for name in self._names if name in os.environb
        }

    def set_variables(self) -> None:
        """Set what the server set once more: code that is not Python may have changed it past `os.environ`."""
        for name in self._names:
            os.putenv(name, _environment[name])

    def _finish(self) -> None:
        if self._serving and self._requests is None:
            self._streams.flush()
        elif self._serving:
            self._streams.end_response(self._mark)

    def _receive(self) -> bool:
        fields = None if self._requests is None else read_frame(self._requests)
        if self._requests is None or fields is None:
            return False
        if fields.get(b"HTSESSION_END") != self._mark:
            raise ProtocolError("the request carries another process's end mark")
        fields.pop(b"SCGI", None)
        size = _number(fields.get(b"CONTENT_LENGTH", b""))
        if not size:
            del fields[b"CONTENT_LENGTH"]
        if size:
            self._streams.renew(_body(self._requests, size))
        else:
            self._streams.renew_without_body()
        if self._names != fields.keys():
            for name in self._names - fields.keys():
                os.environb.pop(name, None)
            self._names = set(fields)
        for name, value in fields.items():
            if _environment.get(name) != value:  # what differs is set as `os.environb` does it
                os.putenv(name, value)
                _environment[name] = value
        return True


def read_frame(requests: io.BufferedReader) -> dict[bytes, bytes] | None:
    """The variables of one SCGI request (P7); None at end of file. Raises ProtocolError."""
    begin = requests.peek()
    if not begin:
        return None
    size = requests.read(begin.find(b":", 0, 10) + 1 or 1)
    while not size.endswith(b":"):
        byte = requests.read(1)
        if not byte or len(size) == 10:
            raise ProtocolError(f"a request must begin with the length of a netstring, found {size!r}")
        size += byte
    length = _number(size[:-1])
    frame = requests.read(length + 1)
    fields = frame.split(b"\0")
    if len(frame) != length + 1 or fields.pop() != b"," or len(fields) % 2:
        raise ProtocolError("a request must be a netstring of names and values that end in NUL")
    variables = dict(zip(fields[::2], fields[1::2]))  # noqa: B905 (`strict` is newer than Python 3.8)
    if b"" in variables or b"=" in b"".join(variables):
        raise ProtocolError("a request has a name that no variable can have")
    return variables


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise ProtocolError(f"a number of bytes was expected, found {text[:20]!r}")
    return int(text)


def _body(requests: io.BufferedReader, size: int) -> int:
    """A descriptor of the request's body, at its beginning: of a real file, for subprocesses read it too.
    Raises ProtocolError."""
    descriptor = _memory_file() if size <= BODY_IN_MEMORY and hasattr(os, "memfd_create") else _disk_file()
    try:
        while size:
            part = requests.read(min(size, _CHUNK))
            if not part:
                raise ProtocolError(f"{size} bytes of the request's body are missing")
            size -= len(part)
            while part:
                part = part[os.write(descriptor, part) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _memory_file() -> int:
    return os.memfd_create("request-body")


def _disk_file() -> int:
    import tempfile  # costs more than everything else here

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _request_pipe() -> io.BufferedReader | None:
    try:
        descriptor = int(os.environ["HTSESSION_FD"])
        os.set_inheritable(descriptor, False)
    except (KeyError, OSError):  # not a descriptor of ours: a looping program started this one
        return None
    return open(descriptor, "rb", closefd=False)


def _text(
    buffer: io.BufferedWriter, encoding: str, errors: str | None, *, line_buffering: bool = False
) -> _Text:
    # write_through: nothing may wait in a text layer that the program keeps from an earlier request
    return _Text(buffer, encoding, errors, "\n", line_buffering, write_through=True)


def _is_as_made(text: _Text | None) -> bool:
    try:
        return text is not None and not text.closed and not text.changed
    except ValueError:  # detached
        return False


_session: Session | None = None


def session() -> Session:
    """The one session of this process."""
    global _session
    if _session is None:
        _session = Session()
    return _session


def accept() -> bool:
    """`while htsession.accept():` a request is in the environment and on standard input; False: clean up.

    What is not a request for this process ends it, with HTS011 on standard error (P7).
    """
    current = session()
    try:
        got = current.unseen or current.fetch()
    except ProtocolError as error:
        sys.exit(f"HTS011 {sys.argv[0]}: {error}")
    current.unseen = False
    return got


def requests() -> Iterator[dict[str, str]]:
    """The requests of this session, each as the variables that the server set for it."""
    while accept():
        yield session().variables()


def handle() -> str:
    """The handle by which this request came, else the one that the gateway offers for a new session (H11)."""
    return os.environ.get("HTSESSION_HANDLE") or os.environ.get("HTSESSION_NEXT_HANDLE", "")
