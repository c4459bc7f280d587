"""The status page as programs read it."""

from __future__ import annotations

import http.client
import json
import queue
import threading
from typing import Any

from tests.blackbox.harness import BOUND, Gateway, wait_for

URL = "/server-status"


def snapshot(gateway: Gateway, url: str = URL, **headers: str) -> Any:
    """`?json`."""
    answer = gateway.get(f"{url}?json", **headers)
    assert answer.status == 200, answer
    return json.loads(answer.text)


def row(gateway: Gateway, handle: str, url: str = URL) -> Any:
    """The row of a session."""
    (found,) = [one for one in snapshot(gateway, url)["sessions"] if one["handle"].rstrip("…") == handle[:4]]
    return found


def auto(gateway: Gateway, url: str = URL) -> dict[str, str]:
    """`?auto`, as munin and telegraf take it apart."""
    lines = gateway.get(f"{url}?auto").text.splitlines()
    return dict(line.split(": ", 1) for line in lines)


class Events:
    """A stream of events, read in a thread of its own, as an EventSource reads it."""

    def __init__(self, gateway: Gateway, url: str = URL, **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=BOUND)
        self._connection.request("GET", f"{url}?events", headers=headers)
        self.response = self._connection.getresponse()
        self.ended = False
        self._found: queue.Queue[tuple[str, Any]] = queue.Queue()
        if self.response.status == 200:
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def _read(self) -> None:
        name = ""
        try:
            for line in self.response:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    self._found.put((name, json.loads(value)))
        except (OSError, ValueError, AttributeError):  # what http.client raises when it is left by `close`
            pass
        self.ended = True

    def next(self, name: str) -> Any:
        """The next event of this name."""
        while True:
            found, data = self._found.get(timeout=BOUND)
            if found == name:
                return data

    def change(self, what: str, holds: Any) -> Any:
        """The next change for which `holds` is true."""
        return wait_for(what, lambda: data if holds(data := self.next("change")) else None)

    def wait_end(self) -> None:
        """Wait until the server has ended it."""
        wait_for("the end of the stream", lambda: self.ended)

    def close(self) -> None:
        """Leave."""
        if self._connection.sock is not None:
            self._connection.sock.shutdown(2)
        self._connection.close()
