"""docs/tutorial.md: its ten steps, one after the other, with the files, commands and answers that it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.harness import Gateway
from tests.docs.examples import page
from tests.docs.walk import Block, Walk, changed, steps

STEPS = steps(page("tutorial.md"))
pytestmark = pytest.mark.needs("curl")


class Reader(Walk):
    """Takes the steps in their order, each once."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self._left = list(STEPS)

    def step(self, title: str) -> None:
        """Take this step, and those before it that were not taken yet."""
        while title in self._left:
            for block in STEPS[self._left.pop(0)]:
                self.take(block)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    gateway = Gateway(tmp_path_factory.mktemp("tutorial"))
    gateway.by_command = True
    yield Reader(gateway)
    gateway.stop()


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    return Walk(Gateway(tmp_path))


def test_it_has_ten_steps_and_each_shows_a_program_or_a_change_and_what_comes_back() -> None:
    assert [title.split(". ")[0] for title in STEPS] == [str(number) for number in range(1, 11)]
    for title, blocks in STEPS.items():
        assert {"console"} < {block.kind for block in blocks}, title
        assert [block.file for block in blocks if block.file.startswith("cgi-bin/")], title


@pytest.mark.parametrize("title", STEPS)
def test_a_step_does_what_the_page_says(reader: Reader, title: str) -> None:
    reader.step(title)


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("echo Visit 1", "Visit 2\n"),
        ("echo Visit 1", "Visit 1"),
        ("echo Visit 1; echo more", "Visit 1\n"),
        ("echo; echo Visit 1", "Visit 1\n"),
        ("echo 1 and 2", "4711 and 4711\n"),
        ("echo short", "3f2a…\n"),
        ("false", ""),
        ("echo 1 >&2", ""),
        ("curl -s 127.0.0.1:8080/cgi-bin/shop.py/3f2a…", "…\n"),
    ],
)
def test_a_mistake_in_an_output_of_the_page_is_found(walk: Walk, command: str, output: str) -> None:
    with pytest.raises(AssertionError):
        walk.type(command, output)


def test_a_sign_stands_for_the_same_value_everywhere(walk: Walk) -> None:
    walk.type("echo 17 twice 17", "4711 twice 4711\n")
    walk.type("echo 4711", "4711\n")
    with pytest.raises(AssertionError):
        walk.type("echo 18", "4711\n")


@pytest.mark.parametrize(
    "change", ["-four\n", "-one\n", " two\n", "-tw\n+two\n", "two\n", " one\n+and\n", "-one\n-one\n@@\n-one\n"]
)
def test_a_change_that_does_not_fit_is_found(change: str) -> None:
    assert changed("one\ntwo\none\n", "+zero\n one\n two\n@@\n-two\n+2\n one\n") == "zero\none\n2\none\n"
    with pytest.raises(AssertionError):
        changed("one\ntwo\none\n", change)


def test_a_block_that_nobody_would_try_is_found(walk: Walk) -> None:
    with pytest.raises(AssertionError):
        walk.take(Block("text", "", "x\n"))
