#!/usr/bin/env python3
"""Hangman whose state lives in a cookie that is encrypted and authenticated: neither readable nor changeable.

A one-shot program. The seal is Fernet (AES-CBC and an HMAC, the package cryptography); of several keys the
newest seals and each opens, so that keys can be changed while games go on (game/keys.py).
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from game.cookies import CookiePlace, exact
from game.keys import keys
from game.play import Refused, play


class Sealed(CookiePlace):
    title = "Hangman in a sealed cookie"
    about = (
        "The word, your guesses and your score are a cookie in your browser, encrypted under a key of "
        "the server. "
        "Whoever looks at it reads nothing, and one that was changed, or made elsewhere, is refused. "
        "A cheat can only keep a copy and put it back later: an old cookie opens as on its day, so that each "
        "letter can be tried on a copy of the same game."
    )
    name = "hangman-sealed"

    def seal(self) -> MultiFernet:
        """Seals by the first of its keys, which is the newest; opens by all."""
        return MultiFernet([Fernet(key) for key in keys("sealed")])

    def protected(self, text: str) -> str:
        return self.seal().encrypt(text.encode()).decode()

    def checked(self, value: str) -> str:
        try:
            if not exact(value):
                raise InvalidToken
            return self.seal().decrypt(value).decode()
        except InvalidToken as error:
            raise Refused(
                "The cookie was changed, or sealed by a key that is not in use (any more): it is refused. "
                "Here is a new game.",
                "403 Forbidden",
            ) from error


if __name__ == "__main__":
    play(Sealed())
