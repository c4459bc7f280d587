"""Tests that need an outside tool say so: `@pytest.mark.needs("perl")`. Without it they are skipped by name.

The suites that run in many languages have a target of their own for all but Python and Bash (`make languages`),
and so have those that play with databases (`make realworld`).
"""

from __future__ import annotations

import gc
import shutil
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

gc.disable()  # thousands of tests are collected, and stay: looking for garbage takes a fourth of that time
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell; programs inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # no time is a reason to fail

LANGUAGES = {"cc", "gcc", "g++", "clang", "clang++", "musl-gcc", "gfortran", "cobc", "perl"}
IN_MANY_LANGUAGES = {"docs", "helpers", "hosts", "programs"}
WITH_DATABASES = {"hangman", "transactions"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        needed = {tool for marker in item.iter_markers("needs") for tool in marker.args}
        if needed & LANGUAGES and item.path.parent.name in IN_MANY_LANGUAGES:
            item.add_marker("languages")
        if item.path.parent.name in WITH_DATABASES and item.path.name != "test_rules.py":
            item.add_marker("realworld")


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        missing = [tool for tool in marker.args if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"not installed here: {', '.join(missing)}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium: Playwright brings none of its own. One for all: a process has one Playwright."""
    from playwright.sync_api import expect, sync_playwright

    from tests.browser.conftest import ARGUMENTS
    from tests.browser.visitor import BOUND

    expect.set_options(timeout=BOUND)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield browser
        browser.close()
