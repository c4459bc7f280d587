"""Access by variables of a request: `Require env`, `Allow from env=`, `Deny from env=`."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from gateway.directives.access import access_of
from gateway.directives.readers.requirements import Facts, Verdict

from .conftest import Configure

YES, NO = Verdict.GRANTED, Verdict.DENIED


def verdict(configure: Configure, lines: str, variables: Collection[str]) -> Verdict:
    text = f"SetEnvIf X-A . a A b\n<Location />\n{lines}\n</Location>"
    access = access_of(configure(text).server.lookup("/", None))
    assert access is not None and access.variables and len(access.conditions) == 1
    return access.verdict(Facts("GET", "192.0.2.7", False, None, lambda user: frozenset(), variables))


@pytest.mark.parametrize(
    ("lines", "granted", "denied"),
    [
        ("Require env a", ["a"], ["A"]),
        ("Require ENV a b", ["b"], []),
        ("<RequireAll>\nRequire all granted\nRequire not env a\n</RequireAll>", [], ["a"]),
        ("Order deny,allow\nDeny from all\nAllow from env=a", ["a"], ["b"]),
        ("Order deny,allow\nDeny from all\nAllow from ENV=A 10", ["A"], ["a"]),
        ("Order deny,allow\nDeny from all\nAllow from env=!a", [], ["a"]),
        ("Order allow,deny\nAllow from all\nDeny from env=a env=b", [], ["b"]),
    ],
)
def test_a_variable_lets_in_or_keeps_out(
    configure: Configure, lines: str, granted: list[str], denied: list[str]
) -> None:
    assert verdict(configure, lines, granted) is YES
    assert verdict(configure, lines, denied) is NO


def test_where_access_needs_no_variable_none_is_looked_for(configure: Configure) -> None:
    text = "SetEnvIf X-A . a\n<Location />\nRequire ip 10\nDeny from 10.1\n</Location>"
    access = access_of(configure(text).server.lookup("/", None))
    assert access is not None and not access.variables and access.conditions == ()


def test_a_variable_that_nothing_sets_in_time_has_a_notice(configure: Configure) -> None:
    text = """\
SetEnv late 1
SetEnvIf X-A . soon !gone
<Location />
  <RequireAny>
    Require env soon late
  </RequireAny>
  Deny from env=nobody env=REDIRECT_STATUS
</Location>
"""
    found = [str(one).rpartition("gateway.conf:")[2] for one in configure(text).notices if one.place.line]
    assert found == [
        "5: notice: Require: no SetEnvIf or BrowserMatch sets late (SetEnv would come too late)",
        "7: notice: Deny: no SetEnvIf or BrowserMatch sets nobody (SetEnv would come too late)",
    ]
