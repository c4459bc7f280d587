"""`python -m gateway.keeper STATE CONF [DEFINE …]`: what `gateway serve` becomes."""

import os
import resource
import signal
import sys
from collections.abc import Callable
from types import FrameType

from gateway.keeper.keeper import Keeper
from gateway.keeper.notify import service
from gateway.keeper.spawn import occupy_low_descriptors
from gateway.logs.error import ErrorLog

KEY_SIZE = 32
_DESCRIPTORS_AN_INSTANCE = 3
_MOST_SLOTS = 16384
_MOST_SHARED_SESSIONS = 65536


def main() -> int:
    """Run the keeper in this process; the exit status."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(os.umask(0o077) | 0o022)  # nobody else writes to what a program makes; a stricter one stays
    occupy_low_descriptors(up_to=9)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    slots = min(_MOST_SLOTS, (hard - 64) // _DESCRIPTORS_AN_INSTANCE)
    log = ErrorLog()
    key, sessions = state_key(sys.argv[1], log), _MOST_SHARED_SESSIONS
    keeper = Keeper(sys.argv[2:], key, log, slots, sessions, service(os.environ))
    _listen_to_signals(keeper)
    return keeper.run()


def state_key(directory: str, log: ErrorLog) -> bytes:
    """The key of the ready-made handles (H11), made on first use with mode 0600.

    Without a writable state directory the key lives as long as the keeper; the log says so.
    """
    path = os.path.join(directory, "handle.key")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        if not os.path.exists(path):
            _create(path, os.urandom(KEY_SIZE))
        with open(path, "rb") as file:
            key = file.read()
        if len(key) == KEY_SIZE:
            return key
        log("error", f"{path}: expected {KEY_SIZE} bytes, found {len(key)}; not used", module="core")
    except OSError as error:
        log("warn", f"no state directory ({error}): handles are forgotten at the next start", module="core")
    return os.urandom(KEY_SIZE)


def _create(path: str, content: bytes) -> None:
    """Write a new file whole or not at all; another process that was faster wins."""
    temporary = f"{path}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        os.unlink(temporary)


def _listen_to_signals(keeper: Keeper) -> None:
    """Signals become events of the loop: no handler runs in the middle of anything."""
    actions: dict[int, Callable[[], None]] = {
        signal.SIGTERM: keeper.stop,
        signal.SIGINT: keeper.stop,
        signal.SIGHUP: keeper.reload,
        signal.SIGUSR1: keeper.reopen_logs,
        signal.SIGCHLD: keeper.reap,
    }
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def nothing(number: int, frame: FrameType | None) -> None:
        """Python writes to the wake-up descriptor only for signals that have a handler."""

    def awake() -> None:
        for number in sorted(set(os.read(reading, 4096))):
            actions[number]()

    for number in actions:
        signal.signal(number, nothing)
    keeper.loop.reader(reading, awake)


if __name__ == "__main__":
    sys.exit(main())
