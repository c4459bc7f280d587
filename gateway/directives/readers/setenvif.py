"""`SetEnvIf` and `BrowserMatch`: variables that depend on a request (Apache's mod_setenvif)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.regexes import compiled

_USER_AGENT = "User-Agent"
_REFERENCE = re.compile(r"\\([$\\])|\$([0-9])")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")
_SETTING = re.compile(r"(!)?([^\s!=][^\s=]*)(?:=(.*))?", re.DOTALL)
_ASPECTS = ("Remote_Addr", "Server_Addr", "Request_Method", "Request_Protocol", "Request_URI")
# What only Apache itself obeys (its documentation, "Special Purpose Environment Variables")
_APACHES_OWN = (
    "downgrade-1.0 force-gzip force-no-vary force-response-1.0 gzip-only-text/html no-brotli no-gzip no-cache "
    "no-etag nokeepalive prefer-language redirect-carefully ssl-accurate-shutdown ssl-unclean-shutdown "
    "suppress-error-charset proxy-nokeepalive proxy-sendchunked proxy-sendcl"
)
WITHOUT_EFFECT = frozenset(_APACHES_OWN.split())
_RESERVED = re.compile(r"HTSESSION_.*|QZHBNEXT_.*|CONTENT_(LENGTH|TYPE)|PATH_(INFO|TRANSLATED)|SCGI")
_OBEYED = re.compile(
    r"(LD|DYLD|BASH|NODE|MALLOC|GLIBC)_.*|(PYTHON|PERL|RUBY|JAVA|GCONV).*|_JAVA_.*|PATH|IFS|ENV|SHELLOPTS|HOME|TMPDIR"
)


class Subject(NamedTuple):
    """What conditions look at. Header names in lower case; `aspects` by their names in lower case."""

    headers: Sequence[tuple[str, str]]
    aspects: Mapping[str, str]


class Setting(NamedTuple):
    """A variable and its value, with `$1` for what matched; None takes the variable back."""

    name: str
    value: str | None


@dataclass(frozen=True)
class Condition:
    """One line. `kind` is its directive; `settings` are those with an effect, `words` all as written."""

    kind: str
    attribute: str
    regex: str
    words: tuple[str, ...]
    settings: tuple[Setting, ...] = field(init=False, compare=False)
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _names: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = compiled(self.regex, ignore_case=self.kind.endswith("NoCase"))
        given = [_setting(word, pattern.groups) for word in self.words]
        by_name = None if _PLAIN_NAME.fullmatch(self.attribute) else compiled(self.attribute, ignore_case=True)
        object.__setattr__(self, "settings", tuple(one for one in given if one.name not in WITHOUT_EFFECT))
        object.__setattr__(self, "_pattern", pattern)
        object.__setattr__(self, "_names", by_name)

    def match(self, subject: Subject, variables: Mapping[str, str]) -> re.Match[str] | None:
        """What matched of the attribute; one that is missing is an empty text."""
        if self._names is not None:
            values = [value for name, value in subject.headers if self._names.search(name)]
            found = (self._pattern.search(value) for value in values)
            return next((match for match in found if match), None)
        return self._pattern.search(self._value(subject, variables))

    def _value(self, subject: Subject, variables: Mapping[str, str]) -> str:
        name = self.attribute.lower()
        if name in subject.aspects:
            return subject.aspects[name]
        values = [value for header, value in subject.headers if header == name]
        return ", ".join(values) if values else variables.get(self.attribute, "")


Conditions = tuple[Condition, ...]


def _setting(word: str, groups: int) -> Setting:
    match = _SETTING.fullmatch(word)
    if match is None or (match[1] and match[3] is not None):
        raise Malformed("variable, variable=value or !variable", shown([word]))
    name, value = match[2], None if match[1] else "1" if match[3] is None else match[3]
    if _RESERVED.fullmatch(name):
        raise Malformed("a variable that no request has of its own", shown([name]))
    used = [int(found[2]) for found in _REFERENCE.finditer(value or "") if found[2]]
    if used and _OBEYED.fullmatch(name):
        raise Malformed("a variable that no interpreter obeys, since a client chooses the value", shown([word]))
    if used and max(used) > groups:
        raise Malformed(f"at most ${groups}, since the expression has {groups} groups", shown([word]))
    return Setting(name, value)


def evaluate(conditions: Conditions, subject: Subject) -> dict[str, str]:
    """The variables of a request, each line in turn; later lines see what earlier ones set."""
    variables: dict[str, str] = {}
    for condition in conditions:
        match = condition.match(subject, variables)
        for name, value in condition.settings if match else ():
            if value is None:
                variables.pop(name, None)
            else:
                variables[name] = _filled(value, match)
    return variables


def _filled(value: str, match: re.Match[str] | None) -> str:
    if match is None or ("$" not in value and "\\" not in value):
        return value
    return _REFERENCE.sub(lambda part: part[1] or match[int(part[2])] or "", value)


def tested(name: str) -> str:
    """A variable on which access depends: one that is ever set. Raises Malformed."""
    if not name or name in WITHOUT_EFFECT:
        raise Malformed("a variable that SetEnvIf sets here (not one that steers Apache itself)", shown([name]))
    return name


def active(conditions: Conditions) -> Conditions:
    """Those that can set something."""
    return tuple(one for one in conditions if one.settings)


class ConditionReader(NamedTuple):
    """`attribute regex [!]variable[=value] …`, for BrowserMatch without the attribute."""

    kind: str

    @property
    def syntax(self) -> str:
        """The arguments."""
        return f"{'' if self._browser else 'attribute '}regex [!]variable[=value] …"

    @property
    def _browser(self) -> bool:
        return self.kind.startswith("Browser")

    def read(self, words: Words, root: str) -> Conditions:
        """One condition."""
        given = [_USER_AGENT, *words] if self._browser else list(words)
        if len(given) < 3 or not given[0]:
            raise Malformed(self.syntax, shown(words))
        if given[0].lower() == "remote_host":
            raise Malformed(
                f"{', '.join(_ASPECTS)} or a header (names of clients are not looked up)", shown(words)
            )
        return (Condition(self.kind, given[0], given[1], tuple(given[2:])),)

    def lines(self, value: Conditions) -> Iterable[Words]:
        """One line for each condition of this kind."""
        for one in value:
            if one.kind == self.kind:
                yield [one.regex, *one.words] if self._browser else [one.attribute, one.regex, *one.words]


def remarks(value: Conditions) -> Iterator[str]:
    """What of a condition has no effect, and what there is a plainer way for."""
    for condition in value:
        for word in condition.words:
            name = word.removeprefix("!").partition("=")[0]
            if name in WITHOUT_EFFECT:
                yield f"{condition.kind}: {name} has no effect here: it steers Apache itself"
            if name == "HTTP_AUTHORIZATION":
                yield f"{condition.kind}: CGIPassAuth On is the plain way to give programs Authorization"
