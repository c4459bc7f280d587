"""The gateway and a real Apache on the same directives file, and what each answers to the same bytes."""

from __future__ import annotations

import http.client
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from tests.blackbox.harness import BOUND, Answer, Gateway, read_answer
from tests.realworld.apache import Apache

# Of the connection, or naming the server itself: never the program's
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "date", "server"}
# Headers of a page that the server made itself
_OF_OWN_PAGES = {"content-type", "content-length", "content-security-policy", "vary", "cache-control"}
# Variables of this very request or server: only whether they are there is compared
_VOLATILE = re.compile(r"(REDIRECT_)*(REMOTE_PORT|UNIQUE_ID|SERVER_SOFTWARE)")
_OWN_PAGE = (b"<!DOCTYPE", b"<!doctype", b"<html>\n<head>")


@dataclass(frozen=True)
class Case:
    """One request. `target` as it is sent; `headers` are lines; a body gets its length."""

    name: str
    target: str = "/cgi-bin/env"
    method: str = "GET"
    headers: tuple[str, ...] = ()
    body: bytes | None = None
    version: str = "1.1"
    host: str | None = "localhost:PORT"

    def message(self, port: int) -> bytes:
        """The request for a server on this port."""
        lines = [f"{self.method} {self.target} HTTP/{self.version}"]
        lines += [] if self.host is None else [f"Host: {self.host}"]
        lines += [*self.headers, "Connection: close"]
        framed = any(line.lower().startswith(("transfer-encoding", "content-length")) for line in self.headers)
        if self.body is not None and not framed:
            lines.append(f"Content-Length: {len(self.body)}")
        head = "\r\n".join([*lines, "", ""]).replace("PORT", str(port))
        return head.encode("latin-1") + (self.body or b"")


class SiteGateway(Gateway):
    """A gateway whose directives are those of a site, addresses and logs apart."""

    def __init__(self, folder: Path, site: Path) -> None:
        self._site = site
        super().__init__(folder)

    def configure(self, directives: str) -> None:
        """Write the directives file."""
        self.conf.write_text(
            f"Listen 127.0.0.1:{self.port}\nErrorLog logs/error.log\nLogLevel info\nServerName localhost\n"
            f"Include {self._site}\n{directives}\n"
        )


class Pair:
    """Both servers on one site; `{root}` in the site's text is their folder."""

    def __init__(self, root: Path, site: str) -> None:
        self.root = root
        for name in ("cgi-bin", "htdocs"):
            (root / name).mkdir()
        path = root / "site.conf"
        path.write_text(site.replace("{root}", str(root)))
        self.gateway = SiteGateway(root / "gateway", path)
        self.apache = Apache(root / "apache", path)

    def program(self, name: str, text: str) -> None:
        """Write an executable file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self) -> Pair:
        """Start both."""
        self.gateway.start()
        self.apache.start()
        return self

    def stop(self) -> None:
        """Stop both."""
        self.apache.stop()
        assert self.gateway.stop() == 0

    def both(self, case: Case) -> tuple[dict[str, str], dict[str, str]]:
        """What the gateway and what Apache answer, as facts with names."""
        return _ask(self.gateway.port, case), _ask(self.apache.port, case)


def differences(ours: dict[str, str], theirs: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """The facts that differ: (the gateway's, Apache's), None where there is none. Of two statuses no more
    than that: the rest then differs anyway."""
    if ours["status"] != theirs["status"]:
        return {"status": (ours["status"], theirs["status"])}
    return {
        name: (ours.get(name), theirs.get(name))
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    }


def exchange(port: int, message: bytes, method: str = "GET") -> Answer:
    """Send the bytes of a request and read the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=BOUND) as sock:
        sock.sendall(message)
        response = http.client.HTTPResponse(sock, method=method)
        try:
            response.begin()
            return read_answer(response)
        finally:
            response.close()


def fetch(port: int, target: str, headers: tuple[str, ...] = ()) -> Answer:
    """GET on a connection of its own."""
    return exchange(port, Case("fetch", target, headers=headers).message(port))


def _ask(port: int, case: Case) -> dict[str, str]:
    return _facts(exchange(port, case.message(port), case.method), port, case.method)


def _facts(answer: Answer, port: int, method: str) -> dict[str, str]:
    facts = {"status": str(answer.status)} | ({} if answer.whole else {"cut": "yes"})
    own = (
        answer.body.startswith(_OWN_PAGE) or answer.status == 400 or (answer.status == 301 and not answer.body)
    )
    # Whether Apache counts the body of a HEAD depends on how fast the program is
    counted = method == "HEAD" or answer.header("content-length") == str(len(answer.body))
    for name, value in answer.fields:
        if name in _HOP_BY_HOP or (own and name in _OF_OWN_PAGES) or (counted and name == "content-length"):
            continue
        if name == "etag" and len(value) > len('"mine"'):
            value = "(a file's)"
        key = f"header {name}"
        facts[key] = f"{facts[key]}, {value}" if key in facts else value
    if answer.body.startswith(b"%env\0"):
        for pair in answer.body.split(b"\0")[1:]:
            name, _, value = pair.decode("latin-1").partition("=")
            facts[name] = "(there)" if _VOLATILE.fullmatch(name) else value
    else:
        facts["body"] = "(the server's own page)" if own else answer.body.decode("latin-1")
    return {name: value.replace(str(port), "PORT") for name, value in facts.items()}
