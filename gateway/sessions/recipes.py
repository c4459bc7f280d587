"""The programs that the keeper has been told of (`gateway/keeper/recipe.py`)."""

from gateway.keeper.recipe import MOST_RECIPES
from gateway.program import Program
from gateway.sessions.keeper import KeeperLink, Recipe


class Recipes:
    """Numbers for programs, the one told of first is forgotten first; `most` is for tests."""

    def __init__(self, link: KeeperLink, most: int = MOST_RECIPES) -> None:
        self._link, self._most = link, most
        self._numbers: dict[Program, int] = {}

    def number(self, program: Program) -> int:
        """The number of a program, which the keeper knows from now on."""
        number = self._numbers.get(program)
        if number is not None:
            return number
        number = len(self._numbers)
        oldest = next(iter(self._numbers)) if number >= self._most else None
        if oldest is not None:
            number = self._numbers[oldest]
        self._link.recipe(number, _recipe(program))
        if oldest is not None:
            del self._numbers[oldest]
        self._numbers[program] = number
        return number


def _recipe(program: Program) -> Recipe:
    return Recipe(
        program.argv,
        program.environ | program.variables,
        program.directory,
        program.about,
        program.grace,
        program.identity,
        program.process_limits,
    )
