"""The programs of docs/real-programs.md under one of the two servers, and a place for their clients."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blackbox.harness import ROOT, Answer, wait_for
from tests.realworld.apache import Apache
from tests.realworld.pair import SiteGateway, fetch

SERVERS = ["gateway", pytest.param("apache", marks=pytest.mark.needs("apache2"))]
GATEWAY_ONLY = ["gateway"]  # for what takes long, or what Apache does not do
CLIENT_BOUND = 120  # seconds for one run of a client
USER, PASSWORD = "alice", "a secret: yes"


def needs_file(path: str, package: str) -> pytest.MarkDecorator:
    """Skip by name where a file that is not a command is missing."""
    return pytest.mark.skipif(not Path(path).exists(), reason=f"not installed here: {path} ({package})")


def recipe(heading: str, language: str = "apache") -> str:
    """The directives under a heading of docs/real-programs.md; with language "" the other block."""
    text = (ROOT / "docs" / "real-programs.md").read_text()
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return next(block for name, block in blocks if (name == language if language else name != "apache"))


class Served:
    """One server on one recipe. `data` stands in the place of /srv and belongs to the programs' user; the
    temporary files of the server are in `spool`, those of the programs in `data/tmp`."""

    def __init__(self, kind: str, root: Path, directives: str, prepare: Callable[[Served], None]) -> None:
        self.kind, self.root, self.data = kind, root, root / "srv"
        self.home = root / "home"
        self.spool = root / "spool"
        for folder in (self.data, self.data / "tmp", self.home, self.spool, root / "htdocs"):
            folder.mkdir()
        self._count = 0
        prepare(self)
        site = root / "site.conf"
        site.write_text(self.placed(f"DocumentRoot {root}/htdocs\nSetEnv TMPDIR /srv/tmp\n{directives}"))
        self.server: SiteGateway | Apache
        if kind == "gateway":
            self.server = SiteGateway(root / "gateway", site)
        else:
            self.server = Apache(root / "apache", site)
            if os.geteuid() == 0:
                subprocess.run(["chown", "-R", "www-data:www-data", self.data], check=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TMPDIR", str(self.spool))
            self.server.start()

    def placed(self, text: str) -> str:
        """A text of the page with this server's folder for /srv."""
        return text.replace("/srv", str(self.data))

    def stop(self) -> None:
        """Stop. The gateway must end with status 0, and no program, file or word of sessions be left."""
        gateway = self.server
        if isinstance(gateway, SiteGateway):
            wait_for("the programs to end", lambda: not gateway.instances())
            assert not [*self.spool.iterdir()]
            assert "HTS" not in gateway.log
        assert gateway.stop() in (0, None)

    def url(self, path: str, user: str = "") -> str:
        """A URL of this server."""
        return f"http://{user + '@' if user else ''}127.0.0.1:{self.server.port}{path}"

    def get(self, path: str, *headers: str) -> Answer:
        """GET on a connection of its own."""
        return fetch(self.server.port, path, headers)

    def program(self, name: str, text: str) -> Path:
        """Write an executable file below `data`."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.placed(text))
        path.chmod(0o755)
        return path

    def users(self) -> None:
        """Write the file of the one user."""
        self.run("htpasswd", "-c", "-b", "-B", "-C", "4", str(self.data / "users"), USER, PASSWORD)

    def new(self, name: str = "work") -> Path:
        """A new path for a client's files."""
        self._count += 1
        return self.root / f"{name}{self._count}"

    def run(
        self, *command: str | Path, cwd: Path | None = None, status: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a client in an environment of its own; its exit status must be this."""
        environment = {
            "HOME": str(self.home), "FOSSIL_HOME": str(self.home), "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8", "USER": USER, "HGRCPATH": "", "HGUSER": USER, "EMAIL": "alice@example.org",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "no_proxy": "*",
        }  # fmt: skip
        done = subprocess.run(
            [*command], cwd=cwd or self.home, env=environment | variables, timeout=CLIENT_BOUND,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        assert done.returncode == status, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}{self.log}"
        return done

    def curl(self, path: str, *arguments: str) -> str:
        """What curl prints."""
        return self.run("curl", "-sS", "--max-time", "30", *arguments, self.url(path)).stdout

    @property
    def log(self) -> str:
        """The end of the server's error log."""
        return self.server.log[-3000:]
