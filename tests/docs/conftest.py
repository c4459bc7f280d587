from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blackbox.conftest import pool, serve, serve_shared
from tests.blackbox.harness import ROOT

__all__ = ["build", "built", "pool", "serve", "serve_shared"]


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a copy of the pages as `make docs` does."""
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT / ".ci"), "NO_COLOR": "1"},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built from a copy."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"
