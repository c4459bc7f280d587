"""Where a warm host's processes put what they make, and code that was copied to one place."""

import subprocess
import sys

import pytest

from gateway.hosts import pages

_FRESH = """
size, count = int(sys.argv[1]), 100
made = [pages._object(size) for _ in range(2_000)]
begins = pages._POOL_HEADER
made = [one for number, one in enumerate(made) if number % 2 or id(one) % pages._POOL == begins]
kept = list(made)
pages.fill()
made = [pages._object(size) for _ in range(count)]
used, least = {id(one) >> 12 for one in made}, size * count >> 12
assert len(used) <= least + 3, (used, least)
"""
_FEW = """
pages.fill()
before = len(pages._kept)
pages.fill()
taken = [sys.getsizeof(one) for one in pages._kept[before:]]
for size in set(taken):
    assert taken.count(size) * size < pages._MOST / 8, (size, taken.count(size))
"""
_GATHERED = """
def outer(number):
    def inner(value):
        return value + number
    return [inner(value) for value in range(3)]

def other():
    pass

code, untouched = outer.__code__, other.__code__
pages.gather({id(code): code})
assert outer.__code__ == code and outer.__code__ is not code
assert other.__code__ is untouched
assert outer(5) == [5, 6, 7]
"""


def _run(text: str, *arguments: str) -> None:
    folder = pages.__file__.rpartition("/")[0]
    subprocess.run([sys.executable, "-c", f"import sys, pages\n{text}", *arguments], cwd=folder, check=True)


@pytest.mark.parametrize("size", [16, 32, 64, 272, 512])
def test_what_is_made_after_filling_lies_together_whatever_holes_there_were(size: int) -> None:
    _run(_FRESH, str(size))


def test_where_there_are_few_holes_filling_takes_little() -> None:
    _run(_FEW)


def test_gathered_functions_have_copies_of_their_code_and_do_what_they_did() -> None:
    _run(_GATHERED)
