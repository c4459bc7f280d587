"""Tests that need an outside tool say so: `@pytest.mark.needs("perl")`. Without it they are skipped by name."""

import shutil

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        missing = [tool for tool in marker.args if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"not installed here: {', '.join(missing)}")
