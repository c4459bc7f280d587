"""Host of returning Python programs: runs one script again and again, with its globals kept.

Started as `interpreter python.py SCRIPT`; on the wire a looping program like any other (P1 to P11).
Standard library only, Python 3.8 or newer: another interpreter than the gateway's may run it.
"""

from __future__ import annotations

import ast
import atexit
import os
import sys
from types import CodeType, ModuleType

TYPE_CHECKING = False
HELPERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "helpers")
WARM = "HTSESSION_WARM" in os.environ
REHEARSAL = b"""\
import os, sys
from html import escape
from urllib.parse import parse_qs, quote
if __name__ == "__main__":
    form = parse_qs(sys.stdin.buffer.read().decode(errors="replace") or os.environ["QUERY_STRING"], True)
    name = escape(form.get("name", [""])[0])
    print("Content-Type: text/plain\\n")
    print(f"{name} {os.environ.get('HTSESSION_NEXT_HANDLE')} {quote(os.environ['SCRIPT_NAME'])}")
"""
if TYPE_CHECKING:
    from typing import NoReturn

    from gateway.helpers import htsession
    from gateway.hosts import ahead, codes, zygote
    from gateway.hosts.codes import Code

    AHEAD: list[str]
else:
    if WARM:
        import ahead

        AHEAD = ahead.load()
        import codes
        import zygote

        for name in ("ahead", "codes", "pages", "zygote"):  # names that modules of a script may have
            del sys.modules[name]
    sys.path.insert(0, HELPERS)
    import htsession


class Script:
    """A script as module `__main__`: the whole file at first, then its guarded block if it has one."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.directory = path.rpartition("/")[0] or "/"
        self.module = ModuleType("__main__")
        self.module.__file__ = path
        self.code: Code | None = None
        self.called = False

    def move_in(self) -> None:
        """Make this process the script's: arguments, its folder, modules from there first."""
        sys.argv[0] = self.path
        sys.path[0] = self.directory
        os.chdir(self.directory)
        sys.modules["__main__"] = self.module

    def call(self) -> None:
        """Answer one request. An exit without success and any other uncaught error end the process; the
        response is whole behind an exit, or where a hook of the program's own has shown the error."""
        try:
            code = self.code = self.code or compiled(self.path)[0]
            later, self.called = self.called, True
            exec(code[later], self.module.__dict__)  # noqa: S102
        except BaseException as error:
            if isinstance(error, SystemExit):
                if error.code in (None, 0):
                    return
                self._end()
                raise
            htsession.session().flush()
            self._report(error)
            sys.exit(1)

    def _end(self) -> None:
        """The page is whole; exit functions may write the last of it."""
        try:
            atexit._run_exitfuncs()
        finally:  # up to Python 3.9 it raises what the last of them has raised
            htsession.session().end()

    def _report(self, error: BaseException) -> None:
        """The trace of the script alone, by the script's own hook if it has set one."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != self.path:
            trace = trace.tb_next
        if sys.excepthook is not sys.__excepthook__:
            sys.excepthook(type(error), error, trace)
            self._end()
            return
        self._show_lines_as_loaded()
        import traceback  # costs too much to import it ahead of need

        traceback.print_exception(type(error), error, trace)

    def _show_lines_as_loaded(self) -> None:
        # an entry without a time is never read again: the file may have changed since it was loaded
        import importlib.util
        import linecache

        try:
            text = importlib.util.decode_source(self.code[2] if self.code else b"")
        except (SyntaxError, UnicodeDecodeError):
            return
        linecache.cache[self.path] = (len(text), None, text.splitlines(keepends=True), self.path)


def compiled(path: str) -> tuple[Code, os.stat_result]:
    """The code of a script, with the state of the file that was read. Raises OSError, SyntaxError."""
    with open(path, "rb") as file:
        status, source = os.fstat(file.fileno()), file.read()
    return compiled_from(source, path), status


def compiled_from(source: bytes, path: str) -> Code:
    """The code of the first and of later calls, and the source. Raises SyntaxError."""
    tree = ast.parse(source, path)
    whole = _code(tree, path)
    guarded = [node for node in tree.body if _is_main_guard(node)]
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    later = ast.Module(body=[*futures, *guarded], type_ignores=[])
    return whole, _code(later, path) if guarded else whole, source


def _code(tree: ast.Module, path: str) -> CodeType:
    code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


def _is_main_guard(node: ast.stmt) -> bool:
    """True for `if __name__ == "__main__":` at the top of a file, either way round."""
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"] and isinstance(node.test.ops[0], ast.Eq)


def run(script: Script) -> None:
    """Serve the first request and all others until the request pipe ends (P8)."""
    try:
        script.move_in()
        script.call()
        while htsession.session().fetch():
            script.call()
    except htsession.ProtocolError as error:
        sys.exit(f"HTS011 {script.path}: {error}")


class WarmHost:
    """Makes processes for scripts that are not known yet: what many of them import is there already."""

    def __init__(self) -> None:
        self._tops = frozenset(name.partition(".")[0] for name in AHEAD)
        self._codes = codes.Codes()
        sys.path[:] = _module_path()
        zygote.prepare()
        self._session = htsession.session()

    def serve(self) -> NoReturn:
        """Go on as one of the processes that are wanted, or exit."""
        self._rehearse()
        self._last = next(name for name in reversed(sys.modules) if name != "__main__")
        zygote.serve(self._learn, self._start)

    def _start(self, mark: bytes) -> NoReturn:
        self._session.become(mark)
        zygote.finish(self._answer, self._let_go)

    def _answer(self) -> None:
        if self._session.fetch():
            script = Script(os.environ["SCRIPT_FILENAME"])
            self._prepare(script)
            self._codes.close()
            run(script)

    def _prepare(self, script: Script) -> None:
        zygote.name_process(script.path)
        self._load(script)
        self._prefer_own_modules(script.directory)

    def _learn(self) -> None:
        self._codes.learn()

    def _rehearse(self) -> None:
        main, directory = sys.modules["__main__"], os.getcwd()
        path, arguments = sys.path[:], sys.argv[:]
        sign, code = codes.sign_of(os.stat(__file__)), compiled_from(REHEARSAL, __file__)
        folder = os.path.dirname(os.path.abspath(__file__))

        def child(mark: bytes) -> None:
            self._codes.keep(os.path.abspath(__file__), sign, code)
            self._codes.keep(folder, codes.sign_of(os.stat(folder)), None)
            self._session.become(mark)
            self._answer()
            self._session.forget()
            self._codes = codes.Codes()

        zygote.rehearse(self._learn, child)
        sys.modules["__main__"], sys.path[:], sys.argv[:] = main, path, arguments
        os.chdir(directory)

    def _let_go(self) -> None:
        """The script's objects and those of what it has imported go, files are written out."""
        script = sys.modules.pop("__main__")
        if vars(script) is globals():  # nothing was called
            return
        _clear(script)
        while (name := next(reversed(sys.modules))) != self._last:
            _clear(sys.modules.pop(name))

    def _load(self, script: Script) -> None:
        """What cannot be loaded shows when it is called."""
        try:
            script.code = self._codes.find(script.path)
            if script.code is None:
                script.code, status = compiled(script.path)
                self._codes.tell(script.path, status, script.code)
        except (OSError, SyntaxError, ValueError):
            pass

    def _prefer_own_modules(self, directory: str) -> None:
        """A module beside the script comes before one of its name that was loaded ahead of need."""
        try:
            if self._codes.is_as_told(directory):
                return
            status = os.stat(directory)
            tops = {name.partition(".")[0] for name in os.listdir(directory)}
        except OSError:  # what cannot be listed, nothing is imported from
            return
        if not self._tops & tops:
            self._codes.tell(directory, status, None)
            return
        for name in AHEAD:
            del sys.modules[name]


def _module_path() -> list[str]:
    """Where modules are looked for; a script's own folder takes the place of the first."""
    own = os.path.dirname(os.path.abspath(__file__)), HELPERS
    return [own[0], *(entry for entry in sys.path if entry not in own), HELPERS]


def _clear(module: ModuleType) -> None:
    variables = vars(module)
    for variable in sorted(variables, key=lambda text: not text.startswith("_")):
        if variable != "__builtins__":
            variables[variable] = None


def main() -> None:
    """Serve one script, or make processes that do."""
    if len(sys.argv) == 1 and WARM:
        WarmHost().serve()
    if len(sys.argv) != 2 or "HTSESSION_FD" not in os.environ:
        sys.exit(
            "usage: python.py SCRIPT, with the variables of the pipe protocol (HTSESSION_FD, HTSESSION_END) set"
        )
    script = Script(os.path.abspath(sys.argv.pop()))
    if htsession.session().fetch():
        sys.path[:] = _module_path()
        run(script)


if __name__ == "__main__":
    main()
