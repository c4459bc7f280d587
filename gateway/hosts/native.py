"""Host of returning native programs: calls the `main` of a shared object (C, C++, Fortran), or a COBOL program,
again and again, with its static storage (WORKING-STORAGE) kept.

Started as `interpreter native.py SCRIPT`; on the wire a looping program like any other (P1 to P11). A call that
returns ends the response, whatever it returns: a `void main` returns anything, and RETURN-CODE is what the last
CALL left. libc's exit, STOP RUN and STOP end the process: the activation group is over then. HTSESSION_HOSTED
in the environment is the number of the call.
Standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

TYPE_CHECKING = False
HELPERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "helpers")
WARM = "HTSESSION_WARM" in os.environ
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

    from gateway.helpers import htsession
    from gateway.hosts import runtimes, sharedobject, zygote
else:
    import runtimes
    import sharedobject

    if WARM:
        import zygote
    sys.path.insert(0, HELPERS)
    import htsession

RUNTIMES = (runtimes.C, runtimes.Cobol, runtimes.Cpp, runtimes.Fortran)
_FAIL_BY_EXIT = (runtimes.Cobol, runtimes.Fortran)  # so end errors at run time
_EXIT_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p)
LC_ALL = 6


class Program:
    """A shared object, loaded into this process, and the function in it that answers requests."""

    def __init__(self, path: str) -> None:
        """Raises sharedobject.NotLoadable."""
        self.path = path
        self.calls = 0
        self._answers = False
        self._watch_exit()
        self.library = sharedobject.load(path)
        self.runtimes = [kind(self.library) for kind in RUNTIMES if kind.serves(self.library)]
        self._name = ctypes.create_string_buffer(os.fsencode(path))
        self._arguments = (ctypes.c_void_p * 2)(ctypes.addressof(self._name), None)
        runtimes.name_program(self._name)
        self._call = self._entry()

    def call(self) -> None:
        """Answer one request."""
        self.calls += 1
        if self.calls > 1:
            htsession.session().set_variables()
        os.environ["HTSESSION_HOSTED"] = str(self.calls)
        for runtime in self.runtimes:
            runtime.renew(self.calls)
        self._answers = True
        self._call()
        self._answers = False
        htsession.session().flush()
        self._flush()

    def _flush(self) -> None:
        for runtime in reversed(self.runtimes):
            runtime.flush()

    def _watch_exit(self) -> None:
        """Be told of `exit` behind the program's own exit functions (on_exit(3), of glibc alone)."""
        self._process = os.getpid()
        self._exit_function = _EXIT_FUNCTION(self._exits)
        if hasattr(runtimes.LIBC, "on_exit"):
            runtimes.LIBC.on_exit(self._exit_function, None)

    def _exits(self, status: int, _: object) -> None:
        """A page behind which C or C++ exits with a status other than 0 is whole; with 0 its end says so."""
        if not (status and self._answers and os.getpid() == self._process):
            return
        if not any(isinstance(runtime, _FAIL_BY_EXIT) for runtime in self.runtimes):
            self._flush()
            htsession.session().end()

    def close(self) -> None:
        """End the program as its languages do at the end of a process."""
        for runtime in self.runtimes:
            runtime.close()

    def _entry(self) -> Callable[[], object]:
        main = getattr(self.library, "main", None)
        if main is not None:
            return lambda: main(1, self._arguments, runtimes.variable("environ"))
        names = list(program_ids(os.path.basename(self.path).partition(".")[0]))
        for name in names:
            if hasattr(self.library, name):
                return self._cobol(name)
        raise sharedobject.NotLoadable(
            "there is nothing to call in it; expected main (C, C++, Fortran) or a COBOL program of this name: "
            f"{' or '.join(names)}"
        )

    def _cobol(self, name: str) -> Callable[[], object]:
        for runtime in self.runtimes:
            if isinstance(runtime, runtimes.Cobol):
                runtime.begin(self._arguments)
                program: Callable[[], object] = getattr(self.library, name)
                return program
        raise sharedobject.NotLoadable(f"it has {name} and no main, but does not need GnuCOBOL's libcob")


def program_ids(stem: str) -> Iterator[str]:
    """The symbols that GnuCOBOL may have made of a program id: `-` becomes `__`, other signs their code."""
    for name in dict.fromkeys((stem, stem.lower(), stem.upper())):
        signs = (sign if sign.isalnum() or sign == "_" else f"_{ord(sign):02X}" for sign in name)
        yield ("_" if name[:1].isdigit() else "") + "".join(signs).replace("_2D", "__")


def _move_in(path: str) -> None:
    """Make this process the program's: undo what the interpreter has set up, working directory, name."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    runtimes.LIBC.setlocale(LC_ALL, b"C")
    os.chdir(os.path.dirname(path))
    if WARM:
        zygote.name_process(path)


def run(path: str | None) -> int:
    """Serve requests until the request pipe ends (P8); without a path the first one names the program (P11)."""
    try:
        if not htsession.session().fetch():
            return 0
        path = os.path.abspath(path or os.environ["SCRIPT_FILENAME"])
        _move_in(path)
        program = Program(path)
        program.call()
        while htsession.session().fetch():
            program.call()
        program.close()
        return 0
    except sharedobject.NotLoadable as error:
        print(f"{path}: {error}", file=sys.stderr)
    except htsession.ProtocolError as error:
        print(f"HTS011 {path or 'warm host'}: {error}", file=sys.stderr)
    return 1


def leave(status: int) -> NoReturn:
    """End as a native program does: functions of `atexit` and destructors run; the interpreter is left."""
    htsession.session().flush()
    runtimes.LIBC.exit(status)
    raise SystemError("exit has returned")


def _before() -> None:
    """Nothing is to be done before a process is made."""


def _start(mark: bytes) -> NoReturn:
    htsession.session().become(mark)
    leave(run(None))


def _rehearse(mark: bytes) -> None:
    """Requests that call nothing."""
    session = htsession.session()
    session.become(mark)
    while session.fetch():
        session.flush()
    session.forget()


def main() -> None:
    """Serve one program, or make processes that do."""
    if len(sys.argv) == 1 and WARM:
        zygote.prepare()
        htsession.session()
        zygote.rehearse(_before, _rehearse)
        zygote.serve(_before, _start)
    if len(sys.argv) != 2 or "HTSESSION_FD" not in os.environ:
        sys.exit(
            "usage: native.py SCRIPT, with the variables of the pipe protocol (HTSESSION_FD, HTSESSION_END) set"
        )
    leave(run(sys.argv[1]))


if __name__ == "__main__":
    main()
