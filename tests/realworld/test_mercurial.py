"""hgweb.cgi (Python) with the real hg: clone, push, pull, a large file, a login."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.realworld.conftest import Start
from tests.realworld.served import GATEWAY_ONLY, PASSWORD, SERVERS, USER, Served, needs_file, recipe

SCRIPT = "/usr/share/doc/mercurial-common/examples/hgweb.cgi"
pytestmark = [
    pytest.mark.realworld,
    pytest.mark.needs("hg", "htpasswd"),
    needs_file(SCRIPT, "mercurial-common"),
]
LARGE = 32 << 20  # bytes
LOGIN = f"{USER}:{quote(PASSWORD)}"


@pytest.fixture(scope="module", params=SERVERS)
def hg(request: pytest.FixtureRequest, start: Start) -> Served:
    return start(request.param, recipe("Mercurial"), _prepare)


def _prepare(served: Served) -> None:
    served.users()
    text = Path(SCRIPT).read_text().replace("/path/to/repo/or/config", "/srv/hgweb.config")
    served.program("hgweb.cgi", text.replace("#!/usr/bin/env python3", "#!/usr/bin/python3"))
    (served.data / "hgweb.config").write_text(served.placed(recipe("Mercurial", "")))
    for name in ("project", "private/secret"):
        repository = served.data / "hg" / name
        repository.mkdir(parents=True)
        served.run("hg", "init", repository)
        _commit(served, repository, "file.txt", b"first\n")


def _commit(served: Served, work: Path, name: str, content: bytes) -> None:
    (work / name).write_bytes(content)
    served.run("hg", "commit", "-q", "-A", "-m", f"change of {name}", cwd=work)


def _clone(served: Served, path: str, user: str = "") -> Path:
    work = served.new()
    served.run("hg", "clone", "-q", served.url(path, user), work)
    return work


def _tip(served: Served, work: Path) -> str:
    return served.run("hg", "id", "-i", "-r", "tip", cwd=work).stdout.strip()


def test_a_change_is_pushed_and_pulled(hg: Served) -> None:
    one, two = _clone(hg, "/hg/project"), _clone(hg, "/hg/project")
    _commit(hg, one, "more.txt", b"second\n")
    hg.run("hg", "push", "-q", cwd=one)
    hg.run("hg", "pull", "-q", "-u", cwd=two)
    assert (two / "more.txt").read_bytes() == b"second\n" and _tip(hg, one) == _tip(hg, two)
    hg.run("hg", "verify", "-q", cwd=two)


def test_nothing_to_pull_is_said_so(hg: Served) -> None:
    work = _clone(hg, "/hg/project")
    assert "no changes found" in hg.run("hg", "incoming", cwd=work, status=1).stdout


@pytest.mark.parametrize("hg", GATEWAY_ONLY, indirect=True)
def test_a_large_file_is_pushed_and_cloned_again(hg: Served) -> None:
    work, content = _clone(hg, "/hg/project"), os.urandom(LARGE)
    _commit(hg, work, "large.bin", content)
    hg.run("hg", "push", "-q", cwd=work)
    assert (_clone(hg, "/hg/project") / "large.bin").read_bytes() == content


def test_a_private_repository_opens_with_a_login_only(hg: Served) -> None:
    refused = hg.run("hg", "clone", hg.url("/hg/private/secret"), hg.new(), "--noninteractive", status=255)
    assert "authorization" in refused.stderr
    wrong = hg.run("hg", "clone", hg.url("/hg/private/secret", "alice:x"), hg.new(), "-y", status=255)
    assert "authorization failed" in wrong.stderr
    work = _clone(hg, "/hg/private/secret", LOGIN)
    _commit(hg, work, "more.txt", b"second\n")
    hg.run("hg", "push", "-q", hg.url("/hg/private/secret", LOGIN), cwd=work)
    assert _tip(hg, _clone(hg, "/hg/private/secret", LOGIN)) == _tip(hg, work)


@pytest.mark.needs("curl")
def test_pages_and_archives_by_path_info(hg: Served) -> None:
    work = _clone(hg, "/hg/project")
    assert "change of file.txt" in hg.curl("/hg/project/log", "-f")
    assert hg.curl("/hg/project/raw-file/0/file.txt", "-f") == "first\n"
    assert hg.get("/hg/project/raw-file/0/missing").status == 404
    archive, target = hg.new("archive"), hg.new()
    hg.curl("/hg/project/archive/0.tar.gz", "-f", "-o", str(archive))
    target.mkdir()
    hg.run("tar", "xzf", archive, "--strip-components=1", cwd=target)
    assert (target / "file.txt").read_bytes() == (work / "file.txt").read_bytes()


def test_an_unchanged_page_is_a_304_of_the_program(hg: Served) -> None:
    page = hg.get("/hg/project/file/0/file.txt")
    tag = page.header("etag")
    assert page.status == 200 and tag
    again = hg.get("/hg/project/file/0/file.txt", f"If-None-Match: {tag}")
    assert (again.status, again.body) == (304, b"")
