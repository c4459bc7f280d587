"""`make bench` still runs: each section in the smallest size. What it measures here is not looked at."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.blackbox.harness import ROOT

pytestmark = pytest.mark.realworld  # beside Apache; too slow for every run

RATE = r"\d+ \(\d+ to \d+\)"


def bench(*arguments: str) -> str:
    """What the benchmark prints."""
    command = [sys.executable, "-m", "bench", *arguments, "--rounds", "1", "--seconds", "1"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "skipped" not in finished.stdout, finished.stdout
    return finished.stdout


@pytest.mark.needs("wrk", "gcc")
def test_requests_to_living_sessions_beside_uvicorn() -> None:
    told = bench("living", "--connections", "2")
    assert re.search(r"2 connections: median ratio \d\.\d\d", told), told


@pytest.mark.needs("wrk", "apache2", "perl", "gcc")
def test_one_shot_scripts_beside_mod_cgid_with_the_goal() -> None:
    told = bench("starts", "--connections", "2")
    for label in ("Python, small", "Perl, small", "Perl, CGI.pm", "C, counter.c"):
        row = rf"{label} +2 conn\.: mod_cgid {RATE} +cold {RATE} +warm {RATE} +warm/mod_cgid \d+\.\d "
        assert re.search(row, told), told
    assert re.search(r"Python, small .*goal 6: (not )?met", told), told


@pytest.mark.needs("gcc")
def test_what_others_notice_of_one_client_that_misbehaves() -> None:
    told = bench("abuse")
    for attack in ("sessions", "guesses", "drips", "idle", "headers"):
        assert re.search(rf"{attack} +calm +\d+\.\d\d ms, attacked +\d+\.\d\d ms, ratio \d+\.\d\d", told), told


@pytest.mark.needs("perl", "gcc")
def test_sessions_created_in_a_second_and_the_memory_of_idle_ones_with_the_goal() -> None:
    told = bench("sessions", "memory", "--sessions", "3")
    for label in ("Python, counter.py", "Perl, counter.pl", "C, counter.c"):
        assert re.search(rf"{label} *: cold {RATE} +warm {RATE} +warm/cold \d+\.\d ", told), told
        assert re.search(rf"{label} *: cold +\d+\.\d\d +\d+\.\d\d +warm +\d+\.\d\d +\d+\.\d\d", told), told
    assert len(re.findall(r"Python.*goal 1\.3: (?:not )?met", told)) == 2, told
