"""`make fuzz` itself: it runs every target, tells its figures, and finds what is planted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blackbox.harness import ROOT
from tests.fuzz.target import NAMES

BOUND = 400  # seconds: twenty processes, each of which loads and instruments the gateway
pytestmark = [pytest.mark.faults, pytest.mark.timeout(BOUND + 10)]


def fuzz(folder: Path, *arguments: str) -> tuple[int, str]:
    """Status and output of a run."""
    command = [sys.executable, "-m", "tests.fuzz", *arguments, "--models", "0", "--folder", str(folder / "run")]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BOUND)
    return finished.returncode, finished.stdout + finished.stderr


def test_every_target_runs_both_ways_and_lets_nothing_escape(tmp_path: Path) -> None:
    status, told = fuzz(tmp_path, "--count", "100", "--generated", "0.2", "--json", str(tmp_path / "told.json"))
    assert status == 0, told
    rows = json.loads((tmp_path / "told.json").read_text())
    assert {(row["target"], row["way"]) for row in rows} == {
        (name, way) for name in NAMES for way in ("atheris", "hypothesis")
    }
    assert all(row["inputs"] >= 20 and not row["escapes"] for row in rows), told
    assert all(row["edges"] > 10 for row in rows if row["way"] == "atheris"), told


def test_a_run_that_its_time_ended_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "scgi",
        "--models",
        "0",
        "--seconds",
        "0.5",
        "--generated",
        "1",
    ]
    finished = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=BOUND,
    )
    assert finished.returncode == 0, finished.stderr
    assert re.search(r"^scgi by hypothesis: \d+ of 1000000 inputs in its time$", finished.stdout, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [["nosuch"], ["scgi", "--generated", "2"]])
def test_a_word_that_cannot_be_is_refused_at_once(tmp_path: Path, wrong: list[str]) -> None:
    status, told = fuzz(tmp_path, *wrong)
    assert status == 2 and f"found {wrong[-1]}" in told, told


def test_a_planted_error_is_found_told_and_kept(tmp_path: Path) -> None:
    status, told = fuzz(tmp_path, "planted", "--count", "20000", "--generated", "0.05")
    assert status == 1, told
    assert re.search(r"^planted +atheris +19000 .* 1$", told, re.MULTILINE), told
    assert "KeyError: 'planted'" in told
    (kept,) = (tmp_path / "run" / "planted" / "guided" / "escapes").iterdir()
    data = kept.read_bytes()
    assert data.startswith(b"b") and b"ug" in data
