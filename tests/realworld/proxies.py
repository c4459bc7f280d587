"""The recipes of docs/front-proxies.md: each real proxy on a free port, with a certificate."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import trustme

from tests.blackbox.harness import BOUND, ROOT, free_port, wait_for
from tests.realworld.apache import MODULES

HOST = "www.example.org"
CERTIFICATE, KEY = f"/etc/ssl/certs/{HOST}.pem", f"/etc/ssl/private/{HOST}.key"
BOTH = f"/etc/ssl/private/{HOST}.pem"
_APACHE = ["mpm_event", "authz_core", "ssl", "socache_shmcb", "http2", "headers", "proxy", "proxy_http"]


def block(heading: str, language: str) -> str:
    """The block under a heading of the page."""
    text = (ROOT / "docs" / "front-proxies.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return section.split(f"```{language}\n")[1].split("```")[0]


class Proxy:
    """One proxy before the gateway on port `behind`; the files of its certificate lie in `folder`."""

    def __init__(self, kind: str, folder: Path, behind: int, authority: trustme.CA) -> None:
        self.kind, self.folder, self.port = kind, folder, free_port()
        cert = authority.issue_cert(HOST)
        cert.private_key_pem.write_to_path(str(folder / "key.pem"))
        cert.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
        (folder / "both.pem").write_bytes(cert.cert_chain_pems[0].bytes() + cert.private_key_pem.bytes())
        self._behind = f"127.0.0.1:{behind}"
        command = _KINDS[kind](self)
        environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
        with open(folder / "output", "ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=folder
            )
        wait_for(f"{kind} to serve", self._serves)

    def recipe(self, heading: str, language: str, listening: str, put: str) -> str:
        """The page's block with what is this test's: port, files, the gateway's address."""
        text = block(heading, language)
        for old, new in (
            (listening, put.format(port=self.port)),
            ("127.0.0.1:8080", self._behind),
            *((old, f"{self.folder}/{new}.pem") for old, new in _PLACES if old in text),
        ):
            assert old in text, old
            text = text.replace(old, new)
        return text

    def write(self, text: str) -> str:
        """Write the proxy's configuration; its path."""
        path = self.folder / "proxy.conf"
        path.write_text(text)
        return str(path)

    def _serves(self) -> bool:
        assert self._process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def log(self) -> str:
        """What it said."""
        return "".join(
            path.read_text() for name in ("output", "error.log") if (path := self.folder / name).exists()
        )

    def stop(self) -> None:
        """Stop and wait."""
        self._process.terminate()
        self._process.wait(2 * BOUND)


_PLACES = ((CERTIFICATE, "certificate"), (KEY, "key"), (BOTH, "both"))


def _nginx(proxy: Proxy) -> list[str]:
    server = proxy.recipe("nginx", "nginx", "listen 443 ", "listen 127.0.0.1:{port} ")
    user = "user root;\n" if os.geteuid() == 0 else ""
    places = "".join(
        f"{name}_temp_path {proxy.folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = f"{user}daemon off;\npid {proxy.folder}/pid;\nerror_log {proxy.folder}/error.log;\nevents {{}}\n"
    path = proxy.write(f"{text}http {{\naccess_log off;\n{places}{server}}}\n")
    return ["nginx", "-c", path, "-e", f"{proxy.folder}/error.log"]


def _apache(proxy: Proxy) -> list[str]:
    site = proxy.recipe("Apache", "apache", "<VirtualHost *:443>", "<VirtualHost *:{port}>")
    loaded = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _APACHE)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    folder = proxy.folder
    path = proxy.write(
        f"ServerRoot {folder}\nListen 127.0.0.1:{proxy.port}\nPidFile {folder}/pid\n"
        f"DefaultRuntimeDir {folder}\nErrorLog {folder}/error.log\n{loaded}\n{user}\nServerName {HOST}\n{site}"
    )
    return ["apache2", "-f", path, "-DFOREGROUND"]


def _haproxy(proxy: Proxy) -> list[str]:
    return [
        "haproxy",
        "-db",
        "-f",
        proxy.write(proxy.recipe("HAProxy", "haproxy", "bind :443", "bind 127.0.0.1:{port}")),
    ]


def _caddy(proxy: Proxy) -> list[str]:
    site = proxy.recipe("Caddy", "caddy", f"{HOST} {{", f"https://{HOST}:{{port}} {{{{")
    path = proxy.write(f"{{\nadmin off\ngrace_period 5s\nauto_https disable_redirects\n}}\n{site}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", path]


_KINDS: dict[str, Callable[[Proxy], list[str]]] = {
    "nginx": _nginx,
    "apache2": _apache,
    "haproxy": _haproxy,
    "caddy": _caddy,
}
