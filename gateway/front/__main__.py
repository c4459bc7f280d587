"""`python -m gateway.front CONF [DEFINE …]`, with the link to the keeper on descriptor 3."""

# ruff: noqa: E402
import gc

gc.disable()  # what is imported below is no garbage; looking for some takes a sixth of the start

import asyncio
import logging
import os
import signal
import socket
import sys

import uvloop

from gateway.app import Application, addresses
from gateway.configuration.load import ConfigurationErrors, load
from gateway.directives import table
from gateway.front.control import control_socket
from gateway.front.life import Front
from gateway.front.privileges import give_up, privileges
from gateway.keeper.link import LINK_DESCRIPTOR
from gateway.logs.error import ErrorLog
from gateway.logs.opened import open_logs, session_logs, targets
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
        logs = open_logs(configuration)
        link.on["reopen"] = lambda message: logs.error.reopen()
        descriptor, key = await link.hello()
        sockets = await link.listen(addresses(configuration))
        control = await control_socket(configuration, link, logs.error)
    except (ConfigurationErrors, OSError) as error:
        link.tell("refuse", text=str(error))
        link.close()
        return 1
    await link.configure(
        **privileges(configuration),
        logs=targets(configuration),
        sessions=session_logs(configuration),
        graceful=settings[table.GracefulShutdownTimeout],
    )
    logging.getLogger("uvicorn").addHandler(_ToErrorLog(logs.error))
    logging.getLogger("uvicorn").propagate = False
    application = Application(configuration, link, descriptor, key, logs)
    gc.enable()
    gc.freeze()  # what is there now stays: the collector need not look at it again
    front = Front(configuration, link, application, logs.error, control)
    try:
        give_up(configuration)
    except OSError as error:
        link.tell("refuse", text=f"User: the gateway cannot become that user: {error}")
        link.close()
        return 1
    await front.run(sockets)
    return 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(uvloop.run(main()))
