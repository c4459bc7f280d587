"""From files to one balanced stream of statements: includes, definitions and conditions are resolved here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from gateway.directives.conditions import CONDITIONS, Known, holds
from gateway.directives.foreign.compatibility import guards, module, module_missed, module_served
from gateway.directives.grammar import (
    Line,
    join_words,
    logical_lines,
    parse_line,
    quote,
    section_arguments,
    split_words,
)
from gateway.directives.problems import Malformed, Notice, Notices, Place, Problem, shown
from gateway.directives.readers.values import absolute

_MAX_DEPTH = 20  # Apache's AP_MAX_INCLUDE_DEPTH
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class Sources(Protocol):
    """The files that Include can name; the room that does IO provides it."""

    def find(self, pattern: str) -> list[str]:
        """Files for a path, a folder or a glob, in order of name."""

    def real(self, path: str) -> str:
        """The one name of a file, whichever way it was reached."""

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder with this path."""

    def read(self, path: str) -> str:
        """A file's text. Raises OSError."""


class Statement(NamedTuple):
    """A directive (mark ""), a section's begin ("<") or its end ("</"); variables are replaced."""

    place: Place
    mark: str
    name: str
    arguments: str


class _Open(NamedTuple):
    name: str
    place: Place
    live: bool
    conditional: bool
    skipped: str = ""  # the module for whose sake it is not read


class Expander:
    """Reads a file and all that it includes into `statements`, `problems` and `notices`."""

    def __init__(
        self, sources: Sources, root: str, defines: Mapping[str, str], environ: Mapping[str, str]
    ) -> None:
        self.statements: list[Statement] = []
        self.problems: list[Problem] = []
        self.root = root
        self._sources = sources
        self._defines = dict(defines)
        self._environ = environ
        self._notices = Notices()
        self._loaded: dict[str, Place] = {}
        self._chain: list[str] = []
        self._controls: dict[str, Callable[[Place, list[str]], None]] = {
            "include": lambda place, words: self._include(place, words, optional=False),
            "includeoptional": lambda place, words: self._include(place, words, optional=True),
            "define": self._define,
            "undefine": self._undefine,
            "loadmodule": self._load_module,
            "error": self._error,
            "remoteiptrustedproxylist": lambda place, words: self._list(place, words, "RemoteIPTrustedProxy"),
            "remoteipinternalproxylist": lambda place, words: self._list(place, words, "RemoteIPInternalProxy"),
        }

    @property
    def notices(self) -> list[Notice]:
        """What was left out, and why."""
        missed = {name: place for name, place in self._loaded.items() if module_missed(name)}
        loaded = [
            Notice(place, f"LoadModule: nothing of these modules' work is done here: {', '.join(missed)}")
            for place in list(missed.values())[:1]
        ]
        return [*loaded, *self._notices.all()]

    def read(self, path: str, place: Place) -> None:
        """Read one file; place is the line that asked for it."""
        try:
            text = self._sources.read(path)
        except OSError as error:
            self._problem(place, f"cannot read {path}: {error.strerror or error}")
            return
        self._chain.append(self._sources.real(path))
        stack: list[_Open] = []
        for number, raw in logical_lines(text):
            self._line(parse_line(number, raw), Place(path, number), stack)
        self._close_down_to(0, stack)
        self._chain.pop()

    def _line(self, line: Line, place: Place, stack: list[_Open]) -> None:
        live = not stack or stack[-1].live
        try:
            if line.mark == "<":
                self._begin(line, place, stack, live)
            elif line.mark:
                self._end(line, place, stack)
            elif live:
                self._directive(line, place, outermost=not any(not one.conditional for one in stack))
            else:
                self._skipped(line, place, stack)
        except Malformed as error:
            self._problem(place, f"{line.mark}{line.name}{'>' if line.mark else ''}: {error}")

    def _directive(self, line: Line, place: Place, outermost: bool) -> None:
        arguments = self._replaced(line.arguments, place)
        control = self._controls.get(line.name.lower())
        if control:
            control(place, split_words(arguments))
            return
        if outermost and line.name.lower() == "serverroot":
            arguments = self._move_root(arguments)
        self.statements.append(Statement(place, "", line.name, arguments))

    def _move_root(self, arguments: str) -> str:
        """ServerRoot counts from its line on for Include; a relative one starts at the root so far."""
        words = split_words(arguments)
        if len(words) != 1:
            return arguments
        self.root = absolute(words[0], self.root)
        return quote(self.root)

    def _begin(self, line: Line, place: Place, stack: list[_Open], live: bool) -> None:
        kind = line.name.lower()
        stack.append(_Open(line.name, place, live, kind in CONDITIONS))
        if not live:
            self._skipped(line, place, stack)
            return
        arguments = self._replaced(self._bracketed(line, place), place)
        if not stack[-1].conditional:
            self.statements.append(Statement(place, "<", line.name, arguments))
        elif not holds(kind, words := split_words(arguments), self._known()):
            name = module(words[0]) if kind == "ifmodule" and not words[0].startswith("!") else ""
            stack[-1] = stack[-1]._replace(live=False, skipped=name)
            if name:
                self._notices.add(name, place, f"<IfModule {words[0]}> is skipped: {self._why(name)}")

    def _known(self) -> Known:
        return Known(self._defines, self._loaded, lambda path: self._sources.exists(absolute(path, self.root)))

    def _why(self, name: str) -> str:
        if module_served(name):
            return "the file loads modules, and not this one"
        return "nothing of this module's work is done here"

    def _skipped(self, line: Line, place: Place, stack: list[_Open]) -> None:
        """A line that is not read. What Apache would have kept people out with must not be lost unnoticed."""
        for at, one in enumerate(stack):
            if one.skipped in self._loaded and guards(line.name, line.arguments):
                stack[at] = one._replace(skipped="")
                self._problem(
                    place,
                    f"{line.name} would not be obeyed: nothing of {one.skipped}'s work is done here, so that "
                    f"<IfModule> (line {one.place.line}) is skipped; guard the place outside, or take this out",
                )

    def _bracketed(self, line: Line, place: Place) -> str:
        try:
            return section_arguments(line)
        except Malformed as error:
            self._problem(place, f"{line.mark}{line.name}>: {error}")
            return line.arguments.partition(">")[0]

    def _end(self, line: Line, place: Place, stack: list[_Open]) -> None:
        rest = self._bracketed(line, place)
        if rest:
            self._problem(place, f"</{line.name}>: expected nothing after the name, found {shown([rest])}")
        names = [one.name.lower() for one in stack]
        if line.name.lower() not in names:
            expected = f"</{stack[-1].name}> (begun at {stack[-1].place})" if stack else "no end of a section"
            raise Malformed(expected, f"</{line.name}>")
        innermost = len(names) - 1 - names[::-1].index(line.name.lower())
        self._close_down_to(innermost + 1, stack)
        self._close(stack, place)

    def _close_down_to(self, depth: int, stack: list[_Open]) -> None:
        while len(stack) > depth:
            place = stack[-1].place
            self._problem(place, f"<{stack[-1].name}>: expected </{stack[-1].name}>, found none that fits")
            self._close(stack, place)

    def _close(self, stack: list[_Open], place: Place) -> None:
        closed = stack.pop()
        if not closed.conditional and closed.live:
            self.statements.append(Statement(place, "</", closed.name, ""))

    def _include(self, place: Place, words: list[str], optional: bool) -> None:
        if len(words) != 1:
            raise Malformed("one path", shown(words))
        pattern = absolute(words[0], self.root)
        paths = self._sources.find(pattern)
        if not paths and not optional:
            raise Malformed("a file", f"none at {pattern}")
        for path in paths:
            if self._sources.real(path) in self._chain:
                raise Malformed("no circle of files", " -> ".join([*self._chain, self._sources.real(path)]))
            if len(self._chain) >= _MAX_DEPTH:
                raise Malformed(f"at most {_MAX_DEPTH} files within each other", path)
            self.read(path, place)

    def _list(self, place: Place, words: list[str], name: str) -> None:
        """The lines of a file as directives of one name, without comments; errors have their places there."""
        if len(words) != 1:
            raise Malformed("one path", shown(words))
        path = absolute(words[0], self.root)
        try:
            lines = self._sources.read(path).splitlines()
        except OSError as error:
            raise Malformed("a file of networks", f"none at {path} ({error.strerror or error})") from error
        for number, line in enumerate(lines, 1):
            given = join_words(line.partition("#")[0].split())
            if given:
                self.statements.append(Statement(Place(path, number), "", name, given))

    def _define(self, place: Place, words: list[str]) -> None:
        if len(words) not in (1, 2) or not re.fullmatch(r"[^:${}!]+", words[0]):
            raise Malformed("a name (without : $ { } !) and at most one value", shown(words))
        self._defines[words[0]] = "".join(words[1:])

    def _undefine(self, place: Place, words: list[str]) -> None:
        if len(words) != 1:
            raise Malformed("one name", shown(words))
        self._defines.pop(words[0], None)

    def _load_module(self, place: Place, words: list[str]) -> None:
        for word in words[:1]:
            self._loaded.setdefault(module(word), place)

    def _error(self, place: Place, words: list[str]) -> None:
        self._problem(place, f"Error: {' '.join(words)}")

    def _replaced(self, text: str, place: Place) -> str:
        return _VARIABLE.sub(lambda match: self._value(match, place), text) if "${" in text else text

    def _value(self, match: re.Match[str], place: Place) -> str:
        name = match[1]
        value = self._defines.get(name, self._environ.get(name))
        if value is None:
            self._notices.add(match[0], place, f"{match[0]} is not defined; left as it is")
        return match[0] if value is None else value

    def _problem(self, place: Place, text: str) -> None:
        self.problems.append(Problem(place, text))
