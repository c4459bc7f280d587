"""Files of users and groups, and when they are read again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.access.files import Watched, parse_groups, parse_users

SHA = b"{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="


def test_a_file_of_users_may_have_crlf_comments_and_blank_lines() -> None:
    text = (
        b"# users\r\n\r\nada:" + SHA + b"\r\n  bob:" + SHA + b"  \r\nno colon\r\n#eve:" + SHA + b"\r\n:" + SHA
    )
    users = parse_users(text)
    assert users.stored == {b"ada": SHA, b"bob": SHA}
    assert users.hashes == (SHA, SHA)


def test_of_two_lines_of_a_user_the_first_counts() -> None:
    assert parse_users(b"ada:first\nada:second\n").stored == {b"ada": b"first"}


def test_what_follows_a_second_colon_is_dropped() -> None:
    assert parse_users(b"ada:" + SHA + b":Ada Lovelace:x\n").stored == {b"ada": SHA}


def test_plain_text_passwords_are_no_hashes() -> None:
    assert parse_users(b"ada:secret\n").hashes == ()


def test_repeated_lines_of_a_group_add_up() -> None:
    groups = parse_groups(b"# groups\nstaff: ada bob\n\nwheel:ada\r\nstaff: eve\nempty:\n")
    assert groups == {"ada": {"staff", "wheel"}, "bob": {"staff"}, "eve": {"staff"}}


def test_names_beyond_utf8_are_those_of_the_directives_file() -> None:
    assert parse_groups(b"staff: k\xe4the\n") == {b"k\xe4the".decode("utf-8", "surrogateescape"): {"staff"}}


def test_a_file_is_read_again_when_it_has_changed_only(tmp_path: Path) -> None:
    reads = []
    watched = Watched(lambda text: reads.append(text) or text)  # type: ignore[func-returns-value]
    file = tmp_path / "users"
    file.write_bytes(b"one")
    assert [watched[str(file)], watched[str(file)]] == [b"one", b"one"]
    file.write_bytes(b"longer")
    assert [watched[str(file)], watched[str(file)]] == [b"longer", b"longer"]
    other = tmp_path / "other"
    other.write_bytes(b"as long")
    other.replace(file)
    assert watched[str(file)] == b"as long"
    os.utime(file, ns=(1, 1))
    assert watched[str(file)] == b"as long"
    assert len(reads) == 4


def test_a_file_that_is_gone_is_an_error_and_back_again_it_is_read(tmp_path: Path) -> None:
    watched = Watched(lambda text: text)
    file = tmp_path / "users"
    file.write_bytes(b"one")
    assert watched[str(file)] == b"one"
    file.unlink()
    with pytest.raises(OSError, match="No such file"):
        watched[str(file)]
    file.write_bytes(b"two")
    assert watched[str(file)] == b"two"
