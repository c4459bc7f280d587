"""gitweb (Perl) and cgit (C) with curl, git and Chromium: pages by path info, snapshots, a clone."""

from __future__ import annotations

import io
import os
import re
import tarfile
from pathlib import Path

import pytest

from tests.realworld.conftest import Start
from tests.realworld.served import GATEWAY_ONLY, SERVERS, Served, needs_file, recipe

pytestmark = [pytest.mark.realworld, pytest.mark.needs("git", "curl")]
CONTENT = {
    "README": b"a read me\n",
    "folder/deep/file with blank.txt": b"line one\nline <two>\n",
    "folder/+plus&amp.txt": b"signs\n",
    "umlaut-\u00e4.txt": "gr\u00fc\u00df\n".encode(),
    "binary.bin": os.urandom(1 << 20),
}
gitweb_there = needs_file("/usr/share/gitweb/gitweb.cgi", "gitweb")
cgit_there = needs_file("/usr/lib/cgit/cgit.cgi", "cgit")


def _prepare(served: Served) -> None:
    (served.data / "gitweb.conf").write_text(served.placed(recipe("Gitweb", "")))
    (served.data / "cgitrc").write_text(served.placed(recipe("cgit", "")))
    repository, work = served.data / "git/project.git", served.new()
    served.run("git", "init", "-q", "-b", "main", "--bare", repository)
    served.run("git", "init", "-q", "-b", "main", work)
    for name, content in CONTENT.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(content)
    served.run("git", "add", ".", cwd=work)
    named = ("-c", "user.name=Alice", "-c", "user.email=alice@example.org")
    served.run("git", *named, "commit", "-q", "-m", "a <first> change", cwd=work)
    served.run("git", "push", "-q", repository, "main", cwd=work)
    served.run("git", "update-server-info", cwd=repository)


@pytest.fixture(scope="module", params=SERVERS)
def pages(request: pytest.FixtureRequest, start: Start) -> Served:
    return start(request.param, recipe("Gitweb") + recipe("cgit"), _prepare)


def _unpacked(archive: bytes) -> dict[str, bytes]:
    """The files of a tar.gz, without the folder that holds them."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        return {
            member.name.partition("/")[2]: file.read()
            for member in members
            if (file := tar.extractfile(member)) is not None
        }


def _links(page: str, prefix: str) -> list[str]:
    found = [link.replace("&amp;", "&") for link in re.findall(rf"""href=["']({prefix}[^"'#]*)""", page)]
    return sorted(set(found))


@gitweb_there
def test_gitweb_lists_projects_and_shows_files_by_path_info(pages: Served) -> None:
    assert "project.git" in pages.get("/gitweb").text
    assert "a &lt;first&gt; change" in pages.get("/gitweb/project.git").text
    blob = pages.get("/gitweb/project.git/blob_plain/HEAD:/folder/deep/file%20with%20blank.txt")
    assert (blob.status, blob.body) == (200, b"line one\nline <two>\n")
    assert "inline; filename" in (blob.header("content-disposition") or "")
    assert pages.get("/gitweb/project.git/blob_plain/HEAD:/umlaut-%C3%A4.txt").text == "gr\u00fc\u00df\n"
    assert pages.get("/gitweb/project.git/blob_plain/HEAD:/folder/%2Bplus%26amp.txt").body == b"signs\n"


@gitweb_there
@pytest.mark.parametrize("pages", GATEWAY_ONLY, indirect=True)
def test_every_link_of_gitwebs_pages_works(pages: Served) -> None:
    links = [*_links(pages.get("/gitweb/project.git/tree").text, "/gitweb"), "/gitweb-static/gitweb.css"]
    assert len(links) > 10
    assert {link: pages.get(link).status for link in links} == dict.fromkeys(links, 200)


@gitweb_there
def test_gitwebs_errors_keep_their_status(pages: Served) -> None:
    assert pages.get("/gitweb?p=missing.git;a=summary").status == 404
    assert pages.get("/gitweb/project.git/blob/HEAD:/missing").status == 404
    assert pages.get("/gitweb?p=project.git;a=nonsense").status == 400


@gitweb_there
def test_gitweb_takes_query_strings_too(pages: Served) -> None:
    page = pages.get("/gitweb?p=project.git;a=blob_plain;f=README;hb=HEAD")
    assert page.body == CONTENT["README"]


@gitweb_there
def test_a_snapshot_of_gitweb_holds_every_file(pages: Served) -> None:
    target = pages.new("snapshot")
    pages.curl("/gitweb/project.git/snapshot/HEAD.tar.gz", "-f", "-o", str(target))
    assert _unpacked(target.read_bytes()) == CONTENT


@gitweb_there
@pytest.mark.needs("chromium")
def test_a_browser_shows_a_page_of_gitweb(pages: Served) -> None:
    profile = pages.new("profile")
    shown = pages.run(
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={profile}", "--dump-dom", pages.url("/gitweb/project.git/tree/HEAD:/folder"),
    )  # fmt: skip
    assert "+plus&amp;amp.txt" in shown.stdout


@cgit_there
def test_cgit_shows_files_by_path_info(pages: Served) -> None:
    assert "project.git" in pages.get("/cgit/").text
    plain = pages.get("/cgit/project.git/plain/folder/deep/file%20with%20blank.txt")
    assert plain.body == CONTENT["folder/deep/file with blank.txt"]
    assert pages.get("/cgit/project.git/plain/binary.bin").body == CONTENT["binary.bin"]
    assert pages.get("/cgit/project.git/plain/missing").status == 404


@cgit_there
def test_every_link_of_cgits_pages_works(pages: Served) -> None:
    links = [*_links(pages.get("/cgit/project.git/tree/folder").text, "/cgit/"), "/cgit-css/cgit.css"]
    assert len(links) > 5
    assert {link: pages.get(link).status for link in links} == dict.fromkeys(links, 200)


@cgit_there
def test_cgit_answers_a_HEAD(pages: Served) -> None:
    assert "content-type: text/html; charset=utf-8" in pages.curl("/cgit/project.git/", "-I").lower()


@cgit_there
def test_a_snapshot_of_cgit_holds_every_file(pages: Served) -> None:
    target = pages.new("snapshot")
    pages.curl("/cgit/project.git/snapshot/project-main.tar.gz", "-f", "-o", str(target))
    assert _unpacked(target.read_bytes()) == CONTENT


@cgit_there
def test_git_clones_plain_files_through_cgit(pages: Served) -> None:
    work: Path = pages.new()
    pages.run("git", "clone", "-q", pages.url("/cgit/project.git"), work)
    assert (work / "binary.bin").read_bytes() == CONTENT["binary.bin"]


def test_a_segment_that_looks_like_a_handle_is_path_info_R3(pages: Served) -> None:
    """Object names are 40 hexadecimal digits: allowed as a handle, and never issued."""
    name = pages.run("git", "-c", "safe.directory=*", "rev-parse", "main", cwd=pages.data / "git/project.git")
    commit = name.stdout.strip()
    assert pages.get(f"/cgit/{commit}/rest").status == 404
    assert "a &lt;first&gt; change" in pages.get(f"/gitweb/project.git/commit/{commit}").text
