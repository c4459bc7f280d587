"""Starting a process as another user and within limits: what it finds, and what is said when it fails."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.keeper.fork import fork, launch
from gateway.keeper.identity import Identity
from gateway.keeper.spawn import Limit, Order, StartError
from tests.blackbox.users import DAEMON, account, as_root, open_folder, who

STATUS = b"#!/bin/sh\nexec cat /proc/self/status\n"
Pipes = tuple[int, tuple[int, int, int, int]]


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    """The reading end of an output, and descriptors for 0 to 3 with numbers beyond those."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    null = fcntl.fcntl(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), fcntl.F_DUPFD_CLOEXEC, 50)
    output = fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, 60)
    os.close(writing)
    yield reading, (null, output, null, null)
    for descriptor in (reading, output, null):
        os.close(descriptor)


def order(
    folder: Path,
    text: bytes = STATUS,
    mode: int = 0o755,
    *,
    identity: Identity | None = None,
    limits: tuple[Limit, ...] = (),
) -> Order:
    program = folder / "program"
    program.write_bytes(text)
    program.chmod(mode)
    return Order([bytes(program)], {b"PATH": b"/usr/bin:/bin"}, bytes(folder), identity, limits)


def output(pipes: Pipes, pid: int) -> str:
    assert os.waitpid(pid, 0)[1] == 0
    return os.read(pipes[0], 65536).decode()


def daemon(*, suexec: bool = False) -> Identity:
    uid, gid, groups = account(DAEMON)
    return Identity(uid, gid, groups, suexec)


@as_root
def test_a_process_is_started_as_another_user_with_nothing_of_root_left(folder: Path, pipes: Pipes) -> None:
    status = output(pipes, fork(order(folder, identity=daemon()), pipes[1]))
    assert who(status) == account(DAEMON)
    assert f"CapPrm:\t{0:016x}" in status


@as_root
def test_groups_of_the_keeper_are_not_inherited(folder: Path, pipes: Pipes) -> None:
    before = os.getgroups()
    os.setgroups([0, 4, 27])
    try:
        assert who(output(pipes, fork(order(folder, identity=daemon()), pipes[1]))) == account(DAEMON)
    finally:
        os.setgroups(before)


def test_limits_are_those_that_were_asked_and_never_above_the_keepers_own(folder: Path, pipes: Pipes) -> None:
    limits = (Limit(resource.RLIMIT_CPU, 10, 20), Limit(resource.RLIMIT_NPROC, None, None))
    pid = fork(order(folder, b"#!/bin/sh\nexec cat /proc/self/limits\n", limits=limits), pipes[1])
    lines = {line[:26].strip(): line[26:].split()[:2] for line in output(pipes, pid).splitlines()}
    assert lines["Max cpu time"] == ["10", "20"]
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    assert lines["Max processes"] == ["unlimited" if most < 0 else str(most)] * 2


def test_fork_gives_the_same_process_as_posix_spawn(
    folder: Path, pipes: Pipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")  # it moves with what is spawned
    text = b"#!/bin/sh\npwd -P\numask\nexec cat /proc/self/status\n"
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGQUIT])
    try:
        limits = (Limit(resource.RLIMIT_CPU, None, None),)
        found = [
            facts(output(pipes, launch(one, pipes[1])))
            for one in (order(folder, text), order(folder, text, limits=limits))
        ]
    finally:
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGQUIT])
    assert found[0] == found[1]
    assert found[0][2:] == [0, 0, 0]


def facts(text: str) -> list[str | int]:
    """Folder, umask; signals blocked, ignored and caught, but for the two that glibc's posix_spawn ignores."""
    lines = text.splitlines()
    signals = [int(line[8:], 16) & ~(3 << 31) for line in lines if line[:6] in ("SigBlk", "SigIgn", "SigCgt")]
    return [*lines[:2], *signals]


# ---- failures


def failure(one: Order, pipes: Pipes) -> tuple[int, str]:
    tasks = Path(f"/proc/self/task/{os.getpid()}/children")
    before = tasks.read_text()
    with pytest.raises(StartError) as caught:
        fork(one, pipes[1])
    assert tasks.read_text() == before  # nothing is left to be reaped
    return caught.value.errno or 0, caught.value.step


LIMITED = (Limit(resource.RLIMIT_CPU, 100, None),)


@pytest.mark.parametrize(
    ("text", "mode", "number"),
    [
        (b"#!/no/such/interpreter\n", 0o755, errno.ENOENT),
        (STATUS, 0o644, errno.EACCES),
        (b"neither script nor binary", 0o755, errno.ENOEXEC),
    ],
    ids=["no interpreter", "not executable", "no program"],
)
def test_what_cannot_be_executed_says_so(
    folder: Path, pipes: Pipes, text: bytes, mode: int, number: int
) -> None:
    assert failure(order(folder, text, mode, limits=LIMITED), pipes) == (number, "execve")


def test_a_folder_that_is_not_there_is_named(folder: Path, pipes: Pipes) -> None:
    missing = order(folder, limits=LIMITED)._replace(directory=b"/no/such/folder")
    assert failure(missing, pipes) == (errno.ENOENT, "chdir to /no/such/folder")


@as_root
def test_a_folder_that_the_other_user_may_not_enter_is_named_with_the_user(folder: Path, pipes: Pipes) -> None:
    folder.chmod(0o700)
    assert failure(order(folder, identity=daemon()), pipes) == (errno.EACCES, f"chdir to {folder} as user 1")


@as_root
def test_a_user_that_cannot_be_is_named_by_the_step_that_failed(folder: Path, pipes: Pipes) -> None:
    unchanged = 2**32 - 1  # to the kernel: leave it as it is
    wrong = Identity(unchanged, account(DAEMON).gid, account(DAEMON).groups)
    assert failure(order(folder, identity=wrong), pipes) == (errno.EPERM, "the check of who it is")


def test_an_argument_with_a_NUL_is_an_error_and_not_the_end_of_the_keeper(folder: Path, pipes: Pipes) -> None:
    one = order(folder, limits=LIMITED)
    assert failure(one._replace(argv=[*one.argv, b"a\0b"]), pipes) == (errno.EINVAL, "execve")
