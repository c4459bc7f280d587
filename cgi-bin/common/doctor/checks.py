"""Checks of values that were read from a JSON file; `place` is where a value stands (keywords.my.rank)."""

import json
import re
from collections.abc import Mapping
from typing import Any

KINDS = {dict: "an object", list: "a list that is not empty", str: "text", int: "a number from 0"}
LONGEST = 200  # characters of a text
WORD = re.compile(r"[a-z][a-z'-]*", re.ASCII)


class Mistake(ValueError):
    """A mistake in the file, and where it is."""


def lower(text: str) -> str:
    """A to Z only: so that it is the same in every language and interpreter."""
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text)


def load(path: str) -> dict[str, Any]:
    """The object in a file, where no name stands twice. Raises Mistake, OSError."""
    try:
        with open(path, encoding="utf-8") as file:
            table = json.load(file, object_pairs_hook=_once)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Mistake(str(error)) from None
    return check_object("the file", table)


def check(place: str, value: Any, kind: type) -> None:
    """Raises Mistake when the value is not of this kind (of KINDS)."""
    wrong = not isinstance(value, kind) or isinstance(value, bool)
    if wrong or (kind is list and not value) or (kind is int and value < 0):
        raise Mistake(f"{place}: expected {KINDS[kind]}, found {json.dumps(value)[:60]}")


def check_object(
    place: str, value: Any, fields: Mapping[str, type] | None = None, optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The object, if it has these fields and no others. Raises Mistake."""
    check(place, value, dict)
    for name in value:
        if fields is not None and name not in fields:
            raise Mistake(f"{place}: there is no {name!r}; expected {', '.join(fields)}")
    for name, kind in (fields or {}).items():
        if name in value:
            check(f"{place}.{name}", value[name], kind)
        elif name not in optional:
            raise Mistake(f"{place}: {name!r} is missing")
    return dict(value)


def check_texts(place: str, values: Any) -> list[str]:
    """The list, if it holds lines of text without markup. Raises Mistake."""
    check(place, values, list)
    for number, text in enumerate(values):
        check(f"{place}[{number}]", text, str)
        if not text.strip() or len(text) > LONGEST or re.search(r"[<>\n]", text):
            raise Mistake(f"{place}[{number}]: expected a line of up to {LONGEST} characters without < >")
    return list(values)


def check_words(place: str, values: Any) -> frozenset[str]:
    """The words of a list, in lower case. Raises Mistake."""
    words = [lower(text) for text in check_texts(place, values)]
    for word in words:
        if not WORD.fullmatch(word):
            raise Mistake(f"{place}: expected one word of the letters a to z, found {word!r}")
    return frozenset(words)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in pairs:
        if name in table:
            raise Mistake(f"{name!r} stands twice in the same object")
        table[name] = value
    return table
