from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.blackbox.harness import ROOT
from tests.browser.site import Site
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]
# To draw as if there were a graphics card would cost a sixth more of the time
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-gpu-compositing"]


@pytest.fixture(scope="session")
def built() -> None:
    """What is compiled stands where the settings look for it."""
    subprocess.run(["make", "--silent", "programs"], cwd=ROOT, check=True, timeout=120)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The repository's own settings and programs, served to all tests of a module."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    site.stop()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """Let visitors in: `visit(**options)`, options as of Playwright's new_context. What was wrong on the pages
    that they saw fails the test."""
    visitors: list[Visitor] = []

    def come(address: str = "", **options: object) -> Visitor:
        visitors.append(Visitor(browser, address or site.address, options))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []
