"""Host of returning Python programs: runs one script again and again, with its globals kept.

Started as `interpreter python.py SCRIPT`; on the wire a looping program like any other (P1 to P11).
Standard library only, Python 3.8 or newer: another interpreter than the gateway's may run it.
"""

from __future__ import annotations

import ast
import os
import sys
import types

TYPE_CHECKING = False
HELPERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "helpers")
WARM = "HTSESSION_WARM" in os.environ
# What small scripts import; nothing of it starts threads or opens files
AHEAD = """
    base64 collections.abc datetime email.message email.parser functools hashlib hmac html http.cookies io itertools
    json linecache locale math random re secrets shutil sqlite3 string subprocess tempfile textwrap time traceback
    urllib.parse
""".split()  # noqa: SIM905
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import NoReturn

    from gateway.helpers import htsession
    from gateway.hosts import zygote
else:
    if WARM:
        import zygote
    sys.path.insert(0, HELPERS)
    import htsession


class Script:
    """A script as module `__main__`: the whole file at first, then its guarded block if it has one."""

    ahead: Collection[str] = ()  # modules that were loaded before the script was known

    def __init__(self, path: str) -> None:
        self.path = path
        self.module = types.ModuleType("__main__")
        self.module.__file__ = path
        self.source = b""
        self.next_code: types.CodeType | None = None

    def move_in(self) -> None:
        """Make this process the script's: arguments, module path, working directory."""
        directory = os.path.dirname(self.path)
        own = os.path.dirname(os.path.abspath(__file__)), HELPERS
        sys.argv[:] = [self.path]
        sys.path[:] = [directory, *(entry for entry in sys.path if entry not in own), HELPERS]
        os.chdir(directory)
        sys.modules["__main__"] = self.module
        if self.ahead:
            self._prefer_own_modules(directory)

    def _prefer_own_modules(self, directory: str) -> None:
        """A module beside the script comes before one of its name that was loaded ahead of need."""
        zygote.name_process(self.path)
        beside = {name.partition(".")[0] for name in os.listdir(directory)}
        if any(name.partition(".")[0] in beside for name in self.ahead):
            for name in self.ahead:
                del sys.modules[name]

    def call(self) -> None:
        """Answer one request. An exit without success and any other uncaught error end the process."""
        try:
            exec(self.next_code or self._load(), self.module.__dict__)  # noqa: S102
        except BaseException as error:
            if isinstance(error, SystemExit) and error.code in (None, 0):
                return
            htsession.session().flush()
            if isinstance(error, SystemExit):
                raise
            self._report(error)
            sys.exit(1)

    def _load(self) -> types.CodeType:
        """The code of the first call; the file is not read again in this process's life. Raises SyntaxError."""
        with open(self.path, "rb") as file:
            self.source = file.read()
        tree = ast.parse(self.source, self.path)
        whole = self._compile(tree)
        guarded = [node for node in tree.body if _is_main_guard(node)]
        futures = [
            node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        ]
        later = ast.Module(body=[*futures, *guarded], type_ignores=[])
        self.next_code = self._compile(later) if guarded else whole
        return whole

    def _compile(self, tree: ast.Module) -> types.CodeType:
        code: types.CodeType = compile(tree, self.path, "exec", dont_inherit=True)
        return code

    def _report(self, error: BaseException) -> None:
        """The trace of the script alone, by the script's own hook if it has set one."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != self.path:
            trace = trace.tb_next
        if sys.excepthook is not sys.__excepthook__:
            sys.excepthook(type(error), error, trace)
            return
        self._show_lines_as_loaded()
        import traceback  # costs too much to import it ahead of need

        traceback.print_exception(type(error), error, trace)

    def _show_lines_as_loaded(self) -> None:
        # an entry without a time is never read again: the file may have changed since it was loaded
        import importlib.util
        import linecache

        try:
            text = importlib.util.decode_source(self.source)
        except (SyntaxError, UnicodeDecodeError):
            return
        linecache.cache[self.path] = (len(text), None, text.splitlines(keepends=True), self.path)


def _is_main_guard(node: ast.stmt) -> bool:
    """True for `if __name__ == "__main__":` at the top of a file, either way round."""
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"] and isinstance(node.test.ops[0], ast.Eq)


def run(path: str | None) -> None:
    """Serve requests until the request pipe ends (P8); without a path the first one names the script (P11)."""
    try:
        if not htsession.session().fetch():
            return
        script = Script(os.path.abspath(path or os.environ["SCRIPT_FILENAME"]))
        script.move_in()
        script.call()
        while htsession.session().fetch():
            script.call()
    except htsession.ProtocolError as error:
        sys.exit(f"HTS011 {path or 'warm host'}: {error}")


def warm() -> NoReturn:
    """Be a warm host: what many scripts import is there already when they are started."""
    without = set(sys.modules)
    for name in AHEAD:
        __import__(name)
    Script.ahead = sys.modules.keys() - without
    with_them = set(sys.modules)
    zygote.serve()
    zygote.finish(lambda: run(None), lambda: _let_go(sys.modules.keys() - with_them))


def _let_go(modules: Collection[str]) -> None:
    """The script's objects and those of what it has imported go, files are written out."""
    for name in ["__main__", *modules]:
        variables = vars(sys.modules.pop(name))
        for variable in sorted(variables, key=lambda text: not text.startswith("_")):
            if variable != "__builtins__":
                variables[variable] = None


def main() -> None:
    """Serve one script, or make processes that do."""
    if len(sys.argv) == 1 and WARM:
        warm()
    if len(sys.argv) != 2 or "HTSESSION_FD" not in os.environ:
        sys.exit(
            "usage: python.py SCRIPT, with the variables of the pipe protocol (HTSESSION_FD, HTSESSION_END) set"
        )
    run(sys.argv[1])


if __name__ == "__main__":
    main()
