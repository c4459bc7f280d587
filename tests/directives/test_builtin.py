"""The status page without a word in the file: where it is there, where it is not, and how it is shown."""

from __future__ import annotations

import pytest

from gateway.directives import report, table
from gateway.directives.hosts import Host
from tests.directives.conftest import Configure

URL = "/server-status"
HOSTS = """
<VirtualHost *>
  ServerName one.test
  {}
</VirtualHost>
<VirtualHost *>
  ServerName two.test
</VirtualHost>
"""


def handler(host: Host, url: str = URL) -> str | None:
    return host.lookup(url, None)[table.SetHandler]


def test_without_a_word_it_is_in_the_main_server_and_in_each_virtual_host(configure: Configure) -> None:
    configuration = configure(HOSTS.format(""))
    for host in (configuration.server, *configuration.hosts):
        assert handler(host) == handler(host, URL + "/") == "server-status"
        assert handler(host, "/server-statuses") is None
    assert configuration.notices == ()


def test_it_comes_behind_every_other_section(configure: Configure) -> None:
    everybody = (
        "<Location />\nRequire all granted\nSatisfy any\nOrder allow,deny\nAllow from all\n</Location>\n"
    )
    configuration = configure(everybody + HOSTS.format(everybody))
    for host in (configuration.server, *configuration.hosts):
        settings = host.lookup(URL, None)
        assert [one.name for one in settings[table.Require].terms] == ["RequireAll"]  # type: ignore[union-attr]
        assert not settings[table.Order].speaks


@pytest.mark.parametrize(
    "text",
    [
        "<Location /st>\nSetHandler server-status\n</Location>",
        "<Location /server-status>\nSetHandler None\n</Location>",
        '<LocationMatch "^/server-">\nRequire all denied\n</LocationMatch>',
        "<Directory conf>\n<Files status>\nSetHandler server-status\n</Files>\n</Directory>",
        "<VirtualHost *>\n<Location /st>\nSetHandler server-status\n</Location>\n</VirtualHost>",
    ],
)
def test_a_file_that_speaks_of_it_has_what_it_says_and_no_more(configure: Configure, text: str) -> None:
    configuration = configure(text)
    for host in (configuration.server, *configuration.hosts):
        assert not any(section.place.file == "built in" for section in host.locations)


def test_a_virtual_host_switches_its_own_off_alone(configure: Configure) -> None:
    off = "<Location /server-status>\nSetHandler None\n</Location>"
    configuration = configure(HOSTS.format(off))
    found = [handler(host) for host in (configuration.server, *configuration.hosts)]
    assert found == ["server-status", None, "server-status"]


def test_a_section_for_many_URLs_is_not_one_of_its_own(configure: Configure) -> None:
    text = "<Location />\nRequire all granted\n</Location>\n"
    text += '<LocationMatch "^/[^/]+$">\nRequire valid-user\n</LocationMatch>'
    assert handler(configure(text).server) == "server-status"


def test_dump_and_check_show_its_lines_and_where_they_come_from(configure: Configure) -> None:
    configuration = configure(HOSTS.format(""))
    dumped = list(report.dump(configuration))
    assert "# <Location /server-status> (built in:1)" in dumped
    assert any(line.startswith("SetHandler server-status ") and line.endswith("built in:2") for line in dumped)
    assert any(line.startswith("Require local ") and "built in:" in line for line in dumped)
    summed = [line for line in report.summary(configuration) if "server-status" in line]
    assert len(summed) == 1 + len(configuration.hosts)  # each answers to its own names
    begin = "  <Location /server-status> (built in): SetHandler server-status; "
    assert all(line.startswith(begin) for line in summed)


def test_other_URLs_have_the_settings_that_they_had(configure: Configure) -> None:
    server = configure("").server
    assert not server.varies_below("/cgi-bin/program")
    assert server.lookup("/cgi-bin/program", None)[table.Require].terms == ()
