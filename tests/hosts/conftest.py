from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.conftest import pool
from tests.blackbox.harness import Gateway
from tests.hosts.languages import LANGUAGES, STARTS, Language
from tests.hosts.script import Script

__all__ = ["pool"]

# The gateway of all tests of the contract; the folders `cold` and `warm` hold the same programs
_DIRECTIVES = """
MaxPersistentCGI 1000
MaxCGIJobs 2000
CGIActivationGroup python .py
CGIActivationGroup python .other interpreter=/usr/bin/python3
CGIActivationGroup perl .pl
CGIActivationGroup native .so
SetEnv HOSTS_SET "of the directives file"
PassEnv HOSTS_PASSED
<DirectoryMatch "/short">
    PersistentCGITimeout 250ms
</DirectoryMatch>
<DirectoryMatch "/own-settings">
    SetEnv HOSTS_SET "of the folder"
    SetEnv PATH /usr/bin:/bin
    RLimitCPU 1000 2000
</DirectoryMatch>
"""


@pytest.fixture(scope="session")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway with a folder of programs for each kind of start."""
    folder = tmp_path_factory.mktemp("hosts")
    places = "".join(
        f"ScriptAlias /{start}/ {start}/\n<Directory {folder}/{start}>\nStartCGI {count}\n</Directory>\n"
        for start, count in STARTS.items()
    )
    gateway = Gateway(folder, _DIRECTIVES + places)
    build(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTS_PASSED", "of the gateway's environment")
        patch.setenv("HOSTS_SECRET", "not named")
        gateway.start()
    yield gateway
    assert gateway.stop() == 0


def build(folder: Path) -> None:
    """Every program whose compiler is here, in a folder for each kind of start; in `old` those that must have
    some age when they are called."""
    built = folder / "built"
    built.mkdir()
    for language in LANGUAGES:
        if all(shutil.which(tool) for tool in language.tools):
            language.place(built)
    for start in STARTS:
        shutil.copytree(built, folder / start)
        shutil.copytree(built, folder / start / "old", copy_function=shutil.copyfile)


@pytest.fixture
def script(request: pytest.FixtureRequest, hosting: Gateway) -> Script:
    """The program of one language, cold or warm (`languages.over`)."""
    language: Language
    language, start = request.param
    return Script(hosting, language, start)
