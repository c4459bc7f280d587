"""User, Group, SuexecUserGroup: what is refused or noticed at the start, when root starts the gateway."""

from __future__ import annotations

import pytest

from gateway.configuration.load import ConfigurationErrors, load
from tests.blackbox.users import ITSELF, WHO, OpenGateway, Who, as_root, open_folder, process, who

pytestmark = as_root


def start_fails(directives: str) -> str:
    """The problems of a directives file."""
    with open_folder() as folder:
        other = OpenGateway(folder / "gateway", directives)
        with pytest.raises(ConfigurationErrors) as caught:
            load(str(other.conf))
        return str(caught.value)


def test_users_and_groups_that_are_not_there_are_named_with_their_line() -> None:
    said = start_fails("User nosuchuser\nGroup nosuchgroup\nSuexecUserGroup nosuchuser nogroup")
    assert 'gateway.conf:7: User: expected a user of this machine, found "nosuchuser"' in said
    assert 'gateway.conf:8: Group: expected a group of this machine, found "nosuchgroup"' in said
    assert 'gateway.conf:9: SuexecUserGroup: expected a user of this machine, found "nosuchuser"' in said


@pytest.mark.parametrize(
    "who", ["root nogroup", "daemon nogroup", "#0 nogroup", "nobody root", "nobody daemon"]
)
def test_suexec_refuses_root_and_system_users_and_groups_at_load(who: str) -> None:
    said = start_fails(f"SuexecUserGroup {who}")
    assert "gateway.conf:7: SuexecUserGroup: expected a user and group whom suexec accepts, found" in said
    assert "is below 100: root" in said


def test_a_virtual_host_of_roots_is_refused() -> None:
    said = start_fails("User www-data\n<VirtualHost *:*>\nUser root\n</VirtualHost>")
    assert 'gateway.conf:9: User: expected another user than root, found "root"' in said


def test_a_Group_without_a_User_is_refused() -> None:
    assert "gateway.conf:7: Group: expected a User beside it, found none" in start_fails("Group www-data")


@pytest.mark.parametrize("directives", ["", "User root"])
def test_root_without_a_User_gets_a_notice_and_programs_run_as_root(directives: str) -> None:
    with open_folder() as folder:
        other = OpenGateway(folder / "gateway", directives, {"who": WHO})
        other.by_command = True
        other.start()
        assert "requests are answered, and programs run, as root" in other.output
        assert who(other.get("/cgi-bin/who?end").text) == ITSELF
        assert other.stop() == 0


def test_numbers_name_users_and_groups_as_well() -> None:
    with open_folder() as folder:
        other = OpenGateway(folder / "gateway", "User #31234\nGroup #31235", {"who": WHO})
        other.start()
        assert who(other.get("/cgi-bin/who?end").text) == Who(31234, 31235, (31235,))
        assert process(other.fronts()[0]) == Who(31234, 31235, (31235,))
        assert other.stop() == 0
