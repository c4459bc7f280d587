"""RLimit*, User, Group, SuexecUserGroup, CGINoNewPrivileges: what they take, where, and what wins."""

from __future__ import annotations

import pytest

from gateway.directives import table
from gateway.directives.readers.processes import ResourceLimit, UserGroup

from .conftest import Configure, Problems


def test_limits_are_numbers_sizes_and_max(configure: Configure) -> None:
    settings = configure("RLimitCPU 60\nRLimitMEM 64M 1G\nRLimitNPROC max MAX\n").server.settings
    assert settings[table.RLimitCPU] == ResourceLimit(60, None)
    assert settings[table.RLimitMEM] == ResourceLimit(64 << 20, 1 << 30)
    assert settings[table.RLimitNPROC] == ResourceLimit(None, None)


def test_a_virtual_host_and_a_Directory_have_limits_of_their_own(configure: Configure) -> None:
    configuration = configure(
        "RLimitCPU 60\n<VirtualHost *:*>\nRLimitCPU 50\n"
        "<Directory /srv>\nRLimitCPU 40\n</Directory>\n</VirtualHost>"
    )
    (host,) = configuration.hosts
    found = [configuration.server.settings, host.settings, host.lookup("/", "/srv/program")]
    assert [settings[table.RLimitCPU] for settings in found] == [ResourceLimit(n, None) for n in (60, 50, 40)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("RLimitCPU", "RLimitCPU: expected n|max [n|max], found nothing"),
        ("RLimitCPU 1 2 3", 'RLimitCPU: expected n|max [n|max], found "1 2 3"'),
        ("RLimitCPU many", 'RLimitCPU: expected a whole number or max, found "many"'),
        ("RLimitCPU 64K", 'RLimitCPU: expected a whole number or max, found "64K"'),
        ("RLimitNPROC 0", f'RLimitNPROC: expected a limit from 1 to {2**62}, found "0"'),
        (
            "RLimitNPROC 20 10",
            'RLimitNPROC: expected a first limit that is not above the second, found "20 10"',
        ),
        ("RLimitMEM big", 'RLimitMEM: expected a size in bytes such as 8190, 64K, 10M or 1G, found "big"'),
        ("User", "User: expected one user (user|#number), found nothing"),
        ("User #x", 'User: expected the name of a user, or # and its number, found "#x"'),
        ("Group #4294967295", 'Group: expected the name of a group, or # and its number, found "#4294967295"'),
        ("SuexecUserGroup a", 'SuexecUserGroup: expected user|#number group|#number, found "a"'),
        ("CGINoNewPrivileges Maybe", 'CGINoNewPrivileges: expected one of On, Off, found "Maybe"'),
        (
            "<Location /a>\nRLimitCPU 1\n</Location>",
            "RLimitCPU: expected in server, <VirtualHost>, <Directory>, found in <Location /a>",
        ),
    ],
)
def test_malformed_lines_say_what_was_expected(problems: Problems, line: str, text: str) -> None:
    assert problems(line)[0].partition(": ")[2] == text


def test_words_are_kept_as_they_stand(configure: Configure) -> None:
    reader = table.SuexecUserGroup.reader
    assert reader.read(["someone", "#1234"], "/") == UserGroup("someone", "#1234")
    assert table.User.reader.read(["www-data"], "/") == "www-data"
