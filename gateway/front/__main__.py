"""`python -m gateway.front CONF [DEFINE …]`, with the link to the keeper on descriptor 3."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys

import uvloop

from gateway.app import Application, addresses
from gateway.configuration import ConfigurationErrors, load
from gateway.directives import table
from gateway.front.life import Front
from gateway.keeper.fronts import LINK_DESCRIPTOR
from gateway.logs import ErrorLog
from gateway.sessions.keeper import KeeperLink


class _ToErrorLog(logging.Handler):
    """Uvicorn's own messages, those of the connections that we cut left out."""

    def __init__(self, log: ErrorLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if "without completing response" not in record.getMessage():
            level = "warn" if record.levelno < logging.ERROR else "error"
            self._log(level, self.format(record), module="http")


async def main() -> int:
    """Be a front; the exit status."""
    loop = asyncio.get_running_loop()
    link = KeeperLink(socket.socket(fileno=LINK_DESCRIPTOR), loop)
    link.on_lost = lambda: os._exit(1)  # the keeper died; its guardian ends the instances
    try:
        configuration = load(sys.argv[1], defines=sys.argv[2:])
        settings = configuration.server.settings
        path = settings[table.ErrorLog]
        log = ErrorLog(None if path == "stderr" else path, settings[table.LogLevel])
        descriptor, key = await link.hello()
        sockets = await link.listen(addresses(configuration))
    except (ConfigurationErrors, OSError) as error:
        link.tell("refuse", text=str(error))
        link.close()
        return 1
    link.tell(
        "configure",
        error_log=log.path,
        level=settings[table.LogLevel],
        graceful=settings[table.GracefulShutdownTimeout],
    )
    link.on["reopen"] = lambda message: log.reopen()
    logging.getLogger("uvicorn").addHandler(_ToErrorLog(log))
    logging.getLogger("uvicorn").propagate = False
    application = Application(configuration, link, descriptor, key, log)
    gc.freeze()  # what is there now stays: the collector need not look at it again
    await Front(configuration, link, application).run(sockets)
    return 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(uvloop.run(main()))
