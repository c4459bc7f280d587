"""The rules of suexec, one by one, and the environment that it passes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.keeper.identity import Identity
from gateway.keeper.suexec import broken_account_rule, broken_rule, safe_environ
from tests.blackbox.users import as_root

OTHER = Identity(12_345, 23_456, (23_456,), suexec=True)
pytestmark = as_root


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program and a folder as suexec wants them."""
    folder = tmp_path / "root" / "folder"
    folder.mkdir(parents=True)
    file = folder / "program"
    file.write_text("#!/bin/sh\n")
    for path, mode in ((folder, 0o755), (file, 0o755)):
        path.chmod(mode)
        os.chown(path, OTHER.uid, OTHER.gid)
    return file


def rule(
    program: Path, identity: Identity = OTHER, *, executed: bool = True, directory: str = ""
) -> str | None:
    root = bytes(program.parents[1])
    where = os.fsencode(directory or program.parent)
    return broken_rule(bytes(program), where, identity, [root], executed=executed)


def test_a_program_that_obeys_every_rule_is_accepted(program: Path) -> None:
    assert rule(program) is None


def test_a_script_of_a_host_need_not_be_executable(program: Path) -> None:
    program.chmod(0o600)
    assert rule(program, executed=False) is None
    assert rule(program) == "its owner may not execute it"


@pytest.mark.parametrize(("uid", "gid"), [(0, 23_456), (99, 23_456), (12_345, 0), (12_345, 99)])
def test_root_and_system_users_and_groups_are_refused(program: Path, uid: int, gid: int) -> None:
    who = Identity(uid, gid, (gid,), suexec=True)
    os.chown(program, uid, gid)
    os.chown(program.parent, uid, gid)
    assert "is below 100" in (rule(program, who) or "")
    assert broken_account_rule(who) == rule(program, who)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (0o775, "it can be written by others"),
        (0o757, "it can be written by others"),
        (0o4755, "it is setuid or setgid"),
        (0o2755, "it is setuid or setgid"),
    ],
)
def test_the_programs_mode_is_checked(program: Path, mode: int, text: str) -> None:
    program.chmod(mode)
    assert rule(program) == text


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_the_folders_mode_is_checked(program: Path, mode: int) -> None:
    program.parent.chmod(mode)
    assert rule(program) == f"the folder {program.parent} can be written by others"


@pytest.mark.parametrize("owner", [(1, 23_456), (12_345, 1), (0, 0)])
def test_owner_and_group_of_program_and_folder_are_checked(program: Path, owner: tuple[int, int]) -> None:
    text = f"belongs to {owner[0]}:{owner[1]}, not to 12345:23456"
    os.chown(program, *owner)
    assert rule(program) == f"it {text}"
    os.chown(program.parent, *owner)
    assert rule(program) == f"the folder {program.parent} {text}"


def test_links_folders_and_devices_are_refused(program: Path) -> None:
    link, folder, device = (program.with_name(name) for name in ("link", "inner", "device"))
    link.symlink_to("program")
    folder.mkdir()
    os.mkfifo(device)
    for path in (link, folder, device):
        assert rule(path) == "it is not a regular file (or a symbolic link)"


def test_a_program_outside_of_what_is_served_is_refused(program: Path, tmp_path: Path) -> None:
    text = f"{program.parent} is not below ServerRoot, DocumentRoot or the target of an alias"
    for root in (tmp_path / "other", tmp_path / "roo"):
        root.mkdir()
        assert broken_rule(bytes(program), bytes(program.parent), OTHER, [bytes(root)], executed=True) == text


def test_a_folder_reached_by_a_link_counts_where_it_is(program: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "away").symlink_to(program.parent)
    path = inner / "away" / "program"
    found = broken_rule(bytes(path), bytes(path.parent), OTHER, [bytes(inner)], executed=True)
    assert found is not None and "is not below" in found


@pytest.mark.parametrize("path", ["/a/../b/program", "/a//program", "a/program", "/a/./program"])
def test_paths_that_are_not_plain_are_refused(path: str) -> None:
    file = path.encode()
    found = broken_rule(file, os.path.dirname(file), OTHER, [b"/"], executed=True)
    assert found is not None and found.startswith("its path is not absolute and plain")


def test_the_working_directory_is_the_programs_own(program: Path) -> None:
    assert "not that of the working directory" in (rule(program, directory="/tmp") or "")


def test_a_program_that_is_not_there_is_refused(program: Path) -> None:
    assert rule(program.with_name("missing")) == "it cannot be looked at: No such file or directory"


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PYTHONPATH", "PERL5LIB", "BASH_ENV", "IFS", "HTSESSIO"])
def test_what_no_request_has_and_no_file_names_is_dropped(name: str) -> None:
    assert safe_environ({name.encode(): b"x"}, frozenset(), {}) == {}


def test_a_requests_variables_pass_and_the_fixed_ones_have_the_last_word() -> None:
    given = {
        b"QUERY_STRING": b"q",
        b"HTTP_HOST": b"h",
        b"KEPT": b"k",
        b"PATH": b"/evil",
        b"HTSESSION_LIB": b"/evil",
    }
    fixed = {b"PATH": b"/bin", b"HTSESSION_LIB": b"/lib"}
    assert safe_environ(given, frozenset({b"KEPT", b"PATH"}), fixed) == {
        b"QUERY_STRING": b"q",
        b"HTTP_HOST": b"h",
        b"KEPT": b"k",
        **fixed,
    }
