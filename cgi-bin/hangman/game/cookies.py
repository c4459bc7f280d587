"""Cookies, read from the request and written as a line of a response (RFC 6265); games that live in one."""

import base64
import os
from urllib.parse import quote

from game.play import Place, Refused
from game.rules import State
from game.words import from_text, to_text

LONGEST = 1024  # characters of a value; browsers take 4096 bytes with name and attributes
DAYS = 30


def read(name: str) -> str | None:
    """The value of a cookie; None if there is none."""
    for pair in os.environ.get("HTTP_COOKIE", "").split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value
    return None


def line(name: str, value: str) -> str:
    """The head's line that sets a cookie: for this program only, out of reach for scripts and other sites."""
    if len(value) > LONGEST:
        raise ValueError(f"expected {LONGEST} characters at most, found {len(value)}")
    secure = "; Secure" if os.environ.get("HTTPS", "").lower() == "on" else ""
    path = quote(os.environ["SCRIPT_NAME"])
    return f"Set-Cookie: {name}={value}; Path={path}; Max-Age={DAYS * 86400}; HttpOnly; SameSite=Lax{secure}"


def exact(text: str) -> bool:
    """True for URL-safe base64 as it is written: decoders ignore bits of the last letter, and what follows."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    written = base64.urlsafe_b64encode(raw).decode()
    return text in (written, written.rstrip("="))


class CookiePlace(Place):
    """A state that is a cookie as a whole."""

    name = ""
    cookie = ""  # the line that sets it, when the state has changed

    def protected(self, text: str) -> str:
        """The cookie's value for a state's text."""
        return text

    def checked(self, value: str) -> str:
        """The state's text of a cookie's value. Raises Refused."""
        return value

    def load(self) -> State | None:
        value = read(self.name)
        if value is None:
            return None
        try:
            if len(value) > LONGEST:
                raise ValueError(f"expected {LONGEST} characters at most")
            return from_text(self.checked(value))
        except ValueError as error:
            raise Refused(f"The cookie is not a game: {error}. Here is a new one.") from error

    def save(self, state: State) -> None:
        self.cookie = line(self.name, self.protected(to_text(state)))

    def head(self) -> tuple[str, ...]:
        return (self.cookie,) if self.cookie else ()
