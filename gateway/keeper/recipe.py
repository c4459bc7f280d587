"""What a front says once of a program: each start names it by a number, and says what is its own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.keeper.fields import about_of, grace_of
from gateway.keeper.permit import environ_of, order_of
from gateway.keeper.spawn import Order

MOST_RECIPES = 256  # of a front; a number that comes again stands for another program
MOST_TEXT = 1 << 24  # characters of all of them, as Python shows them


class Recipe(NamedTuple):
    """How a program is started each time, and what is known of its instances."""

    order: Order
    about: dict[str, Any]
    grace: float

    def order_of(self, fields: Mapping[str, Any]) -> Order:
        """The order of one `start`: its `words` are further arguments, its `environ` goes before the recipe's.
        Raises LookupError, TypeError, ValueError, AttributeError."""
        argv, environ, directory, identity, limits = self.order
        words = [word.encode("latin-1") for word in fields["words"]]
        return Order(argv + words, environ | environ_of(fields["environ"]), directory, identity, limits)


class Recipes:
    """Those of one front. It may be an attacker's: what is kept for it is bounded."""

    def __init__(self) -> None:
        self._known: dict[int, Recipe] = {}
        self._sizes: dict[int, int] = {}

    def add(self, fields: Mapping[str, Any]) -> None:
        """Keep what a `recipe` says. Raises LookupError, TypeError, ValueError, AttributeError."""
        number = fields["number"]
        if not isinstance(number, int) or not 0 <= number < MOST_RECIPES:
            raise ValueError(f"expected a number from 0 to {MOST_RECIPES - 1}, found {number!r:.60}")
        self._sizes[number] = len(repr(fields))
        if sum(self._sizes.values()) > MOST_TEXT:
            raise ValueError("the recipes are too long")
        self._known[number] = Recipe(order_of(fields), about_of(fields), grace_of(fields))

    def __getitem__(self, number: int) -> Recipe:
        """What a number stands for. Raises LookupError, TypeError."""
        return self._known[number]
