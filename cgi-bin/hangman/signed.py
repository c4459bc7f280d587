#!/usr/bin/env python3
"""Hangman whose state lives in a cookie with a message authentication code: readable, but not changeable.

A one-shot program. The code is an HMAC with SHA-256 under a key of the server (itsdangerous); of several keys
the newest signs and each verifies, so that keys can be changed while games go on (game/keys.py).
"""

import hashlib

from itsdangerous import BadSignature, Signer

from game.cookies import CookiePlace, exact
from game.keys import keys
from game.play import Refused, play


class Signed(CookiePlace):
    title = "Hangman in a signed cookie"
    about = (
        "The word, your guesses and your score are a cookie in your browser, with a message authentication "
        "code behind it that only the server can make. "
        "Whoever looks at the cookie still reads the word, but one that was changed, or made elsewhere, "
        "is refused. "
        "A cheat can keep a copy and put it back later: an old cookie is as genuine as on its day, and the old "
        "game comes back."
    )
    name = "hangman-signed"

    def signer(self) -> Signer:
        """Signs by the last of its keys, which is the newest; verifies by all."""
        newest_last = keys("signed")[::-1]
        return Signer(newest_last, salt=self.name, key_derivation="hmac", digest_method=hashlib.sha256)

    def protected(self, text: str) -> str:
        return self.signer().sign(text).decode()

    def checked(self, value: str) -> str:
        try:
            text = self.signer().unsign(value).decode()
            if not exact(value.rpartition(".")[2]):
                raise BadSignature("written in another way")
            return text
        except BadSignature as error:
            raise Refused(
                "The cookie was changed, or signed by a key that is not in use (any more): it is refused. "
                "Here is a new game.",
                "403 Forbidden",
            ) from error


if __name__ == "__main__":
    play(Signed())
