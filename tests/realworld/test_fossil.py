"""Fossil (C), a script of two lines, with the real fossil: clone, commit, sync, its own login."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.realworld.conftest import Start
from tests.realworld.served import SERVERS, USER, Served, recipe

pytestmark = [pytest.mark.realworld, pytest.mark.needs("fossil")]
LARGE = 4 << 20  # bytes
WORD = "password-of-alice"


@pytest.fixture(scope="module", params=SERVERS)
def fossil(request: pytest.FixtureRequest, start: Start) -> Served:
    return start(request.param, recipe("Fossil"), _prepare)


def _prepare(served: Served) -> None:
    served.program("fossil.cgi", recipe("Fossil", ""))
    repository = served.data / "project.fossil"
    served.run("fossil", "init", "-A", USER, repository)
    served.run("fossil", "user", "password", USER, WORD, "-R", repository)


def _clone(served: Served) -> Path:
    work = served.new()
    work.mkdir()
    served.run("fossil", "clone", served.url("/fossil", f"{USER}:{WORD}"), work / "clone.fossil", cwd=work)
    served.run("fossil", "open", "--nosync", "clone.fossil", cwd=work)
    served.run("fossil", "settings", "autosync", "off", cwd=work)
    return work


def _commit(served: Served, work: Path, name: str, content: bytes) -> None:
    (work / name).write_bytes(content)
    served.run("fossil", "add", name, cwd=work)
    served.run("fossil", "commit", "--no-warnings", "-m", f"change of {name}", cwd=work)


def test_a_commit_is_synced_to_the_server_and_to_another_clone(fossil: Served) -> None:
    one, two = _clone(fossil), _clone(fossil)
    content = os.urandom(LARGE)
    _commit(fossil, one, "large.bin", content)
    target = fossil.url("/fossil", f"{USER}:{WORD}")
    fossil.run("fossil", "push", "--once", target, cwd=one)
    fossil.run("fossil", "pull", "--once", target, cwd=two)
    fossil.run("fossil", "update", cwd=two)
    assert (two / "large.bin").read_bytes() == content


def test_a_wrong_password_is_refused_by_the_program(fossil: Served) -> None:
    work = fossil.new()
    work.mkdir()
    source = fossil.url("/fossil", f"{USER}:wrong")
    refused = fossil.run("fossil", "clone", "--once", source, work / "clone.fossil", cwd=work, status=1)
    assert "login failed" in refused.stdout + refused.stderr
    assert not (work / "clone.fossil").exists()


@pytest.mark.needs("curl")
def test_a_login_by_form_and_cookie(fossil: Served) -> None:
    jar, form = str(fossil.new("jar")), ["-d", f"u={USER}", "-d", f"p={WORD}", "-d", "in=Login"]
    assert "anonymous" in fossil.curl("/fossil/login", "-L")
    fossil.curl("/fossil/login", "-c", jar, *form)
    assert f"{USER}" in fossil.curl("/fossil/my", "-L", "-b", jar) + fossil.curl("/fossil/login", "-b", jar)
    assert "logged in as" in fossil.curl("/fossil/login", "-b", jar).lower()


@pytest.mark.needs("curl")
def test_the_start_page_is_a_redirect_to_a_page_that_is_there(fossil: Served) -> None:
    moved = fossil.curl("/fossil", "-o", "/dev/null", "-w", "%{http_code} %{redirect_url}")
    status, _, target = moved.partition(" ")
    assert status in ("301", "302") and target.startswith(fossil.url("/fossil/"))
    assert fossil.get("/fossil/timeline").status == 200
    assert fossil.get("/fossil/doc/missing/x").status == 404
