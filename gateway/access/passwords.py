"""Passwords: verified in threads, a few at a time, and remembered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from hashlib import blake2b

from gateway.access.files import Users, Watched, parse_users
from gateway.access.hashes import is_hash, verify
from gateway.errors import Busy

AT_ONCE = max(1, (os.cpu_count() or 1) - 1)  # each takes a processor for as long as its hash asks
MOST_WAITING = 64
REMEMBERED = 1024


class Passwords:
    """Knows which passwords fitted by keyed digests of user, password and stored hash; `check` is slow."""

    def __init__(self, check: Callable[[bytes, bytes], bool] = verify) -> None:
        self._check = check
        self._files = Watched(parse_users)
        self._key = os.urandom(32)
        self._fitted: dict[bytes, None] = {}
        self._running: dict[bytes, asyncio.Task[bool]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def fit(self, path: str, name: bytes, password: bytes) -> bool:
        """Whether a file has this user with this password. Raises OSError, and Busy when too many wait.

        A name that the file does not have costs as much as one that it has.
        """
        users = self._files[path]
        stored = users.stored.get(name)
        if stored is not None and is_hash(stored):
            return await self._remembered(name, password, stored)
        decoy = self._decoy(users, name)
        if decoy is not None:
            await self._verified(password, decoy)
        return False

    def known(self, path: str, name: bytes) -> bool:
        """Whether a file has this user, for the log. Raises OSError."""
        return name in self._files[path].stored

    def _decoy(self, users: Users, name: bytes) -> bytes | None:
        """The hash of another user: for an unknown name always the same one."""
        if not users.hashes:
            return None
        return users.hashes[int.from_bytes(self._digest(name)[:8], "big") % len(users.hashes)]

    async def _remembered(self, name: bytes, password: bytes, stored: bytes) -> bool:
        key = self._digest(name, password, stored)
        if key in self._fitted:
            return True
        running = self._running.get(key)
        if running is None:  # requests that come together are verified once
            running = self._running[key] = asyncio.create_task(self._verified(password, stored))
            running.add_done_callback(lambda done: self._running.pop(key))
        fits = await asyncio.shield(running)
        if fits:
            self._fitted[key] = None
            if len(self._fitted) > REMEMBERED:
                del self._fitted[next(iter(self._fitted))]
        return fits

    async def _verified(self, password: bytes, stored: bytes) -> bool:
        if self._waiting >= MOST_WAITING:
            raise Busy("too many passwords wait to be verified")
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(self._check, password, stored)
        finally:
            self._waiting -= 1

    def _digest(self, *parts: bytes) -> bytes:
        """Nobody without this process's key can compute it."""
        framed = b"".join(b"%d:%b" % (len(part), part) for part in parts)
        return blake2b(framed, key=self._key, digest_size=32).digest()
