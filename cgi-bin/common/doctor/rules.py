"""Reads the rules of a doctor (rules.json) and checks them: a mistake is told with its place in the file."""

import re
from typing import Any, NamedTuple

from common.doctor.checks import Mistake, check_object, check_texts, check_words, load, lower
from common.doctor.pattern import Pattern

Phrases = dict[tuple[str, ...], list[str]]
KEYWORD = {"rank": int, "rules": list, "memory": list}
FILE = {
    "about": str, "initial": list, "final": list, "quit": list, "breaks": list, "none": list,
    "pre": dict, "post": dict, "classes": dict, "keywords": dict,
}  # fmt: skip


class Rule:
    """What may be said to sentences that a pattern fits; told from others by identity."""

    def __init__(self, pattern: Pattern, answers: list[str]) -> None:
        self.pattern, self.answers = pattern, answers


class Keyword(NamedTuple):
    """`memory`: rules for what to come back to later, when nothing better is to be said."""

    rank: int
    rules: list[Rule]
    memory: list[Rule]


class Rules:
    """Everything of a file; words in lower case."""

    def __init__(self, table: dict[str, Any]) -> None:
        """Raises Mistake."""
        check_object("the file", table, FILE, optional=("about",))
        self.initial, self.final, self.none = (
            Rule(Pattern("*", {}), _sayings(name, table[name])) for name in ("initial", "final", "none")
        )
        self.quit = {tuple(lower(text).split()) for text in check_texts("quit", table["quit"])}
        self.breaks = check_words("breaks", table["breaks"])
        self.pre, self.post = _phrases("pre", table["pre"]), _phrases("post", table["post"])
        self._classes = {name: self._class(name, words) for name, words in table["classes"].items()}
        self.keywords: dict[str, Keyword] = {}
        for name, row in table["keywords"].items():
            if lower(name) in self.keywords:
                raise Mistake(f"keywords.{name}: stands twice")
            self.keywords[lower(name)] = self._keyword(name, row)
        for name in self.keywords:
            self._follow((name,))

    def _class(self, name: str, words: Any) -> frozenset[str]:
        found = check_words(f"classes.{name}", words)
        for word in found:
            self._reachable(f"classes.{name}", word)
        return found

    def _keyword(self, name: str, row: Any) -> Keyword:
        place = f"keywords.{name}"
        check_words(place, [name])
        self._reachable(place, lower(name))
        check_object(place, row, KEYWORD, optional=("memory",))
        for number, rule in enumerate(row.get("memory", [])):
            _sayings(
                f"{place}.memory[{number}].say", check_object(f"{place}.memory[{number}]", rule).get("say")
            )
        rules, memory = (
            [self._rule(f"{place}.{kind}[{number}]", rule) for number, rule in enumerate(row.get(kind, []))]
            for kind in ("rules", "memory")
        )
        return Keyword(row["rank"], rules, memory)

    def _rule(self, place: str, row: Any) -> Rule:
        check_object(place, row, {"when": str, "say": list})
        pattern = self._pattern(f"{place}.when", lower(row["when"]))
        answers = check_texts(f"{place}.say", row["say"])
        for number, answer in enumerate(answers):
            for part in re.findall(r"\(([0-9]+)\)", answer):
                if not 1 <= int(part) <= pattern.parts:
                    raise Mistake(
                        f"{place}.say[{number}]: there is no part ({part}); there are {pattern.parts}"
                    )
        return Rule(pattern, answers)

    def _pattern(self, place: str, text: str) -> Pattern:
        words = [word for word in text.split() if word not in "*_" and not word.startswith("@")]
        if words:
            check_words(place, words)
        for word in words:
            self._reachable(place, word)
        try:
            return Pattern(text, self._classes)
        except ValueError as error:
            raise Mistake(f"{place}: {error}") from None

    def _reachable(self, place: str, word: str) -> None:
        if (word,) in self.pre:
            instead = " ".join(self.pre[word,])
            raise Mistake(f"{place}: {word!r} is never seen, since 'pre' makes {instead!r} of it")
        if word in self.breaks:
            raise Mistake(f"{place}: {word!r} is never seen, since it stands in 'breaks'")

    def _follow(self, path: tuple[str, ...]) -> None:
        for rule in self.keywords[path[-1]].rules:
            for name in (target(answer) for answer in rule.answers if is_goto(answer)):
                if name not in self.keywords:
                    raise Mistake(f"keywords.{path[-1]}: goes to {name!r}, which is no keyword")
                if name in path:
                    raise Mistake(f"keywords.{name}: goes in a circle: {' -> '.join((*path, name))}")
                self._follow((*path, name))


def read(path: str) -> Rules:
    """The rules of a file. Raises Mistake, OSError."""
    try:
        return Rules(load(path))
    except Mistake as error:
        raise Mistake(f"{path}: {error}") from None


def is_goto(answer: str) -> bool:
    """Whether this is no answer but the way to another keyword's rules."""
    return answer.startswith("goto ")


def target(answer: str) -> str:
    """The keyword of a goto."""
    return lower(answer.removeprefix("goto ").strip())


def _sayings(place: str, values: Any) -> list[str]:
    for number, answer in enumerate(check_texts(place, values)):
        if answer == "newkey" or is_goto(answer):
            raise Mistake(f"{place}[{number}]: expected what to say, found {answer!r}")
    return list(values)


def _phrases(place: str, table: dict[str, Any]) -> Phrases:
    for text, instead in table.items():
        check_texts(f"{place}.{text}", [instead])
        check_words(f"{place}.{text}", (text.removesuffix(" .") if place == "post" else text).split())
    return {tuple(lower(text).split()): instead.split() for text, instead in table.items()}
