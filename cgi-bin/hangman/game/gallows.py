"""The drawing: a gallows, and a part of the man for each wrong guess."""

from html import escape

from game.rules import WRONG

PARTS = (
    ("head", '<circle cx="140" cy="62" r="17"/>'),
    ("body", '<path d="M140 79V135"/>'),
    ("left arm", '<path d="M140 93L115 115"/>'),
    ("right arm", '<path d="M140 93L165 115"/>'),
    ("left leg", '<path d="M140 135L118 170"/>'),
    ("right leg", '<path d="M140 135L162 170"/>'),
)
FRAME = '<path class="frame" d="M20 205H120M45 205V20H140M45 50L75 20"/><path d="M140 20V45"/>'


def drawing(misses: int) -> str:
    """An inline SVG image (HTML) that says in its title what it shows."""
    parts = ", ".join(name for name, _ in PARTS[:misses]) or "nobody yet"
    text = escape(f"Gallows, {misses} of {WRONG} wrong guesses: {parts}")
    lines = "".join(line for _, line in PARTS[:misses])
    return (
        f'<svg class="gallows" viewBox="0 0 190 215" role="img" aria-labelledby="gallows">'
        f'<title id="gallows">{text}</title>{FRAME}{lines}</svg>'
    )
