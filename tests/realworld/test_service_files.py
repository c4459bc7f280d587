"""The files of docs/service/ with the real systemd-analyze, logrotate and setpriv."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.commands import ENVIRONMENT, bare
from tests.blackbox.conftest import CHILD_TEXT
from tests.blackbox.harness import ROOT, Gateway, wait_for
from tests.blackbox.users import NOBODY, WWW_DATA, OpenGateway, account, as_root, home, open_folder, process

pytestmark = pytest.mark.realworld
FILES = ROOT / "docs" / "service"
UNIT = (FILES / "persistent-cgi.service").read_text()
PAGE = (ROOT / "docs" / "service.md").read_text()


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


def verify(folder: Path, *drop_ins: str) -> str:
    """What systemd-analyze finds wrong in the unit, with a command that exists."""
    units = folder / "units"
    (units / "persistent-cgi.service.d").mkdir(parents=True)
    command = folder / "gateway"
    command.symlink_to("/bin/true")
    (units / "persistent-cgi.service").write_text(UNIT.replace("/opt/persistent-cgi/bin/gateway", str(command)))
    for number, text in enumerate(drop_ins):
        (units / "persistent-cgi.service.d" / f"{number}.conf").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "persistent-cgi.service"],
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": os.environ["PATH"]}, capture_output=True, text=True,
    )  # fmt: skip
    found = [line for line in (done.stdout + done.stderr).splitlines() if "persistent-cgi" in line]
    assert found or not done.returncode, done.stderr
    return "\n".join(found)


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("drop_in", ["", "root.conf", "low-ports.conf", "setuid"])
def test_systemd_finds_nothing_wrong_in_the_unit(folder: Path, drop_in: str) -> None:
    text = (FILES / drop_in).read_text() if drop_in.endswith(".conf") else ""
    if drop_in == "setuid":
        block = PAGE.split("### Programs that need a setuid file\n")[1].split("\n### ")[0]
        text = block.split("```ini\n")[1].split("```")[0]
        assert text.startswith("[Service]\nNoNewPrivileges=no\n")
    assert verify(folder, text) == ""


@pytest.mark.needs("systemd-analyze")
def test_systemd_would_find_something(folder: Path) -> None:
    assert "NoSuchLine" in verify(folder, "[Service]\nNoSuchLine=yes\n")


def test_every_line_of_the_unit_is_explained() -> None:
    prose = PAGE.split("## Line by line\n")[1]
    obvious = {
        "Description",
        "After",
        "Wants",
        "WantedBy",
        "User",
        "Group",
        "EnvironmentFile",
        "Restart",
        "RestartSec",
    }
    obvious |= {"ExecStart", "ExecReload", "ConfigurationDirectory", "StateDirectoryMode", "LogsDirectoryMode"}
    obvious |= {"SystemCallArchitectures", "SystemCallErrorNumber"}
    for name in sorted(set(re.findall(r"^(\w+)=", UNIT, re.MULTILINE)) - obvious):
        named = f"`{name}" in prose or (name.startswith("ProtectKernel") and "`ProtectKernel…`" in prose)
        assert named, name


def test_the_directives_file_of_the_layout_is_right_for_gateway_and_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.split("```apache\n")[1].split("```")[0]
    named = "etc/persistent-cgi var/www/html usr/lib/cgi-bin var/lib/persistent-cgi var/log/persistent-cgi"
    for place in named.split():
        assert f"/{place}" in text
        (folder / place).mkdir(parents=True)
        text = text.replace(f"/{place}", f"{folder}/{place}")
    gateway = Gateway(folder / "gateway")
    gateway.conf.write_text(text.replace("127.0.0.1:8080", f"127.0.0.1:{gateway.port}"))
    gateway.log_file = folder / "var/log/persistent-cgi/error.log"
    program = folder / "usr/lib/cgi-bin/child"
    program.write_text(CHILD_TEXT)
    program.chmod(0o755)
    gateway.start()
    try:
        assert gateway.get("/cgi-bin/child?echo=here").text == "here"
        assert "export GATEWAY_CONF=/etc/persistent-cgi/gateway.conf" in PAGE
        monkeypatch.setitem(ENVIRONMENT, "GATEWAY_CONF", str(gateway.conf))
        assert bare("status", "--json", cwd="/").answer["keeper"]["pid"] == gateway.keeper
        wait_for("a line", lambda: (folder / "var/log/persistent-cgi/access.log").read_text())
    finally:
        assert gateway.stop() == 0


@as_root
@pytest.mark.needs("logrotate")
def test_logrotate_has_the_logs_opened_anew_and_no_program_is_signalled(folder: Path) -> None:
    gateway = OpenGateway(folder / "gateway", "CustomLog logs/access.log %U")
    gateway.program("child", CHILD_TEXT)
    gateway.start()
    logs = gateway.folder / "logs"
    assert gateway.get("/cgi-bin/child?handle=kept&count").number("count") == 1
    wait_for("a line", lambda: (logs / "access.log").read_text() == "/cgi-bin/child\n")

    systemctl = folder / "bin" / "systemctl"  # in the manager's place: it knows the main process
    systemctl.parent.mkdir()
    systemctl.write_text(
        '#!/bin/sh -e\n[ "$*" = "kill --kill-whom=main --signal=USR1 persistent-cgi.service" ]\n'
        f"kill -USR1 {gateway.keeper}\n"
    )
    systemctl.chmod(0o755)
    text = (FILES / "persistent-cgi.logrotate").read_text()
    text = text.replace("/var/log/persistent-cgi", str(logs)).replace(
        "su persistent-cgi persistent-cgi", "su root root"
    )
    conf = folder / "logrotate.conf"
    conf.write_text(text)
    conf.chmod(0o644)
    done = subprocess.run(
        ["logrotate", "-f", "-v", "-s", str(folder / "status"), str(conf)],
        env={"PATH": f"{systemctl.parent}:/usr/sbin:/usr/bin:/bin"}, capture_output=True, text=True,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    wait_for("the new logs", (logs / "access.log").exists)
    assert gateway.get("/cgi-bin/child/kept?count").number("count") == 2
    wait_for("a line", lambda: (logs / "access.log").read_text().startswith("/cgi-bin/child/"))
    assert (logs / "access.log.1").read_text() == "/cgi-bin/child\n"
    assert " serves" in (logs / "error.log.1").read_text()
    wait_for("the new error log", (logs / "error.log").exists)


@as_root
@pytest.mark.needs("setpriv")
def test_suexec_works_with_the_capabilities_of_the_drop_in_and_no_others(folder: Path) -> None:
    named = re.search(r"^CapabilityBoundingSet=(.*)$", (FILES / "root.conf").read_text(), re.MULTILINE)
    assert named
    kept = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in named[1].split())
    gateway = OpenGateway(folder / "gateway")
    program = home(gateway, NOBODY)
    gateway.configure(
        f"User {WWW_DATA}\nGroup {WWW_DATA}\n<VirtualHost *>\nServerName of.test\n"
        f"SuexecUserGroup {NOBODY} nogroup\n"
        f"ScriptAlias /own/ {program.parent}/\n</VirtualHost>"
    )
    gateway.prefix = ["setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all", "--no-new-privs", "--"]
    gateway.start()
    assert process(gateway.fronts()[-1]).uid == account(WWW_DATA).uid
    first = gateway.get("/own/who", Host="of.test").text
    assert f"Uid:\t{account(NOBODY).uid}" in first, gateway.log
    assert re.search(r"^CapEff:\t0+$", first, re.MULTILINE)
    handle = first.partition("\n")[0].removeprefix("handle=")
    assert gateway.get(f"/own/who/{handle}", Host="of.test").number("count") == 2
    gateway.reload()
    assert gateway.get(f"/own/who/{handle}?end", Host="of.test").number("count") == 3
    wait_for("the program's end", lambda: not gateway.instances())
    assert gateway.stop() == 0
