"""Access logs for the tests of several modules: directives that write many of them, and their lines."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for

CODES = """h l u r >s b B {Referer}i {User-Agent}i m U q H v V p A f R X k {X-Made}o {Location}o {seen}C
{SITE}e P {pid}P I O S {canonical}p {c}a a !200s 404m 400,404{User-Agent}i <s {remote}p L
{x}n {x}^ti {x}x ^FB""".split()  # noqa: SIM905
TIMES = """%q %{sec}t %{msec}t %{usec}t %{msec_frac}t %{usec_frac}t %{%Y-%m-%d}t %t %{end:usec}t %{begin:%H}t
%D %T %{ms}T %{us}T""".replace("\n", " ")
DIRECTIVES = f"""
LogFormat "{"|".join("%" + code for code in CODES)}" all
LogFormat "{TIMES}" times
CustomLog logs/all.log all
CustomLog logs/times.log times
CustomLog logs/common.log common
CustomLog logs/combined.log combined
CustomLog logs/vhost.log vhost_combined
CustomLog logs/json.log json
CustomLog logs/quiet.log common env=QUIET
CustomLog logs/loud.log common env=!QUIET
CustomLog logs/ordinary.log "%q %{{PICTURE}}e" env=!PICTURE
CustomLog logs/pictures.log "%q %{{PICTURE}}e" env=PICTURE
SetEnvIf Request_URI "\\.(gif|png)$" PICTURE=$1
TransferLog logs/transfer.log
SetEnv SITE main
<Location /quiet.txt>
  SetEnv QUIET 1
</Location>
<Location /private.txt>
  AuthType Basic
  AuthName x
  AuthUserFile conf/users
  Require valid-user
</Location>
PersistentCGIPreviousHandles 0
CGIScriptTimeout 2
<VirtualHost *:*>
  ServerName first.example
</VirtualHost>
<VirtualHost *:*>
  ServerName own.example
  CustomLog logs/own.log common
  CustomLog logs/own2.log "%v %U"
</VirtualHost>
"""
USER = 'a"b\\c\u00e9'


def with_logs(serve: Serve, folder: Path) -> Gateway:
    """A gateway with all these logs, three files, one of them for a user only."""
    password = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
    users = folder / "users"
    users.write_text(f"{USER}:{{SHA}}{password}\n")
    gateway = serve(DIRECTIVES.replace("conf/users", str(users)))
    for name in ("page.txt", "quiet.txt", "private.txt"):
        (gateway.htdocs / name).write_text("0123456789")
    return gateway


def lines(gateway: Gateway, log: str, mark: str, count: int = 1) -> list[str]:
    """The lines of a log that have `mark` in them, once there are `count` whole ones."""
    file = gateway.folder / "logs" / log

    def found() -> list[str] | None:
        text = file.read_text() if file.exists() else ""
        marked = [line for line in text.split("\n")[:-1] if mark in line]
        return marked if len(marked) >= count else None

    return wait_for(f"{count} lines with {mark} in {log}", found)


def line(gateway: Gateway, log: str, mark: str) -> str:
    (one,) = lines(gateway, log, mark)
    return one


def fields(gateway: Gateway, mark: str) -> dict[str, str]:
    return dict(zip(CODES, line(gateway, "all.log", mark).split("|"), strict=True))


def entry(gateway: Gateway, mark: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(line(gateway, "json.log", mark))
    return found
