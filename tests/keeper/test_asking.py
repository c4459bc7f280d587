"""The front's end of the link: what it knows of questions that are open."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeper.link import Link
from gateway.keeper.permit import order_of
from gateway.keeper.recipe import MOST_RECIPES, MOST_TEXT
from gateway.keeper.recipe import Recipes as KnownRecipes
from gateway.sessions.keeper import KeeperLink, Order, Recipe
from gateway.sessions.recipes import Recipes
from tests.sessions.world import _program

WORDS = st.binary(max_size=20).map(lambda word: word.replace(b"\0", b""))
ABOUT = {"host": "", "cgi_name": "/a", "shared": False}


def test_a_question_is_open_until_its_answer_and_then_measured() -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        link, keeper = KeeperLink(ours, asyncio.get_running_loop()), Link(theirs)
        heard: list[tuple[str, float]] = []
        link.on_answer = lambda message, seconds: heard.append((message, seconds))
        assert link.waits == 0.0
        first, second = link.claim(1, b"k"), link.claim(2, b"k")
        before = link.waits
        assert 0.0 < before < link.waits
        keeper.send("claimed", tag=2)
        await second
        assert link.waits > before  # of the older one
        keeper.send("claimed", tag=1)
        await first
        assert link.waits == 0.0
        assert [message for message, _ in heard] == ["claim", "claim"]
        assert heard[0][1] > 0.0 and heard[1][1] >= before
        link.close()
        keeper.close()

    asyncio.run(run())


def recipe(environ: dict[bytes, bytes]) -> Recipe:
    return Recipe((b"/bin/true",), environ, b"/", ABOUT, 1.0, None, ())


@given(st.dictionaries(WORDS.filter(bool), WORDS), st.dictionaries(WORDS.filter(bool), WORDS), st.lists(WORDS))
def test_the_keeper_reads_what_a_front_says_of_a_program_and_of_a_start(
    constant: dict[bytes, bytes], own: dict[bytes, bytes], words: list[bytes]
) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        link, keeper = KeeperLink(ours, asyncio.get_running_loop()), Link(theirs)
        link.recipe(3, recipe(constant))
        link.start(Order(3, tuple(words), own, b"mark", body=False), lambda message: message)
        message, start = received(keeper, 2)
        told_of = KnownRecipes()
        told_of.add(message)
        known = told_of[start["recipe"]]
        assert (known.about, known.grace) == (ABOUT, 1.0)
        order = known.order_of(start)
        assert (order.argv, order.environ) == ([b"/bin/true", *words], constant | own)
        assert (known.order.argv, known.order.environ) == ([b"/bin/true"], constant), "for the next start"
        link.close()
        keeper.close()

    asyncio.run(run())


def test_a_program_is_told_of_once_and_the_first_one_is_forgotten_first() -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        link, keeper = KeeperLink(ours, asyncio.get_running_loop()), Link(theirs)
        recipes = Recipes(link, most=2)
        one, two, three = (_program(shared=False) for _ in range(3))
        asked = [one, two, one, three, two, one]
        assert [recipes.number(program) for program in asked] == [0, 1, 0, 0, 1, 1]
        assert [fields["number"] for fields in received(keeper, 4)] == [0, 1, 0, 1]
        link.close()
        keeper.close()

    asyncio.run(run())


def told(number: object, environ: bytes = b"") -> dict[str, Any]:
    order = {"argv": ["/bin/true"], "environ": environ, "directory": "/", "identity": None, "limits": []}
    return order | {"number": number, "about": ABOUT, "grace": 1.0}


@pytest.mark.parametrize("number", [-1, MOST_RECIPES, 0.5, "0", None])
def test_a_front_has_no_more_remembered_than_there_are_numbers(number: object) -> None:
    with pytest.raises(ValueError):
        KnownRecipes().add(told(number))


def test_a_front_has_no_more_remembered_than_so_much_text() -> None:
    long = b"A\0%b\0" % (b"a" * (MOST_TEXT // 2))
    recipes = KnownRecipes()
    for _ in range(3):
        recipes.add(told(0, long))
    with pytest.raises(ValueError, match="too long"):
        recipes.add(told(1, long))


def received(keeper: Link, count: int) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    while len(messages) < count:
        came = keeper.receive()
        assert came
        messages += [message.fields for message in came]
    assert not keeper.receive()
    return messages


@pytest.mark.parametrize("environ", [{b"A": b"b\0LD_PRELOAD"}, {b"A\0": b""}, {b"A": b"b\0C\0d"}])
def test_no_value_can_name_another_variable(environ: dict[bytes, bytes]) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        link = KeeperLink(ours, asyncio.get_running_loop())
        with pytest.raises(ValueError, match="NUL"):
            link.start(Order(0, (), environ, b"mark", body=False), lambda message: message)
        with pytest.raises(ValueError, match="NUL"):
            link.recipe(0, recipe(environ))
        link.close()
        theirs.close()

    asyncio.run(run())


@pytest.mark.parametrize("block", [b"A", b"A\0b", b"A\0b\0C\0"])
def test_an_environment_that_is_cut_is_not_read(block: bytes) -> None:
    fields = {"argv": ["/bin/true"], "environ": block, "directory": "/", "identity": None, "limits": []}
    with pytest.raises(ValueError):
        order_of(fields)
