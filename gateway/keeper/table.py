"""The shared table: what changes with every request, in memory that outlives the front.

One slot an instance. A slot is written by the front that holds the instance, or by the keeper when
nobody does, and read by all. Single aligned stores are atomic here; of the handles there are two copies,
and a version that says which one counts: whoever dies while writing leaves the other one whole. Times are
CLOCK_MONOTONIC seconds, one clock for all processes.

Behind the slots lie two rings of retired handles (R4), written by the active front, else the keeper, and a
place for `history`: what the active front keeps of its measures, in a form that is its own.
"""

import mmap
import os
import struct
from itertools import chain

from gateway.keeper.entry import Facts as Facts
from gateway.keeper.entry import Handles as Handles
from gateway.keeper.entry import Holders as Holders
from gateway.keeper.entry import parsed
from gateway.keeper.entry import session_key as session_key
from gateway.keeper.ring import KEY_SIZE as KEY_SIZE
from gateway.keeper.ring import RING_LENGTH as RING_LENGTH
from gateway.keeper.ring import Entry as Entry
from gateway.keeper.ring import Ring as Ring

VERSION = 7
FREE, FIRST, IDLE, BUSY, ENDING = range(5)

HANDLES = 10  # the current one, eight previous ones (R6) and one lost (R7)
_HANDLE_SIZE = 129
_TRIES = 1000  # to read what is being written: more only where somebody means harm
LONGEST_OWNER = 255
HISTORY = 1 << 19  # bytes
_MAGIC = 0x49474350 << 32 | VERSION
_HEADER = 4096
_SLOT = 128
_KEYS = HANDLES * KEY_SIZE  # one copy
_COPY = 2 + HANDLES * _HANDLE_SIZE  # a count, whether one is lost, the handles with their lengths
_OWNER_AT = 2592  # within a slot's texts, behind both copies: a length, 0 for none, and the text
_LAST_AT = 2848  # likewise
_LONGEST_LAST = 127
_BIND_AT = 2976  # likewise; at most _LONGEST_BIND
_LONGEST_BIND = 39
_TEXTS = 3016

# words of 8 bytes within the header: magic, slots, how many of these are for instances (the others are for
# sessions of shared ones); of both kinds: behind the last one that was ever used; whether no session begins
_INSTANCES, _HIGH, _HIGH_OF_SESSIONS, _CLOSING = 2, 3, 4, 5
# words of 8 bytes within a slot
_INSTANCE, _DEADLINE, _TIMEOUT, _REQUESTS, _BYTES_IN, _BYTES_OUT, _BUSY = range(1, 8)
_RESTED, _VERSION, _BEGAN = range(8, 11)
_USER, _CLIENT = 14, 15  # who has the session, as numbers
_REST = struct.Struct("ddQQQdd")  # from _DEADLINE to _RESTED; in native form: word by word
_CLEAR, _NO_KEYS = bytes(_SLOT - 8), bytes(2 * _KEYS)  # all words of a slot but the first; both copies
# bytes within a slot's first word
_STATE, _PERSISTENT = range(2)


class Table:
    """The slots. `slots` bounds the instances alive at one time; memory is touched on use only."""

    def __init__(self, descriptor: int, slots: int) -> None:
        self.descriptor = descriptor
        self.slots = slots
        self._map = mmap.mmap(descriptor, size_for(slots))
        view = memoryview(self._map)
        self._bytes = view.cast("B")
        self._words = view.cast("Q")
        self._times = view.cast("d")
        self._keys_at = _HEADER + slots * _SLOT
        self._texts_at = self._keys_at + slots * 2 * _KEYS
        rings = self._texts_at + slots * _TEXTS
        self.replaced = Ring(self._map, rings, RING_LENGTH)
        self.retired = Ring(self._map, rings + Ring.size(RING_LENGTH), RING_LENGTH)
        self.history = self._bytes[size_for(slots) - HISTORY :]

    def close(self) -> None:
        """Unmap the table and close its descriptor."""
        self.history.release()
        self._bytes.release()
        self._words.release()
        self._times.release()
        self.replaced.close()
        self.retired.close()
        self._map.close()
        os.close(self.descriptor)

    @property
    def closing(self) -> bool:
        """Whether no session and no program begins any more (`gateway drain`); for every front."""
        return self._words[_CLOSING] != 0

    @closing.setter
    def closing(self, value: bool) -> None:
        self._words[_CLOSING] = value

    def open_slot(self, slot: int, instance: int) -> None:
        """Give a free slot to a new instance (keeper only)."""
        word, texts = self._word(slot), self._texts_at + slot * _TEXTS
        self._map[8 * word + 8 : 8 * word + _SLOT] = _CLEAR
        self._forget_handles(slot)
        self._bytes[texts + _OWNER_AT] = self._bytes[texts + _LAST_AT] = self._bytes[texts + _BIND_AT] = 0
        self._words[word + _INSTANCE] = instance
        self._words[word] = FIRST
        high = _HIGH if slot < self._words[_INSTANCES] else _HIGH_OF_SESSIONS
        self._words[high] = max(self._words[high], slot + 1)

    def free_slot(self, slot: int) -> None:
        """Take the slot of a reaped instance back (keeper only)."""
        self._forget_handles(slot)
        self._words[self._word(slot)] = FREE

    def _forget_handles(self, slot: int) -> None:
        keys, texts = self._keys_at + slot * 2 * _KEYS, self._texts_at + slot * _TEXTS
        self._bytes[keys : keys + 2 * _KEYS] = _NO_KEYS
        self._bytes[texts] = self._bytes[texts + _COPY] = 0

    def set_state(self, slot: int, state: int) -> None:
        """FIRST, IDLE, BUSY or ENDING."""
        self._bytes[_HEADER + slot * _SLOT] = state

    def state(self, slot: int) -> int:
        """The state that the slot's holder wrote last."""
        return self._bytes[_HEADER + slot * _SLOT]

    def set_persistent(self, slot: int) -> None:
        """The instance holds a place of MaxPersistentCGI (L1) until it is reaped."""
        self._bytes[_HEADER + slot * _SLOT + _PERSISTENT] = 1

    def persistent(self, slot: int) -> bool:
        """Whether the slot's instance was ever kept for a second request."""
        return bool(self._bytes[_HEADER + slot * _SLOT + _PERSISTENT])

    def set_owner(self, slot: int, user: bytes | None) -> None:
        """The user who created the instance's session (W1), at most LONGEST_OWNER bytes; None: no user."""
        at, text = self._texts_at + slot * _TEXTS + _OWNER_AT, user or b""
        self._bytes[at + 1 : at + 1 + len(text)] = text
        self._bytes[at] = len(text)

    def owner(self, slot: int) -> bytes | None:
        """The user who created the instance's session."""
        at = self._texts_at + slot * _TEXTS + _OWNER_AT
        return bytes(self._bytes[at + 1 : at + 1 + self._bytes[at]]) or None

    def begin(
        self, slot: int, user: bytes | None, began: float, bind: bytes | None = None, holders: Holders = (0, 0)
    ) -> None:
        """A session begins: whose it is, when (seconds since 1970), by which cookie its browser is known again
        (W2), and the numbers of the user and the client who have it (L2; 0: nobody)."""
        word, at, text = self._word(slot), self._texts_at + slot * _TEXTS + _BIND_AT, bind or b""
        self.set_owner(slot, user)
        self._bytes[at + 1 : at + 1 + len(text)] = text
        self._bytes[at] = len(text)
        self._words[word + _USER], self._words[word + _CLIENT] = holders
        self._times[word + _BEGAN] = began

    def bind(self, slot: int) -> bytes | None:
        """The value of the cookie that calls of the slot's session need."""
        at = self._texts_at + slot * _TEXTS + _BIND_AT
        return bytes(self._bytes[at + 1 : at + 1 + self._bytes[at]]) or None

    def holders(self, slot: int) -> Holders:
        """The numbers of the user and the client who have the slot's session."""
        word = self._word(slot)
        return self._words[word + _USER], self._words[word + _CLIENT]

    def held_by(self, holder: int) -> int:
        """How many sessions a user or client has, whichever front holds them (a scan); an instance's own one
        until the process is reaped, one of a shared instance until it is over."""
        own = (slot for slot in range(self._slots(_HIGH)) if self.state(slot) != FREE)
        behind = range(self._slots(_INSTANCES), self._slots(_HIGH_OF_SESSIONS))
        shared = (slot for slot in behind if self._is_live(slot))
        return sum(holder in self.holders(slot) for slot in chain(own, shared))

    def _is_live(self, slot: int) -> bool:
        return self.state(slot) in (FIRST, IDLE, BUSY)

    def began(self, slot: int) -> float:
        """When the slot's session began; 0.0: there is none, or it was told already that it is over."""
        return self._times[self._word(slot) + _BEGAN]

    def account(self, slot: int) -> None:
        """What is to be told of the slot's session has been told: it does not begin again."""
        self._times[self._word(slot) + _BEGAN] = 0.0

    def set_last(self, slot: int, rest: bytes) -> None:
        """What the URL of the session's last request had behind the handle; the beginning of a long one."""
        at, text = self._texts_at + slot * _TEXTS + _LAST_AT, rest[:_LONGEST_LAST]
        self._bytes[at + 1 : at + 1 + len(text)] = text
        self._bytes[at] = len(text)

    def facts(self, slot: int) -> Facts:
        """When the slot's session began, and its counters, as `rest` wrote them."""
        word, at = self._word(slot), self._texts_at + slot * _TEXTS + _LAST_AT
        return Facts(
            self.began(slot),
            self._words[word + _BYTES_IN],
            self._words[word + _BYTES_OUT],
            self._times[word + _BUSY],
            bytes(self._bytes[at + 1 : at + 1 + self._bytes[at]]),
        )

    def instance(self, slot: int) -> int:
        """The number of the instance that the slot belongs to."""
        return self._words[self._word(slot) + _INSTANCE]

    def rest(
        self,
        slot: int,
        deadline: float,
        timeout: float,
        requests: int,
        bytes_in: int = 0,
        bytes_out: int = 0,
        busy: float = 0.0,
        rested: float = 0.0,
    ) -> None:
        """The instance is idle until `deadline` (T1), since `rested`, after so many requests and `busy` seconds
        in which one ran."""
        at = _HEADER + slot * _SLOT
        words = deadline, timeout, requests, bytes_in, bytes_out, busy, rested
        _REST.pack_into(self._map, at + 8 * _DEADLINE, *words)
        self._bytes[at] = IDLE

    def clock(self, slot: int) -> tuple[float, float, int]:
        """Deadline, time-out and number of requests, as `rest` wrote them."""
        word = self._word(slot)
        return self._times[word + _DEADLINE], self._times[word + _TIMEOUT], self._words[word + _REQUESTS]

    def rested(self, slot: int) -> float:
        """Since when nothing was asked of the slot's session, as `rest` wrote it."""
        return self._times[self._word(slot) + _RESTED]

    def set_handles(self, slot: int, handles: tuple[bytes, ...], keys: tuple[bytes, ...], lost: bool) -> None:
        """Write the accepted handles, the current one first, with their session keys: at once, for others."""
        word = self._word(slot) + _VERSION
        copy = (self._words[word] + 1) & 1
        at = self._keys_at + (2 * slot + copy) * _KEYS
        self._bytes[at : at + _KEYS] = b"".join(keys).ljust(_KEYS, b"\0")
        at = self._texts_at + slot * _TEXTS + copy * _COPY
        text = b"".join((bytes((len(handles), lost)), *(bytes((len(one),)) + one for one in handles)))
        self._bytes[at : at + len(text)] = text
        self._words[word] += 1

    def handles(self, slot: int) -> Handles:
        """The accepted handles."""
        word = self._word(slot) + _VERSION
        for _ in range(_TRIES):
            version = self._words[word]
            at = self._texts_at + slot * _TEXTS + (version & 1) * _COPY
            text = bytes(self._bytes[at : at + _COPY])
            if self._words[word] == version:
                break
        return parsed(text)

    def find(self, key: bytes) -> int | None:
        """The slot in which a session key is accepted now, whoever holds it (a scan)."""
        slot = self._find(key, 0, self._slots(_HIGH))
        if slot is None:
            slot = self._find(key, self._slots(_INSTANCES), self._slots(_HIGH_OF_SESSIONS))
        return slot

    def _find(self, key: bytes, first: int, high: int) -> int | None:
        at = self._keys_at + first * 2 * _KEYS
        end = self._keys_at + high * 2 * _KEYS
        while (at := self._map.find(key, at, end)) >= 0:
            place, offset = divmod(at - self._keys_at, _KEYS)
            slot, copy = divmod(place, 2)
            counts = offset % KEY_SIZE == 0 and copy == self._words[self._word(slot) + _VERSION] & 1
            if counts and self._is_live(slot):
                return slot
            at += 1
        return None

    def _slots(self, word: int) -> int:
        """A number of slots in the header, whatever is written there."""
        return min(self._words[word], self.slots)

    def _word(self, slot: int) -> int:
        return (_HEADER + slot * _SLOT) >> 3


def size_for(slots: int) -> int:
    """Bytes of a table with so many slots."""
    return _HEADER + slots * (_SLOT + 2 * _KEYS + _TEXTS) + 2 * Ring.size(RING_LENGTH) + HISTORY


def create(slots: int, sessions: int = 0) -> Table:
    """A new, empty table in anonymous memory; `sessions` more slots are for sessions of shared instances."""
    instances, slots = slots, slots + sessions
    descriptor = os.memfd_create("persistent-cgi", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, size_for(slots))
    table = Table(descriptor, slots)
    struct.pack_into("=QQQ", table._map, 0, _MAGIC, slots, instances)
    return table


def attach(descriptor: int) -> Table:
    """The table behind a descriptor from the keeper. Raises ValueError for another version."""
    with mmap.mmap(descriptor, _HEADER, prot=mmap.PROT_READ) as head:
        magic, slots = struct.unpack_from("=QQ", head)
    if magic != _MAGIC:
        raise ValueError("the shared table is of another version; restart the gateway")
    return Table(descriptor, slots)
