"""A gateway on the settings file that users start, on a port and with a folder for data of its own."""

from __future__ import annotations

import re

from tests.blackbox.harness import ROOT, Gateway

SETTINGS = ROOT / "conf" / "gateway.conf"
ARTIFACTS = ROOT / "tests" / "artifacts"


class Site(Gateway):
    """`directives` go behind what conf/gateway.conf says."""

    def configure(self, directives: str) -> None:
        """Write the directives file anew: what tells this gateway from others is replaced, each line once."""
        text = SETTINGS.read_text()
        for name, value in {"Listen": f"127.0.0.1:{self.port}", "ErrorLog": self.log_file}.items():
            text, count = re.subn(rf"^{name} .*$", f"{name} {value}", text, flags=re.MULTILINE)
            assert count == 1, f"{count} lines with {name} in {SETTINGS}"
        self.data = self.folder / "data"
        self.conf.write_text(f'ServerRoot "{ROOT}"\n{text}\nSetEnv PROGRAM_DATA {self.data}\n{directives}\n')

    @property
    def address(self) -> str:
        """The start page's URL without its last slash."""
        return f"http://127.0.0.1:{self.port}"
