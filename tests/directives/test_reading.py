"""Includes, definitions and conditions, with real files."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.configuration.load import ConfigurationErrors, load
from gateway.directives import table

from .conftest import Configure, Problems


def test_names_are_read_in_any_letter_case_and_lines_continue(configure: Configure) -> None:
    configuration = configure("# a comment\nmaxpersistentcgi \\\n  7\n<VIRTUALHOST *:80>\n</VirtualHost>\n")
    assert configuration.server.settings[table.MaxPersistentCGI] == 7
    assert len(configuration.hosts) == 1


def test_includes_are_read_in_place_sorted_and_relative_to_the_server_root(
    configure: Configure, site: Path
) -> None:
    for number in (2, 1, 3):
        (site / "conf" / f"{number}.part").write_text(f"SetEnv LAST {number}\nSetEnv N{number} x\n")
    configuration = configure("SetEnv LAST 0\nInclude conf/*.part\n")
    environment = configuration.server.settings[table.SetEnv]
    assert environment.effective({}) == {"LAST": "3", "N1": "x", "N2": "x", "N3": "x"}
    assert configuration.server.settings.origin(table.SetEnv).endswith(f"{site}/conf/3.part:2")


def test_a_folder_is_included_with_all_below_it(configure: Configure, site: Path) -> None:
    (site / "more" / "below").mkdir(parents=True)
    (site / "more" / "a").write_text("Timeout 5\n")
    (site / "more" / "below" / "b").write_text("MaxCGIJobs 99\n")
    settings = configure("Include more\n").server.settings
    assert (settings[table.Timeout], settings[table.MaxCGIJobs]) == (5.0, 99)


def test_a_part_is_read_in_the_section_that_includes_it(configure: Configure, site: Path) -> None:
    (site / "part").write_text("SetEnv A b\n")
    host = configure("<Location /x>\nInclude part\n</Location>\n").server
    assert host.lookup("/x", None)[table.SetEnv].effective({}) == {"A": "b"}
    assert host.lookup("/y", None)[table.SetEnv].effective({}) == {}


def test_a_missing_include_is_an_error_and_a_missing_optional_one_is_none(
    problems: Problems, site: Path
) -> None:
    assert problems("IncludeOptional none/*.conf\nInclude none/*.conf\n") == [
        f"gateway.conf:2: Include: expected a file, found none at {site}/none/*.conf"
    ]


def test_circles_of_includes_are_reported_with_the_chain(problems: Problems, site: Path) -> None:
    (site / "a").write_text("Include b\n")
    (site / "b").write_text("\nInclude a\n")
    [problem] = problems("Include a\n")
    assert problem.startswith(f"{site}/b:2: Include: expected no circle of files, found ")
    assert problem.endswith(f"gateway.conf -> {site}/a -> {site}/b -> {site}/a")


def test_a_file_that_includes_itself_through_a_link_is_a_circle(problems: Problems, site: Path) -> None:
    (site / "link").symlink_to(site / "conf" / "gateway.conf")
    [problem] = problems("Include link\n")
    assert "expected no circle of files" in problem


def test_a_directives_file_that_does_not_exist_is_a_problem_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationErrors, match="No such file"):
        load(str(tmp_path / "none.conf"))


def test_definitions_come_before_the_environment_and_unknown_names_stay(
    configure: Configure, site: Path
) -> None:
    text = 'Define A "1 2"\nDefine B "x${A}"\nSetEnv V "${A}|${B}|${C}|${D}"\nUnDefine A\nSetEnv W "${A}${D}"\n'
    configuration = configure(text, environ={"A": "outer", "C": "c"})
    variables = configuration.server.settings[table.SetEnv].effective({})
    assert variables == {"V": "1 2|x1 2|c|${D}", "W": "outer${D}"}
    assert [str(notice) for notice in configuration.notices] == [
        f"{site}/conf/gateway.conf:3: notice: ${{D}} is not defined; left as it is (and 1 more)"
    ]


def test_conditions_choose_what_is_read(configure: Configure) -> None:
    text = """
        <IfDefine FAST>
          MaxPersistentCGI 1
          <IfDefine !SLOW>
            MaxCGIJobs 2
          </IfDefine>
        </IfDefine>
        <IfDefine !FAST>
          Nonsense
          <Location /unread
          </Location>
        </IfDefine>
        <IfModule mod_ssl.c>
          SSLSessionCache none
        </IfModule>
        <IfModule cgi_module>
          Timeout 3
        </IfModule>
        <IfModule !mod_DIR.c>
          Nonsense
        </IfModule>
        LoadModule cgi_module modules/mod_cgi.so
    """
    settings = configure(text, defines=("FAST=yes",)).server.settings
    assert [settings[row] for row in (table.MaxPersistentCGI, table.MaxCGIJobs)] == [1, 2]
    assert settings[table.Timeout] == 3.0


def test_what_apache_has_and_the_gateway_does_not_need_gets_one_notice(configure: Configure) -> None:
    notices = configure("StartServers 5\nPidFile run/pid\nStartServers 6\nCGIConvMode EBCDIC\n").notices
    assert [notice.place.line for notice in notices] == [1, 2, 4]
    assert "StartServers has no effect here: " in notices[0].text


def test_relative_paths_start_at_the_server_root(configure: Configure, site: Path) -> None:
    (site / "else" / "htdocs").mkdir(parents=True)
    configuration = configure("DocumentRoot htdocs\nServerRoot else\n")
    assert configuration.server_root == f"{site}/else"
    assert configuration.server.settings[table.DocumentRoot] == f"{site}/else/htdocs"
    assert configure("DocumentRoot htdocs\n").server_root == str(site)


def test_contradictions_are_capped_or_noticed(configure: Configure) -> None:
    text = """\
MaxPersistentCGI 10
MaxCGIJobs 10
Listen 8080
Listen 127.0.0.1:8081
ScriptAlias /cgi-bin/ cgi-bin/
PersistentCGITimeout 2h
MaxPersistentCGITimeout 1h
<Directory cgi-bin>
  MaxPersistentCGITimeout 5m
</Directory>
"""
    configuration = configure(text)
    assert [notice.place.line for notice in configuration.notices] == [2, 3, 6, 9]
    server = configuration.server
    assert server.settings[table.PersistentCGITimeout] == 3600.0
    inner = server.lookup("/cgi-bin/x", f"{configuration.server_root}/cgi-bin/x")
    assert inner[table.PersistentCGITimeout] == 300.0
