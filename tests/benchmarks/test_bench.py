"""`make bench` still runs: each section in the smallest size. What it measures here is not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import chart, table
from bench.results import LEAST, MOST, Goal, Row, summary
from tests.blackbox.harness import ROOT

BOUND = 500  # seconds


def measured(test: Callable[[Path], None]) -> Callable[[Path], None]:
    """A test beside servers of others, too slow for every run."""
    return pytest.mark.realworld(pytest.mark.timeout(BOUND)(test))


def bench(folder: Path, *arguments: str) -> dict[str, dict[str, object]]:
    """The rows by work and peer."""
    command = [sys.executable, "-m", "bench", *arguments, "--rounds", "1", "--seconds", "1"]
    report = folder / "report.json"
    command += ["--json", str(report)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BOUND)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "skipped" not in finished.stdout, finished.stdout
    rows = json.loads(report.read_text())["rows"]
    assert all(figure > 0 for row in rows for figure in row["ours"] if row["unit"] != "KiB"), rows
    return {f"{row['work']} beside {row['peer']}": row for row in rows}


@measured
@pytest.mark.needs("wrk", "gcc", "nginx", "lighttpd", "apache2", "perl")
def test_requests_to_living_sessions_beside_uvicorn_and_servers_that_speak_fastcgi(tmp_path: Path) -> None:
    rows = bench(tmp_path, "living", "--connections", "16")
    peers = {"C": ["uvicorn", "nginx FastCGI", "lighttpd FastCGI", "mod_fcgid"]}
    peers |= {key: ["uvicorn", "nginx FastCGI", "mod_fcgid"] for key in ("Python, small", "Perl, small")}
    for program, names in peers.items():
        for name in names:
            assert rows[f"{program}, 16 connections beside {name}"]["goal"], (program, name)
        assert rows[f"{program}, 16 connections, p99 beside nginx FastCGI"]["goal"] == "<= 1"


@measured
@pytest.mark.needs("wrk", "gcc", "nginx", "lighttpd", "apache2", "fcgiwrap", "uwsgi", "perl")
def test_programs_for_one_request_beside_all_servers_that_execute_them(tmp_path: Path) -> None:
    rows = bench(tmp_path, "oneshot", "--connections", "2")
    programs = ["C", "shell", "Python, trivial", "Python, a form", "Python, real imports", "Perl, trivial"]
    for program in programs:
        for peer in ("mod_cgid", "mod_cgi", "lighttpd", "fcgiwrap", "uWSGI", "the fastest"):
            assert f"{program}, 2 at once beside {peer}" in rows
        assert rows[f"{program}, 2 at once beside the fastest"]["goal"]


@measured
@pytest.mark.needs("gcc")
def test_what_others_notice_of_one_client_that_misbehaves(tmp_path: Path) -> None:
    rows = bench(tmp_path, "abuse")
    for attack in ("sessions", "guesses", "drips", "idle", "crowd", "headers"):
        assert rows[f"p99 while one client misbehaves: {attack} beside calm"]["goal"] == "<= 2"


@measured
@pytest.mark.needs("wrk", "gcc", "lighttpd", "apache2", "perl")
def test_first_pages_large_bodies_what_idle_sessions_cost_and_their_end(tmp_path: Path) -> None:
    sections = "first", "sessions", "bulk", "memory", "idle", "expiry"
    rows = bench(tmp_path, *sections, "--sessions", "3", "--idle", "20")
    assert rows["C, first page beside lighttpd, one-shot"]["goal"] == "<= 1.1"
    assert rows["Python, counter.py, warm beside cold"]
    assert rows["C, idle session beside "]["goal"] == "<= 0.12"
    assert rows["C, front and keeper for each beside "]["goal"] == "<= 20"
    assert rows["C, 16 connections, 20 idle sessions beside none"]["goal"] == ">= 0.97"
    assert rows["1 GiB down beside mod_cgid"]["goal"] == ">= 2"
    assert rows["1 GiB up beside mod_cgid"]["goal"] == ">= 0.85"
    assert rows["20 sessions time out: first to last reaped beside "]["goal"] == "<= 5"
    assert rows["20 sessions time out: p99 of a small file meanwhile beside "]["goal"] == "<= 50"


def row(figure: float, goal: Goal) -> Row:
    return Row("work <1>", "a peer", "x", [figure], [1.0], [figure], goal)


@pytest.mark.parametrize(
    ("figure", "goal", "met"),
    [(0.8, Goal(LEAST, 0.8), True), (0.79, Goal(LEAST, 0.8), False), (1.2, Goal(MOST, 1.1), False)],
)
def test_a_goal_is_met_or_not_by_the_median_of_the_ratios(figure: float, goal: Goal, met: bool) -> None:
    assert row(figure, goal).met is met


def test_the_chart_is_an_svg_that_names_every_goal() -> None:
    text = chart.draw([row(0.5, Goal(LEAST, 1.0)), row(0.5, Goal(MOST, 1.0))])
    root = ElementTree.fromstring(text)
    shown = "".join(root.itertext())
    assert shown.count("work <1>, beside a peer") == 2
    assert "1 of 2 goals met" in shown


def test_the_table_has_a_line_for_each_goal_met_or_not() -> None:
    alone = Row("memory", "", "MiB", [3.0], (), (), Goal(MOST, 5.0))
    rows = [row(0.5, Goal(LEAST, 1.0)), alone, row(1.0, Goal(LEAST, 1.0))._replace(goal=None)]
    head, missed, met = (line.split("  ") for line in table.draw(rows).splitlines())
    assert [cell.strip() for cell in head if cell] == ["work", "beside", "here", "there", "ratio", "goal"]
    cells = [cell.strip() for cell in missed if cell]
    assert cells == ["work <1>", "a peer", "0.50 x", "1.00", "0.50 (0.50 to 0.50)", ">= 1", "NOT met"]
    assert [cell.strip() for cell in met if cell] == ["memory", "-", "3.00 MiB", "-", "-", "<= 5", "met"]
    assert summary(rows) == "1 of 2 goals met"


@pytest.mark.parametrize(
    "wrong", [("--rounds", "0"), ("--sessions", "999"), ("--idle", "-1"), ("--seconds", "x")]
)
def test_an_option_that_cannot_be_is_refused_before_anything_runs(wrong: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "bench", "memory", *wrong]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 2 and f"argument {wrong[0]}: expected a number from 1 to" in finished.stderr
