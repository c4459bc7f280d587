"""The run-time libraries of native programs, told between two calls what an interpreter tells its own streams.

Each keeps buffers and states in this process; a request must not see what the one before it left there (B1).
Standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import ctypes
import os

LIBC = ctypes.CDLL(None)
LIBC.fdopen.restype = ctypes.c_void_p
_UNBUFFERED = 2  # _IONBF
_POINTER = ctypes.sizeof(ctypes.c_void_p)


class Runtime:
    """What the host does with one of them. `library` is the program: its symbols and those of what it needs."""

    SYMBOL = ""  # that programs which are linked with it can see

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library

    @classmethod
    def serves(cls, library: ctypes.CDLL) -> bool:
        """Whether the program is linked with it."""
        return hasattr(library, cls.SYMBOL)

    def renew(self, call: int) -> None:
        """Before the call of this number, from 1: forget what was read ahead, ends of file, errors."""

    def flush(self) -> None:
        """After a call: send what is in the buffers on its way."""

    def close(self) -> None:
        """After the last call, as at the end of a program."""


class C(Runtime):
    """<stdio.h>."""

    SYMBOL = "fflush"

    def renew(self, call: int) -> None:
        """Standard streams that the program has closed are opened again."""
        for number, (name, mode) in enumerate((("stdin", b"r"), ("stdout", b"w"), ("stderr", b"w"))):
            stream = variable(name)
            if LIBC.fileno(stream) != number:
                stream.value = LIBC.fdopen(number, mode)
                if number == 2:
                    LIBC.setvbuf(stream, None, _UNBUFFERED, 0)
            LIBC.clearerr(stream)
        _purge(variable("stdin"))
        LIBC.rewind(variable("stdin"))

    def flush(self) -> None:
        """All output streams."""
        LIBC.fflush(None)


class Cpp(Runtime):
    """<iostream> of GNU's libstdc++; after sync_with_stdio(false) it has buffers of its own."""

    SYMBOL = "_ZNSi5seekgElSt12_Ios_Seekdir"

    def __init__(self, library: ctypes.CDLL) -> None:
        super().__init__(library)
        names = ("_ZSt3cin", "_ZSt4cout", "_ZSt4clog", "_ZSt4cerr")
        self._input, *self._outputs = (_address(library, name) for name in names)
        self._flush = library._ZNSo5flushEv  # std::ostream::flush()
        self._seek = library[self.SYMBOL]  # std::istream::seekg(offset, direction)
        # std::ios::clear(state)
        self._clear = library._ZNSt9basic_iosIcSt11char_traitsIcEE5clearESt12_Ios_Iostate
        # std::ios::rdbuf(), std::ios::rdbuf(buffer); std::ios_base::sync_with_stdio(true) changes nothing
        self._buffer = library._ZNKSt9basic_iosIcSt11char_traitsIcEE5rdbufEv
        self._buffer.restype = ctypes.c_void_p
        self._set_buffer = library._ZNSt9basic_iosIcSt11char_traitsIcEE5rdbufEPSt15basic_streambufIcS1_E
        self._synced = library._ZNSt8ios_base15sync_with_stdioEb
        self._synced.restype = ctypes.c_bool
        self._synced_at_first = self._synced(True)
        self._buffers = [(_base(one), self._buffer(_base(one))) for one in (self._input, *self._outputs)]

    @classmethod
    def serves(cls, library: ctypes.CDLL) -> bool:
        """Other libraries may need libstdc++ too (libcob does); its streams are made for those who use them."""
        return super().serves(library) and _table(_address(library, "_ZSt3cin")) != 0

    def renew(self, call: int) -> None:
        """The first body may be a pipe, where nothing can be sought; nothing was read ahead then either."""
        for stream in self._outputs:
            self._clear(_base(stream), 0)
        if call > 1:
            self._seek(ctypes.c_void_p(self._input), ctypes.c_long(0), 0)
            self._clear(_base(self._input), 0)

    def flush(self) -> None:
        """The output streams. A buffer that the program gave one of them may be gone with the call; those of
        sync_with_stdio(false) stay."""
        if self._synced(True) == self._synced_at_first:
            for base, buffer in self._buffers:
                if self._buffer(base) != buffer:
                    self._set_buffer(base, ctypes.c_void_p(buffer))
        for stream in self._outputs:
            self._flush(ctypes.c_void_p(stream))


class Fortran(Runtime):
    """The units of GNU's libgfortran."""

    SYMBOL = "_gfortran_st_open"
    OUTPUTS = ((6, 1, b"/dev/stdout"), (0, 2, b"/dev/stderr"))  # unit, descriptor, file

    def renew(self, call: int) -> None:
        """In the first call the units are connected already; those of output stay so, unless the program has
        closed them or opened a file in their place."""
        if call > 1:
            self._open(5, b"/dev/stdin", b"read")
            for unit, descriptor, file in self.OUTPUTS:
                if not self._leads_to(unit, descriptor):
                    self._open(unit, file, b"write")

    def _leads_to(self, unit: int, descriptor: int) -> bool:
        number = self.library._gfortran_fnum_i4(ctypes.byref(ctypes.c_int(unit)))
        try:
            return number == descriptor or os.path.sameopenfile(number, descriptor)
        except OSError:  # closed
            return False

    def _open(self, unit: int, file: bytes, action: bytes) -> None:
        """`open(unit=unit, file=file, action=action, iostat=status)`."""
        status = ctypes.c_int()
        parameters = _Open(_Open.HAS_STATUS | _Open.HAS_FILE | _Open.HAS_ACTION, unit, b"native.py")
        parameters.iostat = ctypes.pointer(status)
        parameters.file, parameters.file_len = file, len(file)
        parameters.action, parameters.action_len = action, len(action)
        self.library._gfortran_st_open(ctypes.byref(parameters))

    def flush(self) -> None:
        """All units."""
        self.library._gfortran_flush_i4(None)


class _Open(ctypes.Structure):
    """`st_parameter_open` of libgfortran (symbol version GFORTRAN_8 and later) as far as it is used here."""

    HAS_STATUS, HAS_FILE, HAS_ACTION = 1 << 5, 1 << 8, 1 << 14
    _fields_ = [
        ("flags", ctypes.c_int),
        ("unit", ctypes.c_int),
        ("source", ctypes.c_char_p),
        ("line", ctypes.c_int),
        ("iomsg_len", ctypes.c_size_t),
        ("iomsg", ctypes.c_void_p),
        ("iostat", ctypes.POINTER(ctypes.c_int)),
        ("recl_in", ctypes.c_void_p),
        ("file_len", ctypes.c_size_t),
        ("file", ctypes.c_char_p),
        ("status_access_form_blank_position", ctypes.c_size_t * 10),  # lengths and pointers
        ("action_len", ctypes.c_size_t),
        ("action", ctypes.c_char_p),
        ("rest", ctypes.c_char * 928),
    ]


class Cobol(Runtime):
    """GnuCOBOL's libcob. It reads and writes by <stdio.h>; files of a program are its own."""

    SYMBOL = "cob_init"

    def begin(self, arguments: ctypes.Array[ctypes.c_void_p]) -> None:
        """Once, before the first call of a COBOL program. CALL finds all programs of the file from now on."""
        ctypes.CDLL(self.library._name, os.RTLD_NOLOAD | os.RTLD_GLOBAL)
        self.library.cob_init(len(arguments) - 1, arguments)

    def close(self) -> None:
        """Close the files that are open."""
        self.library.cob_tidy()


def variable(name: str) -> ctypes.c_void_p:
    """A pointer variable of the C library, such as `environ`."""
    return ctypes.c_void_p.in_dll(LIBC, name)


def name_program(name: ctypes.Array[ctypes.c_char]) -> None:
    """The path that messages of the C library (`warn`, `error`) begin with; the array must live on."""
    address = ctypes.addressof(name)
    variable("program_invocation_name").value = address
    variable("program_invocation_short_name").value = address + name.value.rfind(b"/") + 1


def _purge(stream: ctypes.c_void_p) -> None:
    """Drop a stream's buffer (stdio_ext.h); a call by its plain name within a class would be mangled."""
    LIBC.__fpurge(stream)


def _address(library: ctypes.CDLL, name: str) -> int:
    return ctypes.addressof(ctypes.c_char.in_dll(library, name))


def _table(stream: int) -> int:
    """The address of an object's table of functions, the first thing in it."""
    return ctypes.c_void_p.from_address(stream).value or 0


def _base(stream: int) -> ctypes.c_void_p:
    """std::ios of a stream, its virtual base; the offset stands before the table of functions (Itanium ABI)."""
    return ctypes.c_void_p(stream + ctypes.c_ssize_t.from_address(_table(stream) - 3 * _POINTER).value)
