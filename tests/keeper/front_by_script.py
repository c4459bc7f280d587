"""A front that does what a script says: `python -m gateway.front SCRIPT` of a package made for a test.

The script finds `link`, `ask(kind, answer, **fields)`, `tell(line)` (to standard output) and `become(uid)`.
"""

import os
import select
import socket
import sys
from typing import Any

from gateway.keeper.link import VERSION, Link, Message

link = Link(socket.socket(fileno=3))


def ask(kind: str, answer: str, **fields: Any) -> dict[str, Any]:
    """Send a message and wait for its answer; a link that was cut ends the process."""
    link.send(kind, **fields)
    while True:
        select.select([link], [], [])
        messages: list[Message] | None = link.receive()
        if messages is None:
            sys.exit(1)
        for message in messages:
            for descriptor in message.descriptors:
                os.close(descriptor)
            if message.kind in answer.split("|"):
                return message.fields


def tell(line: object) -> None:
    """A line that the test reads."""
    os.write(1, f"front: {line}\n".encode())


def become(uid: int) -> None:
    """Give up being root."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


ask("hello", "welcome", version=VERSION, pid=os.getpid())
with open(sys.argv[1]) as script:
    exec(script.read())
while link.receive() is not None:  # until the keeper is gone
    select.select([link], [], [])
