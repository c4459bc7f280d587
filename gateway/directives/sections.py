"""Which section applies to which path: Apache's rules for plain paths, wildcards and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from gateway.directives.problems import Malformed, Place, shown
from gateway.directives.readers.regexes import checked, compiled
from gateway.directives.readers.values import absolute
from gateway.directives.settings import Settings

_WILD = re.compile(r"[*?\[]")
_SPECIAL = frozenset(r".^$*+?{}[]\|()")


class Pattern(NamedTuple):
    """`form` is "path", "glob" or "regex"; `text` is what the file says.

    `matches` decides on a folder with its trailing slash (Directory), a URL path (Location), a name (Files).
    """

    form: str
    text: str
    matches: Callable[[str], object]


class Section(NamedTuple):
    """A section with what it says itself; `files` are the Files sections within a Directory."""

    title: str
    kind: str
    pattern: Pattern
    place: Place
    settings: Settings
    files: tuple[Section, ...] = ()


def make_pattern(kind: str, words: list[str], regex: bool, root: str) -> Pattern:
    """The pattern of a Directory, Location or Files section (kind D, L or F). Raises Malformed."""
    if len(words) == 2 and words[0] == "~" and not regex:
        words, regex = words[1:], True
    if len(words) != 1 or not words[0]:
        raise Malformed(
            "one regular expression" if regex else "one path (or ~ and a regular expression)", shown(words)
        )
    text = words[0]
    if regex:
        return Pattern("regex", text, compiled(text).search)
    form = "glob" if _WILD.search(text) else "path"
    if kind == "D":
        text = absolute(text, root).rstrip("/")
        below = f"{text}/"
        glob = form == "glob"
        return Pattern(
            form, text or "/", checked(rf"\A{_translated(below)}").search if glob else _starting(below)
        )
    if kind == "L" and not text.startswith("/"):
        raise Malformed("a URL path that begins with /", shown([text]))
    if form == "glob":
        return Pattern(form, text, checked(rf"\A{_translated(text)}\Z").search)
    return Pattern(form, text, _at_or_below(text) if kind == "L" else text.__eq__)


def _starting(prefix: str) -> Callable[[str], bool]:
    return lambda subject: subject.startswith(prefix)


def _at_or_below(path: str) -> Callable[[str], bool]:
    below = path if path.endswith("/") else f"{path}/"
    return lambda url: url == path or url.startswith(below)


def _translated(glob: str) -> str:
    """The regular expression of an APR fnmatch pattern with FNM_PATHNAME: wildcards do not match `/`."""
    return re.sub(r"\\.|\*+|\?|\[[!^]?\]?[^\]/]*\]|.", _translated_part, glob, flags=re.DOTALL)


def _translated_part(match: re.Match[str]) -> str:
    part = match[0]
    if part.startswith("*"):
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if len(part) > 2 and part.startswith("["):
        inner = part[1:-1]
        sign = "^" if inner[0] in "!^" and len(inner) > 1 else ""
        escaped = re.sub(r"([]\[^&~|\\])", r"\\\1", inner[len(sign) :])
        return f"(?!/)[{sign}{escaped}]"
    return re.escape(part[-1] if part.startswith("\\") else part)


def varies_below(pattern: Pattern, prefix: str) -> bool:
    """True if some URL below prefix + "/" could be matched otherwise than prefix itself; True when in doubt."""
    below = prefix.rstrip("/") + "/"
    if pattern.form == "path":
        return pattern.text.startswith(below) and pattern.text != "/"
    if pattern.form == "glob":
        return _glob_reaches(pattern.text, prefix)
    literal, whole = _literal_start(pattern.text)
    if whole:
        return literal.startswith(below)
    return below.startswith(literal) or literal.startswith(below)


def _glob_reaches(glob: str, prefix: str) -> bool:
    if "[" in glob or "\\" in glob:
        return True
    parts, own = glob.split("/"), prefix.rstrip("/").split("/")
    head = "/".join(parts[: len(own)])
    return len(parts) >= len(own) and re.search(rf"\A{_translated(head)}\Z", "/".join(own)) is not None


def _literal_start(regex: str) -> tuple[str, bool]:
    """What every match begins with, and whether that is all the expression says; ("", False) if unknown."""
    if not regex.startswith("^") or "|" in regex or "(?" in regex:
        return "", False
    end = 1
    while end < len(regex) and regex[end] not in _SPECIAL:
        end += 1
    optional = end < len(regex) and regex[end] in "*?{"
    return regex[1 : end - 1 if optional else end], end == len(regex)


def directory_order(section: Section) -> tuple[bool, int]:
    """Sort key: shortest path first, by components as Apache counts them; regular expressions last."""
    regex = section.pattern.form == "regex"
    return regex, 0 if regex else section.pattern.text.rstrip("/").count("/")
