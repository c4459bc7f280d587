"""Loads a shared object as a program: as it is now, and with its own functions before those of libraries.

Standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

LARGEST_COPY = 8 << 20  # bytes
_BESIDE = (b"$ORIGIN", b"${ORIGIN}")  # libraries are looked for in the file's own folder: ld.so(8)
# elf(5), 64 bits: the header from e_phoff on, a program header, an entry of the dynamic section
_HEADER, _HEADER_AT = struct.Struct("=QQIHHH"), 32
_SEGMENT, _ENTRY = struct.Struct("=IIQQQQQQ"), struct.Struct("=qQ")
_PT_DYNAMIC, _DT_NULL, _DT_SYMBOLIC = 2, 0, 16


class NotLoadable(Exception):
    """A file that cannot be run by the native host; the text says why and what was expected."""


def load(path: str) -> ctypes.CDLL:
    """The shared object in a file. Raises NotLoadable.

    A private copy is loaded, so that the file may be overwritten while the program lives; the file itself where
    it is larger than LARGEST_COPY, names libraries by its own folder, or memory files are not known here.
    """
    try:
        with open(path, "rb") as file:
            data = bytearray(file.read(LARGEST_COPY + 1))
        if (
            hasattr(os, "memfd_create")
            and len(data) <= LARGEST_COPY
            and not any(word in data for word in _BESIDE)
        ):
            _prefer_own_functions(data)
            try:
                return _load_copy(os.path.basename(path), data)
            except OSError:
                pass  # the next line tells why, with the file's own name
        return ctypes.CDLL(path)
    except OSError as error:
        raise NotLoadable(
            f"{error}; expected a shared object for {os.uname().machine}, from `cc -shared -fPIC` or `cobc -m`"
        ) from None


def _load_copy(name: str, data: bytearray) -> ctypes.CDLL:
    with open(os.memfd_create(name), "wb") as copy:
        copy.write(data)
        copy.flush()
        return ctypes.CDLL(f"/proc/self/fd/{copy.fileno()}")


def _prefer_own_functions(data: bytearray) -> None:
    """Do as `ld -Bsymbolic`, in a free entry of the dynamic section: a program with an `error` or `index` of
    its own calls that, as it does when it is an executable, and not the C library's."""
    order = b"\1" if sys.byteorder == "little" else b"\2"
    if not data.startswith(b"\x7fELF\2" + order):
        return
    try:
        place, _, _, _, size, number = _HEADER.unpack_from(data, _HEADER_AT)
        for at in range(place, place + size * number, size):
            kind, _, offset, _, _, length, _, _ = _SEGMENT.unpack_from(data, at)
            if kind == _PT_DYNAMIC:
                _add_entry(data, offset, offset + length)
    except (struct.error, ValueError, OverflowError):
        pass  # the loader says what is wrong with it


def _add_entry(data: bytearray, at: int, end: int) -> None:
    """DT_SYMBOLIC in the place of the first of two or more closing entries."""
    while _ENTRY.unpack_from(data, at)[0] != _DT_NULL:
        at += _ENTRY.size
    if at + 2 * _ENTRY.size <= end:
        _ENTRY.pack_into(data, at, _DT_SYMBOLIC, 0)
