"""Who may have a URL, from all directives that have a say (pure).

`Require` (Apache's mod_authz_core) and `Order`, `Allow`, `Deny`, `Satisfy` (mod_access_compat) stand beside
each other as in Apache: both must let in, or with `Satisfy any` one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from gateway.directives import table
from gateway.directives.problems import BUILT_IN
from gateway.directives.readers.hostrules import NOTHING, HostRules
from gateway.directives.readers.requirements import Condition, Facts, Rules, Verdict, decide, needs_variables
from gateway.directives.readers.setenvif import Conditions, active
from gateway.directives.settings import Settings

_EVERYBODY = (Condition("all", ("granted",)),)
_REMEMBERED = 4096
_HINT = (
    " (built in: for requests from this machine that came through no proxy and call it by an address, "
    "localhost or its ServerName; a <Location> of your own with SetHandler and Require lets others in)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """What must be asked before a URL is given. `basic`: users are asked for (AuthType Basic);
    `variables`: it depends on some, which `conditions` set; `hint`: for the log, where somebody is kept out."""

    rules: Rules
    hosts: HostRules
    basic: bool
    realm: str | None
    users: str | None
    groups: str | None
    variables: bool
    conditions: Conditions
    hint: str = ""

    def verdict(self, facts: Facts) -> Verdict:
        """GRANTED lets in; NO_USER asks for one; all else is a refusal."""
        hosts = self.hosts.on(facts.method)
        permitted = not hosts.speaks or hosts.permits(facts)
        if hosts.speaks and hosts.satisfy == "any":
            return Verdict.GRANTED if permitted else decide(self.rules, facts)
        if not permitted:
            return Verdict.DENIED
        return decide(self.rules, facts) if self.rules.terms else Verdict.GRANTED


@lru_cache(maxsize=_REMEMBERED)
def access_of(settings: Settings) -> Access | None:
    """What holds where these settings hold; None where everybody may come in without being asked."""
    rules, hosts = settings[table.Require], settings[table.Order]
    if not hosts.speaks and (not rules.terms or rules.terms == _EVERYBODY):
        return None
    return _access(settings, rules, hosts)


@lru_cache(maxsize=_REMEMBERED)
def control_of(settings: Settings) -> Access:
    """Who may act on the status page where these settings hold (ServerStatusControl)."""
    return _access(settings, settings[table.ServerStatusControl], NOTHING)


def _access(settings: Settings, rules: Rules, hosts: HostRules) -> Access:
    variables = bool(hosts.variables) or any(map(needs_variables, rules.terms))
    return Access(
        rules,
        hosts,
        settings[table.AuthType] is not None,
        settings[table.AuthName],
        settings[table.AuthUserFile],
        settings[table.AuthGroupFile],
        variables,
        active(settings[table.SetEnvIf]) if variables else (),
        _HINT if any(place.file == BUILT_IN for place in settings.places(table.Require)) else "",
    )
