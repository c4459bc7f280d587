"""A program under a host as a client sees it: `script.once(…)`, `script.begin(…)`, `session.call(…)`."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

from tests.blackbox.harness import Answer, Gateway
from tests.hosts.languages import Language

_names = itertools.count(1)


class Script:
    """The program of a language below /cold or /warm; `within`: in a folder of its own there."""

    def __init__(self, gateway: Gateway, language: Language, start: str, within: str = "") -> None:
        self.gateway, self.language, self.start = gateway, language, start
        self.folder = gateway.folder / start / within
        self.path = self.folder / language.file
        self.url = "/" + "/".join(filter(None, (start, within, language.file)))

    def alone(self, name: str) -> Script:
        """A copy of the program in a folder of its own."""
        within = f"{self.language.name}{next(_names)}/{name}"
        copy = Script(self.gateway, self.language, self.start, within)
        copy.folder.mkdir(parents=True)
        shutil.copyfile(self.path, copy.path)
        return copy

    def edit(self, old: bytes, new: bytes) -> None:
        """Replace text of the program's file, as an editor or compiler does: by another file."""
        text = self.path.read_bytes()
        assert text.count(old) == 1
        other = self.path.with_name("edited")
        other.write_bytes(text.replace(old, new))
        os.replace(other, self.path)

    def once(self, *verbs: str, body: bytes | None = None, **headers: str) -> Answer:
        """A request that starts the program and keeps nothing."""
        return self._request(self.url, verbs, body, headers)

    def begin(self, *verbs: str, body: bytes | None = None, **headers: str) -> Session:
        """A new session; the first response must be whole."""
        session = Session(self, f"h{os.getpid()}-{next(_names)}")
        session.first = self._request(self.url, (session.keep, *verbs), body, headers)
        assert (session.first.status, session.first.whole) == (200, True), self.gateway.log[-2000:]
        return session

    def _request(self, url: str, verbs: tuple[str, ...], body: bytes | None, headers: dict[str, str]) -> Answer:
        query = "&".join(verbs).replace(" ", "+")
        return self.gateway.request("GET" if body is None else "POST", f"{url}?{query}", body, headers)


class Session:
    """A session of a script; `first` is the answer that began it."""

    first: Answer

    def __init__(self, script: Script, handle: str) -> None:
        self.script, self.url, self.keep = script, f"{script.url}/{handle}", f"keep={handle}"

    def call(self, *verbs: str, body: bytes | None = None, **headers: str) -> Answer:
        """A request that keeps the session."""
        return self.script._request(self.url, (self.keep, *verbs), body, headers)

    def end(self, *verbs: str) -> Answer:
        """A request whose answer ends the session (H8)."""
        return self.script._request(self.url, verbs, None, {})

    def pid(self) -> int:
        """The process."""
        return self.call("count").number("pid")

    def reason(self) -> str | None:
        """Why the session is over (R4)."""
        return self.script.gateway.reason(self.url)


def lines(path: Path) -> list[str]:
    """The lines of a file that may not be there."""
    return path.read_text().split("\n")[:-1] if path.exists() else []
