"""gateway check, directives and dump."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from gateway.cli_config import REFERENCE_FILE, check, directives, dump
from gateway.directives.reference import markdown
from gateway.directives.steering import ROWS

REPOSITORY = Path(__file__).parents[2]

TEXT = """\
ScriptAlias /cgi-bin/ cgi-bin/
StartServers 3
<IfDefine MORE>
  MaxPersistentCGI 50
</IfDefine>
<Directory cgi-bin>
  SetEnv A "b c"
</Directory>
<VirtualHost *:80>
  ServerName a.example
</VirtualHost>
"""


def conf(site: Path, text: str) -> str:
    file = site / "conf" / "gateway.conf"
    file.write_text(text)
    return str(file)


def test_the_reference_file_is_what_the_table_says() -> None:
    assert (REPOSITORY / REFERENCE_FILE).read_text(encoding="utf-8") == markdown(), (
        "run `gateway directives --markdown` and commit the file"
    )


def test_check_prints_notices_and_what_would_be_served(site: Path) -> None:
    result = CliRunner().invoke(check, [conf(site, TEXT), "-D", "MORE"])
    assert result.exit_code == 0
    for line in (
        "gateway.conf:2: notice: StartServers has no effect here",
        "listens on 127.0.0.1:8080",
        f"ScriptAlias /cgi-bin/ {site}/cgi-bin/",
        "<VirtualHost *:80> a.example:",
        "limits: MaxPersistentCGI 50, PersistentCGITimeout 5m",
    ):
        assert line in result.output


def test_the_sample_file_has_no_problem_and_needs_no_notice() -> None:
    result = CliRunner().invoke(check, [str(REPOSITORY / "conf" / "gateway.conf")])
    assert result.exit_code == 0
    notices = [line for line in result.output.splitlines() if "notice: " in line]
    assert [line for line in notices if "as root" not in line] == []
    for host in ("python .py", "perl .pl", "native .so"):
        assert f"  CGIActivationGroup {host}\n" in result.output


def test_check_names_every_problem_and_fails(site: Path) -> None:
    result = CliRunner().invoke(check, [conf(site, "Timeout x\nRubbish\n")])
    assert result.exit_code == 1
    assert [line.split(" ")[0].rpartition("/")[2] for line in result.stderr.splitlines()] == [
        "gateway.conf:1:",
        "gateway.conf:2:",
    ]


def test_dump_gives_every_value_with_its_origin(site: Path) -> None:
    file = conf(site, TEXT)
    lines = [" ".join(line.split()) for line in CliRunner().invoke(dump, [file]).output.splitlines()]
    host = lines.index("# <VirtualHost *:80> a.example")
    assert "MaxPersistentCGI 40 default" in lines[:host]
    assert f"ScriptAlias /cgi-bin/ {site}/cgi-bin/ {file}:1" in lines[:host]
    section = lines.index(f"# <Directory cgi-bin> ({file}:6)")
    assert lines[section + 1] == f'SetEnv A "b c" {file}:7'
    assert f"ServerName a.example {file}:10" in lines[host:]


def test_directives_explains_one_by_name_and_suggests_the_nearest() -> None:
    run = CliRunner().invoke
    assert "Default: 40" in run(directives, ["maxpersistentcgi"]).output
    assert "Default: that of Timeout" in run(directives, ["CGIScriptTimeout"]).output
    assert "accepted without effect" in run(directives, ["startservers"]).output
    unknown = run(directives, ["MaxCGIJob"])
    assert (unknown.exit_code, "did you mean MaxCGIJobs?" in unknown.output) == (1, True)
    overview = run(directives, []).output
    assert all(row.name in overview for row in ROWS.values())


def test_directives_writes_the_reference(tmp_path: Path) -> None:
    target = tmp_path / "reference.md"
    assert CliRunner().invoke(directives, ["--markdown", str(target)]).exit_code == 0
    assert target.read_text(encoding="utf-8") == markdown()
