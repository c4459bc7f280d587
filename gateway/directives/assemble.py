"""From the stream of statements to the tree of scopes: names, contexts and values are checked here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.directives.addresses import Address, parse_address
from gateway.directives.compatibility import IGNORED
from gateway.directives.directive import CONTEXTS, Container, Directive, Row
from gateway.directives.expand import Statement
from gateway.directives.grammar import join_words, split_words
from gateway.directives.options import WITHOUT_EFFECT, Options
from gateway.directives.problems import Malformed, Notice, Place, Problem, suggestion
from gateway.directives.sections import Pattern, Section, make_pattern
from gateway.directives.settings import Assignment, collect
from gateway.directives.steering import ROWS

_MAX_SUGGESTIONS = 100  # beyond it is not a directives file, and a suggestion costs about a millisecond


@dataclass
class Scope:
    """What one section, or the main server, holds. A section that is refused has no pattern and no address."""

    context: str
    title: str
    place: Place
    pattern: Pattern | None = None
    addresses: tuple[Address, ...] = ()
    assignments: list[Assignment] = field(default_factory=list)
    hosts: list[Scope] = field(default_factory=list)
    directories: list[Section] = field(default_factory=list)
    files: list[Section] = field(default_factory=list)
    locations: list[Section] = field(default_factory=list)

    def section(self, pattern: Pattern) -> Section:
        """The finished section."""
        return Section(
            self.title, self.context, pattern, self.place, collect(self.assignments), tuple(self.files)
        )

    def sections(self, kind: str) -> list[Section]:
        """The finished sections of one kind (D, F, L) within this one."""
        return {"D": self.directories, "F": self.files, "L": self.locations}[kind]


class Assembler:
    """Builds `main` and what is below it from statements; collects problems and notices."""

    def __init__(self, main: Place, root: str) -> None:
        self.main = Scope("S", "main server", main)
        self.problems: list[Problem] = []
        self.notices: list[Notice] = []
        self.assignments: list[Assignment] = []
        self._root = root
        self._scopes = [self.main]
        self._names = [row.name for row in ROWS.values()]
        self._suggestions = 0
        self._noticed: set[str] = set()

    def run(self, statements: Iterable[Statement]) -> None:
        """Take the whole stream; it is balanced."""
        steps = {"": self._directive, "<": self._begin, "</": self._end}
        for statement in statements:
            try:
                steps[statement.mark](statement)
            except Malformed as error:
                closing = ">" if statement.mark else ""
                text = f"{statement.mark}{statement.name}{closing}: {error}"
                self.problems.append(Problem(statement.place, text))

    def _directive(self, statement: Statement) -> None:
        row = self._row(statement, "directive")
        if not isinstance(row, Directive):
            return
        self._check_context(row, statement.place)
        value = row.reader.read(split_words(statement.arguments), self._root)
        self.assignments.append(Assignment(row, value, statement.place))
        self._scopes[-1].assignments.append(self.assignments[-1])
        if isinstance(value, Options):
            self._notice_options(value, statement.place)

    def _row(self, statement: Statement, kind: str) -> Row | None:
        row = ROWS.get(statement.name.lower())
        if row is not None and isinstance(row, Container) == (kind == "section"):
            return row
        if row is not None:
            form = f"<{row.name} …>" if isinstance(row, Container) else f"{row.name} …"
            self.problems.append(Problem(statement.place, f"expected {form}, found the name as a {kind}"))
        elif kind == "directive" and statement.name.lower() in IGNORED:
            name, reason = IGNORED[statement.name.lower()]
            self._notice_once(name, Notice(statement.place, f"{name} has no effect here: {reason}"))
        else:
            self.problems.append(Problem(statement.place, self._unknown(statement, kind)))
        return None

    def _unknown(self, statement: Statement, kind: str) -> str:
        self._suggestions += 1
        near = suggestion(statement.name, self._names) if self._suggestions <= _MAX_SUGGESTIONS else ""
        found = f"<{statement.name}>" if statement.mark else statement.name
        return f"expected a known {kind}, found {found}{near}"

    def _check_context(self, row: Row, place: Place) -> None:
        scope = self._scopes[-1]
        if scope.context not in row.contexts:
            allowed = ", ".join(CONTEXTS[letter] for letter in row.contexts)
            text = f"{row.name}: expected in {allowed}, found in {scope.title}"
            self.problems.append(Problem(place, text))

    def _begin(self, statement: Statement) -> None:
        container = self._row(statement, "section")
        scope = Scope(self._scopes[-1].context, f"<{statement.name}>", statement.place)
        if not isinstance(container, Container):
            self._scopes.append(scope)
            return
        self._check_context(container, statement.place)
        self._scopes.append(scope)
        scope.context, scope.title = container.inside, f"<{container.name}>"
        words = split_words(statement.arguments)
        scope.title = f"<{container.name} {join_words(words)}>"
        if container.inside == "V":
            scope.addresses = self._addresses(words)
        else:
            scope.pattern = make_pattern(container.inside, words, container.regex, self._root)

    def _addresses(self, words: list[str]) -> tuple[Address, ...]:
        if not words:
            raise Malformed("one or more addresses such as *:80", "nothing")
        return tuple(map(parse_address, words))

    def _end(self, statement: Statement) -> None:
        scope = self._scopes.pop()
        outer = self._scopes[-1]
        if scope.addresses:
            outer.hosts.append(scope)
        elif scope.pattern is not None:
            outer.sections(scope.context).append(scope.section(scope.pattern))

    def _notice_options(self, value: Options, place: Place) -> None:
        for name in WITHOUT_EFFECT:
            if name in value.added or (value.absolute and name in value.absolute):
                self._notice_once(name, Notice(place, f"Options {name} has no effect here"))

    def _notice_once(self, key: str, notice: Notice) -> None:
        if key not in self._noticed:
            self._noticed.add(key)
            self.notices.append(notice)
