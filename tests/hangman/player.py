"""A player of any of the programs: a small browser that keeps cookies, follows redirects, fills in forms."""

from __future__ import annotations

import html
import re
from collections import Counter
from string import ascii_lowercase
from typing import NamedTuple
from urllib.parse import urlencode

from tests.blackbox.harness import ROOT, Answer, Gateway
from tests.blackbox.markup import Markup

HANGMAN = ROOT / "cgi-bin" / "hangman"
WORDS = (HANGMAN / "game" / "words.txt").read_text().split()
DRAWING = re.compile("<svg .*?</svg>")  # has a title of its own
FOLDER = "/programs/hangman/"
CLIENT_SIDE = ("hidden", "cookie", "uri", "signed", "sealed")
SERVER_SIDE = ("memory", "file", "database")
PROGRAMS = (*CLIENT_SIDE, *SERVER_SIDE)


class Form(NamedTuple):
    """A form of a page: where it leads, its fields, the values of its buttons."""

    action: str
    fields: dict[str, str]
    buttons: list[str]


class Player:
    """One visitor of one program. `seen` holds what the server sent while the present game was open."""

    def __init__(self, site: Gateway, program: str, path: str = "") -> None:
        self.site, self.start = site, f"{FOLDER}{program}.py"
        self.cookies: dict[str, str] = {}
        self.url, self.seen = self.start, ""
        self.answer: Answer
        self.go(path or self.start)

    # ---- the browser

    def go(self, url: str) -> Player:
        """Fetch a page."""
        return self._request("GET", url, None)

    def send(self, form: Form, **fields: str) -> Player:
        """Post a form with these fields besides its own."""
        return self._request("POST", form.action, urlencode(form.fields | fields).encode())

    def _request(self, method: str, url: str, body: bytes | None) -> Player:
        for _ in range(4):
            answer = self.fetch(method, url, body)
            self.answer, self.url = answer, url
            for name, value in answer.fields:
                if name == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            self.seen += f"\n{url}\n{answer.fields}"
            if answer.status != 303:
                break
            method, url, body = "GET", str(answer.header("location")), None
        else:
            raise AssertionError(f"redirected again and again: {url}")
        if answer.status not in (410, 404):
            assert Markup(DRAWING.sub("", answer.text)).problems == [], answer.text
            self.seen += "" if self.is_over else answer.text
        return self

    def fetch(self, method: str, url: str, body: bytes | None = None) -> Answer:
        """One request with the player's cookies, without taking note of the answer."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.site.request(method, url, body, headers)

    # ---- what the page shows

    @property
    def text(self) -> str:
        """The page."""
        return self.answer.text

    @property
    def note(self) -> str:
        """What the page says about the last move."""
        return self._found(r'<p role="status" class="said">(.*?)</p>')

    @property
    def shown(self) -> str:
        """The word as far as it is known, with `_` for what is not."""
        letters = self._found(r"The word: (.*?)</span>").split(", ")
        return "".join("_" if letter == "blank" else letter for letter in letters)

    @property
    def misses(self) -> int:
        """The wrong guesses, as the drawing says them."""
        return int(self._found(r"<title[^>]*>Gallows, (\d) of 6 wrong guesses"))

    @property
    def is_over(self) -> bool:
        return re.search(r'class="said">[^<]*You (won|lost):', self.text) is not None

    @property
    def score(self) -> tuple[str, str, str]:
        """Games played, games won, wrong guesses a game."""
        played, won, average = re.findall(r"<dd>(.*?)</dd>", self.text)
        return played, won, average

    @property
    def tried(self) -> set[str]:
        """The letters that were tried: their buttons cannot be pressed."""
        return set(re.findall(r'value="([a-z])"[^>]* disabled', self.text))

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, self.text)
        assert found, self.text
        return html.unescape(found[1])

    def forms(self) -> list[Form]:
        """The forms of the page."""
        found: list[Form] = []
        for tag, attributes in Markup(self.text).elements:
            if tag == "form":
                found.append(Form(attributes["action"], {}, []))
            elif tag == "input" and attributes.get("type") == "hidden":
                found[-1].fields[attributes["name"]] = attributes["value"]
            elif tag == "button" and "disabled" not in attributes:
                found[-1].buttons.append(attributes.get("value", ""))
        return found

    def form(self, does: str = "") -> Form:
        """The form with the field for a guess, or the one that does this."""
        if does:
            return next(form for form in self.forms() if form.fields.get("do") == does)
        return next(form for form in self.forms() if "do" not in form.fields and form.buttons == [""])

    # ---- moves

    def guess(self, text: str) -> Player:
        """Type a letter or a word."""
        return self.send(self.form(), guess=text)

    def press(self, letter: str) -> Player:
        """Press the button of a letter."""
        return self.send(next(form for form in self.forms() if letter in form.buttons), guess=letter)

    def does(self, what: str) -> Player:
        """Press the button of a form that does `another`, `clear`, `end`."""
        if what == "another":
            self.seen = ""
        return self.send(self.form(what))

    # ---- ways to play

    def candidates(self) -> list[str]:
        """The words that it can be."""
        shown, tried = self.shown, self.tried
        return [
            word
            for word in WORDS
            if len(word) == len(shown)
            and all((x if x in tried else "_") == y for x, y in zip(word, shown, strict=True))
        ]

    def letters(self) -> list[str]:
        """The letters that were not tried, the likely ones first."""
        counts = Counter("".join("".join(set(word)) for word in self.candidates()))
        return sorted(set(ascii_lowercase) - self.tried, key=lambda letter: -counts[letter])

    def solve(self) -> str:
        """Play on by the likeliest letters until the game is over; the word."""
        while not self.is_over:
            self.press(self.letters()[0])
        return self.shown

    def lose(self) -> str:
        """Play on by the unlikeliest letters until the game is over; the word."""
        while not self.is_over:
            self.press(self.letters()[-1])
        return self.shown
