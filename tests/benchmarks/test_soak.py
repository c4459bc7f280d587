"""`make soak` in its smallest size: it passes, and it fails when something leaks on purpose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.soak import growth
from tests.blackbox.harness import ROOT

# Python runs it when it starts: here in the front alone
LEAK = """
import sys, threading, time
if "gateway.front" in sys.orig_argv:
    kept = []
    def leak():
        while True:
            kept.append((open("/dev/null"), bytearray(50_000)))
            time.sleep(0.02)
    threading.Thread(target=leak, daemon=True).start()
"""
SAMPLES = [
    growth.Sample(number, 20_000, 1e5 + number % 7, 100 + number % 5, 20 + number % 3, 2)
    for number in range(100)
]


def soak(folder: Path, **environment: str) -> tuple[int, str, dict[str, object]]:
    """Status, output and figures of a run of 2,000 requests."""
    file = folder / "told.json"
    command = [sys.executable, "-m", "bench.soak", "--seconds", "20", "--count", "2000", "--visitors", "8"]
    finished = subprocess.run(
        [*command, "--json", str(file)], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
        timeout=110,
    )  # fmt: skip
    return finished.returncode, finished.stdout + finished.stderr, json.loads(file.read_text())


@pytest.mark.faults
@pytest.mark.needs("perl", "gcc")
def test_sessions_in_every_language_come_and_go_with_the_right_answers_and_nothing_grows(
    tmp_path: Path,
) -> None:
    status, told, figures = soak(tmp_path)
    assert status == 0, told
    assert figures["requests"] >= 2000 and figures["wrong"] == 0 and figures["problems"] == []  # type: ignore[operator]
    assert set(figures["sessions"]) == {"looping", "hosted.py", "hosted.pl", "shared.cgi"}  # type: ignore[call-overload]
    assert set(figures["over"]) == {"left", "ended", "crashed"}  # type: ignore[call-overload]
    assert all(line["flat"] for line in figures["lines"])  # type: ignore[attr-defined]


@pytest.mark.faults
def test_a_front_that_leaks_memory_and_descriptors_fails(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(LEAK)
    status, told, figures = soak(tmp_path, PYTHONPATH=str(tmp_path))
    assert status == 1, told
    assert "NOT MET: memory rises by" in told and "NOT MET: descriptors rises by" in told, told
    assert figures["wrong"] == 0, told


def test_what_goes_up_and_down_is_flat_and_what_rises_is_told() -> None:
    assert all(line.flat for line in growth.lines(SAMPLES))
    for kind, step in (("memory", 50.0), ("descriptors", 0.3), ("processes", 0.2), ("threads", 0.02)):
        rising = [
            one._replace(**{kind: getattr(one, kind) + number * step}) for number, one in enumerate(SAMPLES)
        ]
        assert [line.kind for line in growth.lines(rising) if not line.flat] == [kind]


def test_memory_may_grow_while_what_is_remembered_of_sessions_fills_up() -> None:
    filling = [
        one._replace(sessions=30 * number, memory=one.memory + 30 * number)
        for number, one in enumerate(SAMPLES)
    ]
    assert all(line.flat for line in growth.lines(filling))
    full = [one._replace(sessions=one.sessions + 12_000) for one in filling]
    assert [line.kind for line in growth.lines(full) if not line.flat] == ["memory"]
