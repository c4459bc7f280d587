"""Names of clients' programs: `PersistentCGIDeny`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.regexes import compiled

Agents = tuple[str, ...]
# Cubot makes telephones
BOTS: Agents = (
    r"(?<!cu)bot\b",
    r"\bcrawl(?:er|ing)?\b",
    "spider",
    "slurp",
    "mediapartners-google",
    "facebookexternalhit",
    "ia_archiver",
    "bingpreview",
    r"(?:link|url|uri) ?preview",
)
_REMEMBERED = 1024  # names of clients


class AgentsReader(NamedTuple):
    """`agent-regex …`, or `none`."""

    syntax: str = "agent-regex … | none"

    def read(self, words: Words, root: str) -> Agents:
        """The expressions as they stand; none for `none`."""
        if not words or "" in words:
            raise Malformed("one or more regular expressions, or none", shown(words))
        if [word.lower() for word in words] == ["none"]:
            return ()
        for word in words:
            compiled(word, ignore_case=True)
        return tuple(words)

    def lines(self, value: Agents) -> Iterable[Words]:
        """One line."""
        return [value or ("none",)]


@lru_cache(maxsize=64)
def matcher(agents: Agents) -> Callable[[bytes], bool] | None:
    """Whether a User-Agent is one of these, in any letter case; None: nobody is. The newest answers are
    remembered."""
    if not agents:
        return None
    patterns = [compiled(agent, ignore_case=True) for agent in agents]

    @lru_cache(_REMEMBERED)
    def matches(agent: bytes) -> bool:
        text = agent.decode("latin-1")
        return any(pattern.search(text) for pattern in patterns)

    return matches
