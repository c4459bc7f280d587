"""CONTRIBUTING: a new host is one file plus one row of a table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.blackbox import harness

# The file. What it calls may set variables, which stay: `.` runs in this very process
HOST = """#!/bin/bash
# Host of returning shell programs. Started as `bash shell.sh SCRIPT`.
. "$HTSESSION_LIB/htsession.bash"
cd "${1%/*}" || exit
while htsession_accept; do
    . "$1"
done
"""
ROW = '    "shell": HostKind("shell.sh", _found("bash"), warm=False),\n'
SCRIPT = """
count=$((count + 1))
printf 'Accept-HTSession: %s\\nContent-Type: text/plain\\n\\n' "$(htsession_handle)"
printf 'count=%d url=%s body=%s\\n' "$count" "$SCRIPT_NAME/$(htsession_handle)" "$(cat)"
"""


@pytest.mark.needs("bash")
def test_a_new_host_is_one_file_and_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    shutil.copytree(harness.ROOT / "gateway", source / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "gateway" / "hosts" / "shell.sh").write_text(HOST)
    table = source / "gateway" / "hosts" / "__init__.py"
    first = '    "python": HostKind('
    assert first in table.read_text()
    table.write_text(table.read_text().replace(first, ROW + first))
    monkeypatch.setattr(harness, "ROOT", source)
    gateway = harness.Gateway(
        tmp_path / "served", "CGIActivationGroup shell .sh\nStartCGI 1", {"it.sh": SCRIPT}
    )
    gateway.start()
    try:
        answer = gateway.get("/cgi-bin/it.sh")
        assert answer.number("count") == 1
        url = answer.text.split()[1].removeprefix("url=")
        assert gateway.post(url, b"one").text == f"count=2 url={url} body=one\n"
        assert gateway.get(url).text == f"count=3 url={url} body=\n"
    finally:
        assert gateway.stop() == 0
