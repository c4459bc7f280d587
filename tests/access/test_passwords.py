"""Verified passwords are remembered, a few are verified at a time, unknown names cost as much as known ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.access import passwords
from gateway.access.hashes import verify
from gateway.access.passwords import Passwords
from gateway.errors import Busy

ADA = b"$2y$05$4dqKzzUCwPK/s629WTfFNOpi12JvRuAoKfLmGFxPOGht/f7ZXZ2Ie"
BOB = b"$apr1$hhexD7jl$zxS57I9gkk30hygE6XSOC1"
PASSWORD = b"correct horse"


@pytest.fixture
def users(tmp_path: Path) -> str:
    file = tmp_path / "users"
    file.write_bytes(b"ada:%b\nbob:%b\nplain:secret\n" % (ADA, BOB))
    return str(file)


def write(users: str, text: bytes) -> None:
    Path(users).write_bytes(text)


class Seen(list[bytes]):
    """The stored hashes of every verification, in order."""

    def verify(self, password: bytes, stored: bytes) -> bool:
        self.append(stored)
        return verify(password, stored)


@pytest.fixture
def verified() -> Seen:
    return Seen()


def test_a_password_that_fitted_is_not_verified_again(users: str, verified: Seen) -> None:
    async def run() -> None:
        known = Passwords(verified.verify)
        for _ in range(3):
            assert await known.fit(users, b"ada", PASSWORD)
        assert not await known.fit(users, b"ada", b"wrong")
        assert await known.fit(users, b"bob", PASSWORD)

    asyncio.run(run())
    assert verified == [ADA, ADA, BOB]


def test_a_new_password_in_the_file_counts_at_once_and_the_old_one_no_more(users: str) -> None:
    async def run() -> None:
        known = Passwords()
        assert await known.fit(users, b"ada", PASSWORD)
        write(users, b"ada:{SHA}k8ajrPG0ob66JdikWjzNcZchU4s=\n")
        assert not await known.fit(users, b"ada", PASSWORD)
        assert await known.fit(users, b"ada", "größe".encode())
        write(users, b"bob:%b\n" % BOB)
        assert not await known.fit(users, b"ada", "größe".encode())

    asyncio.run(run())


def test_requests_that_come_together_are_verified_once(users: str, verified: Seen) -> None:
    async def run() -> list[bool]:
        known = Passwords(verified.verify)
        return await asyncio.gather(*(known.fit(users, b"ada", PASSWORD) for _ in range(20)))

    assert asyncio.run(run()) == [True] * 20
    assert verified == [ADA]


def test_an_unknown_name_is_verified_against_a_hash_of_the_file(users: str, verified: Seen) -> None:
    async def run() -> None:
        known = Passwords(verified.verify)
        for name in (b"eve", b"eve", b"plain"):
            assert not await known.fit(users, name, PASSWORD)

    asyncio.run(run())
    assert len(verified) == 3
    assert verified[0] == verified[1]
    assert set(verified) <= {ADA, BOB}


def test_an_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    file = tmp_path / "nobody"
    file.touch()
    assert not asyncio.run(Passwords().fit(str(file), b"ada", PASSWORD))


def test_what_is_remembered_is_bounded(tmp_path: Path, verified: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "REMEMBERED", 3)
    file = tmp_path / "many"
    names = [b"user%d" % number for number in range(5)]
    file.write_bytes(b"".join(b"%b:{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=\n" % name for name in names))

    async def run() -> None:
        known = Passwords(verified.verify)
        for name in (*names, names[4], names[0]):
            assert await known.fit(str(file), name, PASSWORD)

    asyncio.run(run())
    assert len(verified) == 6


def test_too_many_that_wait_are_told_to_come_again(users: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 4)

    async def run() -> list[bool | BaseException]:
        known = Passwords()
        wrong = (b"wrong%d" % number for number in range(10))
        tries = (known.fit(users, b"ada", password) for password in wrong)
        return await asyncio.gather(*tries, return_exceptions=True)

    results = asyncio.run(run())
    assert results.count(False) == 4
    assert sum(isinstance(result, Busy) for result in results) == 6


def test_verification_does_not_hold_up_the_event_loop(users: str) -> None:
    async def run() -> None:
        loop, begun, ended = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def slow(password: bytes, stored: bytes) -> bool:
            loop.call_soon_threadsafe(begun.set)
            return asyncio.run_coroutine_threadsafe(ended.wait(), loop).result(15)

        task = asyncio.create_task(Passwords(slow).fit(users, b"ada", PASSWORD))
        await asyncio.wait_for(begun.wait(), 15)
        ended.set()
        assert await task

    asyncio.run(run())
