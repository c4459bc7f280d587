"""The words, a line each in words.txt beside this file, and a state as one line of text."""

import os
import secrets
from urllib.parse import parse_qsl, urlencode

from game.rules import State, from_fields, to_fields


def new_word() -> str:
    """One of the words. Nobody can tell which from those before: `random` would be guessable."""
    with open(os.path.join(os.path.dirname(__file__), "words.txt")) as file:
        return secrets.choice(file.read().split())


def to_text(state: State) -> str:
    """A state as `word=banana&tried=ae&called=&played=0&won=0&wrong=0`: safe in URLs, cookies and files."""
    return urlencode(to_fields(state))


def from_text(text: str) -> State:
    """The state of a text. Raises ValueError."""
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=6)
    if len(dict(pairs)) < len(pairs):
        raise ValueError("expected each field once")
    return from_fields(dict(pairs))
