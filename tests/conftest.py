"""Tests that need an outside tool say so: `@pytest.mark.needs("perl")`. Without it they are skipped by name."""

import gc
import shutil

import pytest

gc.disable()  # thousands of tests are collected, and stay: looking for garbage takes a fourth of that time


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        missing = [tool for tool in marker.args if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"not installed here: {', '.join(missing)}")
