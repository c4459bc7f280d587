"""The same tests on every database: SQLite in the fast suite, real servers in `make realworld`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import databases
from tests.blackbox.conftest import Serve, pool, serve, serve_shared
from tests.transactions.bank import Bank

__all__ = ["bank", "pool", "serve", "serve_shared"]
SERVERS = {"mariadb": databases.mariadb, "postgresql": databases.postgresql}
KINDS = ["sqlite", *(pytest.param(kind, marks=pytest.mark.realworld) for kind in SERVERS)]


@pytest.fixture(scope="module", params=KINDS)
def bank(
    request: pytest.FixtureRequest, serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bank]:
    """A new bank on each kind of database."""
    data = tmp_path_factory.mktemp("data")
    if request.param == "sqlite":
        yield Bank("sqlite", f"sqlite:///{data}/bank/bank.sqlite", data, serve_shared)
        return
    with databases.folder_for_servers() as folder, SERVERS[request.param](folder) as url:
        yield Bank(request.param, url, data, serve_shared)
