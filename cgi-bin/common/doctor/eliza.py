"""Eliza, after J. Weizenbaum, "ELIZA: a computer program for the study of natural language communication
between man and machine", Communications of the ACM 9 (1966), 36-45.

She understands nothing. A text is cut into clauses; words are made alike (`pre`); the first clause with a
keyword counts, its keyword of the highest rank goes first; the first of its patterns that fits gives the
answer, with parts of the clause in it, turned round (`post`: my -> your). Without a keyword she comes back to
something said earlier. The words for all that lie in a file (rules.json). Eliza.pm is the same in Perl.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator

from common.doctor.checks import lower
from common.doctor.pattern import Parts
from common.doctor.rules import Phrases, Rule, Rules, is_goto, target

LONGEST_TEXT = 500  # characters of what a patient says; the rest is not heard
LONGEST_MEMORY = 20  # sentences to come back to; the oldest are forgotten
# No \s, \w, \Z: other languages mean other characters by them
BLANKS = (
    '\\x00-\\x20\\x7f-\\xa0"()\\[\\]{}<>*_|/`~^=+#\\\\\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff“”„«»'
)
BREAK = re.compile(r"[,;!?\n…–—]|[.:](?![^\x00-\x20.:])")
WORD = re.compile(f"[^{BLANKS}]+")


class Conversation:
    """One patient's: whose turn each answer is, and what to come back to."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._turns: Counter[Rule] = Counter()
        self._memory: deque[str] = deque(maxlen=LONGEST_MEMORY)
        self.is_over = False

    def begin(self) -> str:
        """What is said first."""
        return self._next(self._rules.initial)

    def end(self) -> str:
        """What is said last."""
        self.is_over = True
        return self._next(self._rules.final)

    def answer(self, text: str) -> str:
        """The answer to anything; plain text, at most a few times as long as LONGEST_TEXT."""
        clauses = list(self._clauses(text[:LONGEST_TEXT]))
        if any(tuple(map(lower, words)) in self._rules.quit for words in clauses):
            return self.end()
        for words in clauses:
            if waiting := self._keywords(words):
                found = (self._by_keyword(name, words) for name in waiting)
                answer = next(filter(None, found), None) or self._without_keyword()
                self._remember(waiting[0], words)
                return answer
        return self._without_keyword()

    def _clauses(self, text: str) -> Iterator[list[str]]:
        for part in BREAK.split(text.replace("’", "'").replace("‘", "'")):
            words = [word for found in WORD.findall(part) if (word := found.strip(".:'-"))]
            clause: list[str] = []
            for word in substitute(words, self._rules.pre):
                if lower(word) in self._rules.breaks:
                    yield clause
                    clause = []
                else:
                    clause.append(word)
            yield clause

    def _keywords(self, words: list[str]) -> list[str]:
        """Those of a clause, the highest rank first, of equals the one that came first."""
        found = [name for name in dict.fromkeys(map(lower, words)) if name in self._rules.keywords]
        return sorted(found, key=lambda name: -self._rules.keywords[name].rank)

    def _by_keyword(self, name: str, words: list[str]) -> str | None:
        """The answer by a keyword's rules, or None if the next keyword is to be tried."""
        for rule, parts in self._fitting(self._rules.keywords[name].rules, words):
            answer = self._next(rule)
            if answer == "newkey":
                return None
            if is_goto(answer):
                return self._by_keyword(target(answer), words)
            return self._assemble(answer, parts)
        return None

    def _without_keyword(self) -> str:
        return self._memory.popleft() if self._memory else self._next(self._rules.none)

    def _remember(self, name: str, words: list[str]) -> None:
        for rule, parts in self._fitting(self._rules.keywords[name].memory, words):
            self._memory.append(self._assemble(self._next(rule), parts))
            return

    def _fitting(self, rules: list[Rule], words: list[str]) -> Iterator[tuple[Rule, Parts]]:
        keys = [lower(word) for word in words]
        for rule in rules:
            parts = rule.pattern.match(words, keys)
            if parts is not None:
                yield rule, parts

    def _next(self, rule: Rule) -> str:
        turn = self._turns[rule]
        self._turns[rule] += 1
        return rule.answers[turn % len(rule.answers)]

    def _assemble(self, answer: str, parts: Parts) -> str:
        """The answer with the patient's words in place of (1), (2) …, a capital at its beginning."""
        own = [
            " ".join(substitute([*part, "."], self._rules.post)).removesuffix(".").rstrip(" ") for part in parts
        ]
        text = re.sub(r"\(([0-9]+)\)", lambda found: own[int(found[1]) - 1], answer)
        text = re.sub(" (?=[.,:?!])", "", re.sub(" +", " ", text.strip(" ")))
        return re.sub("^[a-z]", lambda found: found[0].upper(), text)


def substitute(words: list[str], phrases: Phrases) -> list[str]:
    """`words` with every phrase of the table replaced, longer ones first, from left to right."""
    longest = max(map(len, phrases), default=0)
    keys, result, at = [lower(word) for word in words], [], 0
    while at < len(words):
        for length in range(min(longest, len(words) - at), 0, -1):
            instead = phrases.get(tuple(keys[at : at + length]))
            if instead is not None:
                result += instead
                at += length
                break
        else:
            result.append(words[at])
            at += 1
    return result
