"""`make programs` builds what its compilers can build, once, and never under the feet of a living session."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import ROOT

pytestmark = [pytest.mark.needs("make"), pytest.mark.running]
C, COBOL = ["counter.cgi", "counter.so"], ["counter-cob.so"]
SOURCES = ["counter.c", "counter.cob"]
# What the recipes themselves call
TOOLS = ["make", "sh", "mktemp", "mv", "rm"]


class Tree:
    """A copy of what `make programs` needs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cgi_bin = folder, folder / "cgi-bin"
        for name in ("Makefile", "gateway/helpers/htsession.h", *(f"cgi-bin/{name}" for name in SOURCES)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)

    def make(self, *arguments: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
        """Run make; PATH is all it has."""
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env={"PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def without(self, *hidden: str) -> str:
        """A PATH without these and everything else that make programs does not call."""
        folder = self.folder / "bin"
        folder.mkdir()
        for tool in {*TOOLS, "gcc", "cc", "cobc"} - set(hidden):
            found = shutil.which(tool)
            if found:
                (folder / tool).symlink_to(found)
        return str(folder)

    def built(self) -> list[str]:
        """What is in cgi-bin besides the sources."""
        return sorted(set(os.listdir(self.cgi_bin)) - set(SOURCES))

    def age(self) -> None:
        """Make everything old, what was built less so."""
        for file in self.folder.rglob("*"):
            os.utime(file, (1e9, 1e9))
        for name in self.built():
            os.utime(self.cgi_bin / name, (1.1e9, 1.1e9))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def building(output: str) -> list[str]:
    return re.findall(r"^Building \S*/(\S+) …$", output, re.M)


@pytest.mark.needs("gcc", "cobc")
def test_it_builds_everything_and_the_second_time_nothing(tree: Tree) -> None:
    first = tree.make("programs")
    assert (first.returncode, first.stderr) == (0, "")
    assert sorted(building(first.stdout)) == tree.built() == sorted(C + COBOL)
    assert all(os.access(tree.cgi_bin / name, os.X_OK) for name in C + COBOL)
    second = tree.make("programs")
    assert (second.returncode, building(second.stdout)) == (0, [])


@pytest.mark.needs("gcc", "cobc")
@pytest.mark.parametrize(
    ("changed", "stale"),
    [("cgi-bin/counter.c", C), ("gateway/helpers/htsession.h", C), ("cgi-bin/counter.cob", COBOL)],
)
def test_it_builds_again_what_is_older_than_its_source(tree: Tree, changed: str, stale: list[str]) -> None:
    for name in C + COBOL:
        (tree.cgi_bin / name).touch()
    tree.age()
    assert building(tree.make("programs").stdout) == []
    (tree.folder / changed).touch()
    assert building(tree.make("programs").stdout) == stale


def test_without_compilers_it_says_what_is_missing_and_is_content(tree: Tree) -> None:
    result = tree.make("programs", path=tree.without("gcc", "cc", "cobc"))
    assert (result.returncode, result.stderr, tree.built()) == (0, "", [])
    for name, compiler, packages in (
        ("counter.cgi", "cc", "gcc libc6-dev"),
        ("counter.so", "cc", "gcc libc6-dev"),
        ("counter-cob.so", "cobc", "gnucobol"),
    ):
        assert (
            f"cgi-bin/{name} is not built: there is no {compiler} (on Debian: apt-get install {packages})"
            in result.stdout
        )


@pytest.mark.needs("gcc")
def test_one_missing_compiler_does_not_keep_the_other_from_working(tree: Tree) -> None:
    result = tree.make("programs", path=f"{tree.without('cobc')}:{tools_of_gcc(tree.folder)}")
    assert (result.returncode, tree.built()) == (0, sorted(C)), result
    assert "there is no cobc" in result.stdout


def tools_of_gcc(folder: Path) -> Path:
    """as and ld, in a folder of their own."""
    place = folder / "binutils"
    place.mkdir()
    for tool in ("as", "ld"):
        found = shutil.which(tool)
        assert found is not None
        (place / tool).symlink_to(found)
    return place


@pytest.mark.needs("gcc")
def test_a_mistake_in_a_source_fails_and_leaves_the_old_program_alone(tree: Tree) -> None:
    (tree.cgi_bin / "counter.cgi").write_text("old")
    tree.age()
    (tree.cgi_bin / "counter.c").write_text("int main(void) { mistake }")
    result = tree.make("programs")
    assert result.returncode != 0 and "counter.c:1" in result.stderr
    assert (tree.cgi_bin / "counter.cgi").read_text() == "old"
    assert "counter.so" not in tree.built() and not list(tree.cgi_bin.glob(".build-*"))


@pytest.mark.needs("gcc")
def test_make_serve_builds_first_and_starts_whatever_comes_of_it(tree: Tree) -> None:
    (tree.folder / "pyproject.toml").touch()
    gateway = tree.folder / ".venv/bin/gateway"
    gateway.parent.mkdir(parents=True)
    (gateway.parent / "python").touch()
    (gateway.parent.parent / ".serves").touch()
    gateway.write_text("#!/bin/sh\necho $@\n")
    gateway.chmod(0o755)
    result = tree.make("serve")
    assert (result.returncode, result.stdout, result.stderr) == (0, "serve conf/gateway.conf\n", "")
    assert set(C) <= set(tree.built())
    (tree.cgi_bin / "counter.c").write_text("int main(void) { mistake }")
    result = tree.make("serve")
    assert result.returncode == 0 and result.stdout.endswith(
        "(Not every compiled program could be built; the others work.)\nserve conf/gateway.conf\n"
    )


@pytest.mark.needs("gcc", "cobc")
def test_make_clean_takes_the_built_programs_away(tree: Tree) -> None:
    tree.make("programs")
    assert tree.make("clean").returncode == 0
    assert tree.built() == []


@pytest.mark.needs("gcc")
def test_a_living_session_of_the_old_program_survives_a_rebuild(tree: Tree, serve: Serve) -> None:
    gateway = serve("CGIActivationGroup native .so")
    names = [f"{gateway.cgi_bin}/{name}" for name in C]
    source = tree.cgi_bin / "counter.c"
    assert tree.make(*names, f"OUT={gateway.cgi_bin}").returncode == 0
    sessions = []
    for name in C:
        first = gateway.get(f"/cgi-bin/{name}").text
        action = re.search('action="([^"]*)"', first)
        assert action is not None and "<output>1</output>" in first
        sessions.append(action[1])

    source.write_text(source.read_text().replace("Counter in C", "Rebuilt counter in C"))
    assert building(tree.make(*names, f"OUT={gateway.cgi_bin}").stdout) == C
    for name, session in zip(C, sessions, strict=True):
        again = gateway.get(session).text
        assert "<output>2</output>" in again and "Rebuilt" not in again
        assert "Rebuilt" in gateway.get(f"/cgi-bin/{name}").text
