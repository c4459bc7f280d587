"""What the service manager is told: sd_notify(3) in the standard library, and when it is told what.

Without NOTIFY_SOCKET nothing is sent and no timer runs.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, MutableMapping

from gateway.keeper.loop import Loop

_BOUND = 1.0  # seconds that a manager which does not listen can hold the keeper up
_MICROSECONDS = 1_000_000


class Service:
    """The gateway as a service of systemd. `alive` is asked whether there is a front that serves."""

    def __init__(self, address: str, watchdog: float | None) -> None:
        """`address`: NOTIFY_SOCKET, a path or `@name` of an abstract socket, "" without a manager; `watchdog`:
        seconds of silence that the manager takes for death."""
        self._address, self._watchdog = address, watchdog
        self._ready = self._reloading = False

    def watch(self, loop: Loop, alive: Callable[[], bool]) -> None:
        """WATCHDOG=1 at half of the watchdog's time, for as long as `alive` says so."""
        if not self._address or not self._watchdog:
            return
        pause = self._watchdog / 2

        def tick() -> None:
            if alive():
                self._send("WATCHDOG=1")
            loop.later(pause, tick)

        loop.later(pause, tick)

    def serves(self, pid: int, *, more: bool = False) -> None:
        """A front serves; with `more` another reload is waiting for its turn."""
        self._tell(f"Front {pid} serves.", ready=not more)

    def reloads(self) -> None:
        """A reload was asked for."""
        if self._ready and not self._reloading:
            self._reloading = True
            self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}\nSTATUS=Reloading.")

    def not_reloaded(self, why: str) -> None:
        """The old settings stay."""
        self._tell(f"The old settings stay: {why}", ready=True)

    def front_lost(self, pid: int, why: str) -> None:
        """Sessions live on; another front is on its way."""
        self._tell(f"Front {pid} is gone ({why}), another takes over.")

    def failed(self, why: str) -> None:
        """No front can be started."""
        self._tell(f"No front can be started: {why}")

    def stops(self) -> None:
        """The gateway ends."""
        self._send("STOPPING=1")

    def _tell(self, text: str, *, ready: bool = False) -> None:
        if ready:
            self._ready, self._reloading = True, False
        self._send(("READY=1\n" if ready else "") + "STATUS=" + " ".join(text.split()))

    def _send(self, text: str) -> None:
        """One datagram; a manager that does not take it changes nothing here."""
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.settimeout(_BOUND)
                sock.sendto(text.encode(errors="surrogateescape"), os.fsencode(address))
        except OSError:
            pass


def service(environ: MutableMapping[str, str]) -> Service:
    """The service that the environment tells of. Its words are taken out: they are the keeper's alone, neither
    fronts nor programs may speak for it (sd_notify(3), sd_watchdog_enabled(3))."""
    address = environ.pop("NOTIFY_SOCKET", "")
    microseconds, whose = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
    watched = microseconds.isdecimal() and whose in ("", str(os.getpid()))
    return Service(
        address if address.startswith(("/", "@")) else "",
        int(microseconds) / _MICROSECONDS if watched else None,
    )
