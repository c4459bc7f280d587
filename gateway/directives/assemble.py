"""From the stream of statements to the tree of scopes: names, contexts and values are checked here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.directives import table
from gateway.directives.directive import CONTEXTS, Container, Directive, Row
from gateway.directives.expand import Statement
from gateway.directives.foreign.ignored import IGNORED
from gateway.directives.foreign.refused import REFUSED_SECTIONS, harmless, refusal
from gateway.directives.grammar import join_words, split_words
from gateway.directives.methods import LIMITS, Methods, read_methods
from gateway.directives.problems import Malformed, Notice, Notices, Place, Problem, suggestion
from gateway.directives.readers import requirements, requiring
from gateway.directives.readers.addresses import Address, parse_address
from gateway.directives.sections import Pattern, Section, make_pattern
from gateway.directives.settings import Assignment, collect
from gateway.directives.steering import ROWS

_OLD = (table.Order, table.Allow, table.Deny, table.Satisfy)
_MAX_SUGGESTIONS = 100  # beyond it is not a directives file, and a suggestion costs about a millisecond


@dataclass
class Scope:
    """What one section, or the main server, holds. A section that is refused has no pattern and no address.

    `group`: it is one of Require's groups, or a `limit` (<Limit>, <LimitExcept>) within one; `methods`: for
    which its lines count.
    """

    context: str
    title: str
    place: Place
    pattern: Pattern | None = None
    addresses: tuple[Address, ...] = ()
    group: Container | None = None
    limit: Container | None = None
    methods: Methods | None = None
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
        self.assignments: list[Assignment] = []
        self._root = root
        self._scopes = [self.main]
        self._names = [row.name for row in ROWS.values()]
        self._suggestions = 0
        self._notices = Notices()
        self._refused = 0  # how many sections deep within one that is refused

    @property
    def notices(self) -> list[Notice]:
        """What has no effect, and why."""
        return self._notices.all()

    def run(self, statements: Iterable[Statement]) -> None:
        """Take the whole stream; it is balanced."""
        steps = {"": self._directive, "<": self._begin, "</": self._end}
        for statement in statements:
            if self._refused:
                self._refused += {"": 0, "<": 1, "</": -1}[statement.mark]
                continue
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
        self._check_group(row, value)
        self._assign(Assignment(row, value, statement.place))
        for remark in row.remarks(value):
            self._notices.add(remark, statement.place, remark)

    def _assign(self, assignment: Assignment) -> None:
        self.assignments.append(assignment)
        self._scopes[-1].assignments.append(assignment)

    def _check_group(self, row: Row, value: object = None) -> None:
        """Groups of Require hold Require and each other; what can only take away has its place in them."""
        scope = self._scopes[-1]
        self._check_place(scope, row, row.name)
        group = scope.group
        if isinstance(value, requirements.Rules):
            for term in value.terms:
                requiring.check_member(group, term)

    def _check_place(self, scope: Scope, row: Row, name: str) -> None:
        """What may stand within a group of Require, and within <Limit>. Raises Malformed."""
        inner = row in (table.Require, *requirements.GROUPS, *LIMITS)
        if scope.group is not None and not inner:
            raise Malformed(f"Require or a group of it within <{scope.group.name}>", name)
        if scope.limit is not None and not inner and row not in _OLD:
            expected = "Require, a group of it, Order, Allow, Deny or Satisfy"
            raise Malformed(f"{expected} within <{scope.limit.name}> (all else holds for every method)", name)

    def _row(self, statement: Statement, kind: str) -> Row | None:
        row = ROWS.get(statement.name.lower())
        if row is not None and isinstance(row, Container) == (kind == "section"):
            return row
        if row is not None:
            form = f"<{row.name} …>" if isinstance(row, Container) else f"{row.name} …"
            self.problems.append(Problem(statement.place, f"expected {form}, found the name as a {kind}"))
        elif not (self._foreign(statement) if kind == "directive" else self._foreign_section(statement)):
            self.problems.append(Problem(statement.place, self._unknown(statement, kind)))
        return None

    def _foreign(self, statement: Statement) -> bool:
        """True for a directive that another server knows: ignored with a notice, or refused."""
        name, refused = statement.name, refusal(statement.name)
        if name.lower() in IGNORED:
            name, reason = IGNORED[name.lower()]
            self._notices.add(name, statement.place, f"{name} has no effect here: {reason}")
        elif refused and harmless(name, " ".join(split_words(statement.arguments))):
            text = f"{name} {statement.arguments} has no effect here: {refused.instead.partition(': ')[0]}"
            self._notices.add(f"{name} {statement.arguments}", statement.place, text)
        elif refused:
            self.problems.append(Problem(statement.place, f"{name} is not served: {refused.instead}"))
        else:
            return False
        return True

    def _foreign_section(self, statement: Statement) -> bool:
        """True for a section that another server knows: refused, and what is in it not read."""
        refused = REFUSED_SECTIONS.get(statement.name.lower())
        if refused is None:
            return False
        self._refused = 1
        text = f"<{refused.name}> is not served: {refused.instead}"
        self.problems.append(Problem(statement.place, text))
        return True

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
            self._scopes += [] if self._refused else [scope]
            return
        self._check_context(container, statement.place)
        outer = self._scopes[-1]
        self._scopes.append(scope)
        words = split_words(statement.arguments)
        self._check_place(outer, container, f"<{container.name}>")
        if container in requirements.GROUPS:
            scope.group, scope.methods = container, outer.methods
            if words:
                raise Malformed("nothing after the name", join_words(words))
            return
        if container in LIMITS:
            scope.group, scope.limit = outer.group, container
            scope.methods = read_methods(container, words, outer.methods)
            return
        scope.context, scope.title = container.inside, f"<{container.name}>"
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
        if scope.limit is not None:
            limited = [one._replace(value=one.value.limited(scope.methods)) for one in scope.assignments]
            outer.assignments.extend(limited)
        elif scope.group is not None:
            self._end_group(scope, scope.group)
        elif scope.addresses:
            outer.hosts.append(scope)
        elif scope.pattern is not None:
            outer.sections(scope.context).append(scope.section(scope.pattern))

    def _end_group(self, scope: Scope, group: Container) -> None:
        try:
            rules = requiring.grouped(group, (one.value for one in scope.assignments))
            self._check_group(group, rules)
        except Malformed as error:
            self.problems.append(Problem(scope.place, f"<{group.name}>: {error}"))
        else:
            self._assign(Assignment(table.Require, rules, scope.place))
