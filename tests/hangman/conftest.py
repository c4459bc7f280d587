from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.harness import ROOT, Gateway

Serve = Callable[..., Gateway]
DIRECTIVES = f"""
ScriptAlias /programs/ {ROOT}/cgi-bin/
CGIActivationGroup python .py
StartCGI 2
SetEnv HTSESSION_PRELOAD sqlalchemy.dialects.sqlite
PersistentCGITimeout 5m
"""


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start gateways on the programs as they are: `serve(directives)`; what they write is in `data/`."""
    started: list[Gateway] = []

    def start(directives: str = "") -> Gateway:
        folder = tmp_path_factory.mktemp("hangman")
        started.append(Gateway(folder, f"{DIRECTIVES}SetEnv PROGRAM_DATA {folder}/data\n{directives}"))
        return started[-1].start()

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture(scope="session")
def site(serve: Serve) -> Gateway:
    """One gateway for all games; the database is an SQLite file."""
    return serve()


@pytest.fixture(scope="session")
def data(site: Gateway) -> Path:
    """Where the programs of `site` keep what outlives them."""
    return site.folder / "data" / "hangman"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Clients that come at once."""
    with ThreadPoolExecutor(8) as executor:
        yield executor
