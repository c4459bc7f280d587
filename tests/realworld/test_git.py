"""git-http-backend (C) with the real git: clone, fetch, push, large packs, authentication."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.blackbox.harness import free_port, wait_for
from tests.blackbox.proc import descriptors, peers, pipes
from tests.realworld.conftest import Start
from tests.realworld.pair import SiteGateway
from tests.realworld.served import GATEWAY_ONLY, PASSWORD, SERVERS, USER, Served, needs_file, recipe

pytestmark = [
    pytest.mark.realworld,
    pytest.mark.needs("git", "htpasswd"),
    needs_file("/usr/lib/git-core/git-http-backend", "git"),
]
LARGE = 64 << 20  # bytes
BRANCHES = 40  # so many wants do not fit into 1 KiB: git then compresses its request
CLONES = 200
LOGIN = f"{USER}:{quote(PASSWORD)}"


@pytest.fixture(scope="module", params=SERVERS)
def git(request: pytest.FixtureRequest, start: Start) -> Served:
    return start(request.param, recipe("Git"), _prepare)


def _prepare(served: Served) -> None:
    served.users()
    who, how = "[user]\n name = Alice\n email = alice@example.org\n", "[core]\n compression = 0\n"
    (served.home / ".gitconfig").write_text(f"{who}{how}[init]\n defaultBranch = main\n")
    for name in ("project.git", "large.git", "private/secret.git", "closed.git"):
        repository = served.data / "git" / name
        served.run("git", "init", "--bare", "-q", repository)
        if name != "closed.git":
            served.run("git", "config", "http.receivepack", "true", cwd=repository)
        _fill(served, repository)


def _fill(served: Served, repository: Path) -> None:
    work = served.new()
    served.run("git", "clone", "-q", repository, work)
    for number in range(3):
        _commit(served, work, "file.txt", f"version {number}\n".encode())
    made = f"for n in $(seq {BRANCHES}); do git branch b$n $(git commit-tree -p HEAD -m $n HEAD^{{tree}}); done"
    served.run("sh", "-ec", made, cwd=work)
    served.run("git", "push", "-q", "--all", cwd=work)


def _commit(served: Served, work: Path, name: str, content: bytes) -> str:
    (work / name).write_bytes(content)
    served.run("git", "add", ".", cwd=work)
    served.run("git", "commit", "-q", "-m", f"change of {name}", cwd=work)
    return served.run("git", "rev-parse", "HEAD", cwd=work).stdout.strip()


def _clone(served: Served, path: str, *options: str, user: str = "") -> Path:
    work = served.new()
    served.run("git", "clone", "-q", *options, served.url(path, user), work)
    return work


def _head(served: Served, name: str) -> str:
    repository = served.data / "git" / name
    asked = served.run("git", "-c", "safe.directory=*", "rev-parse", "main", cwd=repository)
    return asked.stdout.strip()


def test_a_clone_has_the_whole_history(git: Served) -> None:
    work = _clone(git, "/git/project.git")
    assert git.run("git", "fsck", "--full", cwd=work).returncode == 0
    assert len(git.run("git", "log", "--format=%s", cwd=work).stdout.splitlines()) >= 3


def test_a_shallow_clone_can_be_deepened(git: Served) -> None:
    work = _clone(git, "/git/project.git", "--depth", "1")
    assert git.run("git", "rev-list", "--count", "HEAD", cwd=work).stdout == "1\n"
    git.run("git", "fetch", "-q", "--unshallow", cwd=work)
    assert int(git.run("git", "rev-list", "--count", "HEAD", cwd=work).stdout) >= 3


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_every_version_of_the_protocol(git: Served, version: str) -> None:
    work = _clone(git, "/git/project.git", "-c", f"protocol.version={version}")
    assert (work / "file.txt").exists()


def test_a_compressed_request_arrives(git: Served) -> None:
    work = git.new()
    done = git.run("git", "clone", git.url("/git/project.git"), work, GIT_TRACE_CURL="1")
    assert "content-encoding: gzip" in done.stderr.lower()
    assert len(git.run("git", "branch", "-r", cwd=work).stdout.splitlines()) > BRANCHES


def test_a_push_needs_a_login_and_is_seen_by_the_next_fetch(git: Served) -> None:
    work, other = _clone(git, "/git/project.git"), _clone(git, "/git/project.git")
    made = _commit(git, work, "file.txt", os.urandom(20))
    refused = git.run("git", "push", "-q", "origin", "main", cwd=work, status=1)
    assert "could not read Username" in refused.stderr
    git.run("git", "push", "-q", git.url("/git/project.git", f"{USER}:wrong"), "main", cwd=work, status=1)
    assert _head(git, "project.git") != made
    git.run("git", "push", "-q", git.url("/git/project.git", LOGIN), "main", cwd=work)
    assert _head(git, "project.git") == made
    git.run("git", "pull", "-q", cwd=other)
    assert git.run("git", "rev-parse", "HEAD", cwd=other).stdout.strip() == made


def test_a_repository_that_takes_no_pushes_is_a_403_of_the_program(git: Served) -> None:
    work = _clone(git, "/git/closed.git")
    _commit(git, work, "file.txt", b"mine\n")
    refused = git.run("git", "push", "-q", git.url("/git/closed.git", LOGIN), "main", cwd=work, status=128)
    assert "403" in refused.stderr


def test_a_private_repository_opens_with_a_login_only(git: Served) -> None:
    refused = git.run("git", "clone", "-q", git.url("/git/private/secret.git"), git.new(), status=128)
    assert "could not read Username" in refused.stderr
    assert (_clone(git, "/git/private/secret.git", user=LOGIN) / "file.txt").exists()
    for path in ("/git//private/./secret.git/HEAD", "/git/%70rivate/secret.git/HEAD", "/git/private/none"):
        assert git.get(path).status == 401


@pytest.mark.parametrize("git", GATEWAY_ONLY, indirect=True)
def test_64_MiB_are_pushed_chunked_and_cloned_again(git: Served) -> None:
    work, content = _clone(git, "/git/large.git"), os.urandom(LARGE)
    made = _commit(git, work, "large.bin", content)
    target = git.url("/git/large.git", LOGIN)
    done = git.run("git", "push", target, "main", cwd=work, GIT_TRACE_CURL="1", GIT_TRACE_CURL_NO_DATA="1")
    assert "transfer-encoding: chunked" in done.stderr.lower()
    assert _head(git, "large.git") == made
    again = _clone(git, "/git/large.git")
    assert (again / "large.bin").read_bytes() == content


def test_a_pack_is_pushed_with_a_length(git: Served) -> None:
    work, content = _clone(git, "/git/project.git"), os.urandom(LARGE // 4)
    made = _commit(git, work, "other.bin", content)
    target = git.url("/git/project.git", LOGIN)
    git.run("git", "-c", f"http.postBuffer={LARGE}", "push", "-q", target, "main", cwd=work)
    assert _head(git, "project.git") == made


def test_a_missing_repository_is_a_404_of_the_program(git: Served) -> None:
    refused = git.run("git", "clone", git.url("/git/missing.git"), git.new(), status=128)
    assert "not found" in refused.stderr
    assert git.get("/git/missing.git/info/refs").status == 404


def test_the_old_protocol_of_plain_files(git: Served) -> None:
    answer = git.get("/git/project.git/HEAD")
    assert (answer.status, answer.body) == (200, b"ref: refs/heads/main\n")
    assert answer.header("content-type") == "text/plain"


@pytest.mark.needs("openssl")
def test_a_private_clone_and_a_push_over_TLS(start: Start) -> None:
    port = free_port()
    listener = f"Listen 127.0.0.1:{port} https\nSSLCertificateFile /srv/tls.pem\n"
    served = start("gateway", listener + recipe("Git"), _prepare_with_certificate)
    target = f"https://{LOGIN}@localhost:{port}/git/private/secret.git"
    work, trusted = served.new(), str(served.data / "tls.pem")
    served.run("git", "clone", "-q", target, work, GIT_SSL_CAINFO=trusted)
    made = _commit(served, work, "file.txt", os.urandom(3 << 20))
    served.run("git", "push", "-q", target, "main", cwd=work, GIT_SSL_CAINFO=trusted)
    assert _head(served, "private/secret.git") == made


def _prepare_with_certificate(served: Served) -> None:
    _prepare(served)
    certificate = str(served.data / "tls.pem")
    served.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", certificate, "-out", f"{certificate}.crt",
    )  # fmt: skip
    served.run("sh", "-c", f"cat {certificate}.crt >> {certificate}")


def test_hundreds_of_clones_leave_nothing_behind(start: Start) -> None:
    served = start("gateway", recipe("Git"), _prepare)
    gateway = served.server
    assert isinstance(gateway, SiteGateway)
    at_rest = _pipes(gateway)
    _clone(served, "/git/project.git")
    _idle(gateway, at_rest)
    before = _open(gateway)
    with ThreadPoolExecutor(4) as pool:
        works = list(pool.map(lambda _: _clone(served, "/git/project.git", "--bare"), range(CLONES)))
    assert all((work / "HEAD").exists() for work in works)
    _idle(gateway, at_rest)
    wait_for("the descriptors to be closed", lambda: _open(gateway) == before)
    assert not [*served.spool.iterdir(), *(served.data / "tmp").iterdir()]
    assert "HTS" not in gateway.log


def _idle(gateway: SiteGateway, at_rest: list[int]) -> None:
    """Wait until nothing is left of the requests: no program, no connection, no more pipes than `at_rest`."""
    wait_for("the programs to end", lambda: not gateway.instances())
    wait_for("the connections to end", lambda: not peers(gateway.port))
    wait_for("the pipes to be closed", lambda: _pipes(gateway) == at_rest)


def _pipes(gateway: SiteGateway) -> list[int]:
    return [pipes(pid) for pid in (gateway.keeper, *gateway.fronts())]


def _open(gateway: SiteGateway) -> list[int]:
    """How many descriptors the keeper and the front have."""
    return [len(descriptors(pid)) for pid in (gateway.keeper, *gateway.fronts())]
