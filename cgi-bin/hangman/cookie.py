#!/usr/bin/env python3
"""Hangman whose state lives in a cookie, as readable text: the second of the lecture's six places.

A one-shot program. What the browser sends back is checked for being a game at all; more cannot be known.
"""

from game.cookies import CookiePlace
from game.play import play


class Cookie(CookiePlace):
    title = "Hangman in a cookie"
    about = (
        "The word, your guesses and your score are a cookie in your browser, for 30 days; "
        "the game survives closing the page, and the server keeps nothing. "
        "Whoever looks at the browser's cookies reads the word in plain text. "
        "A cheat edits the cookie, and as long as it is still a game nothing can be noticed."
    )
    name = "hangman-cookie"


if __name__ == "__main__":
    play(Cookie())
