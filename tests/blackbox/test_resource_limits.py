"""RLimitCPU, RLimitMEM, RLimitNPROC: what programs, hosts and their children may use (as in Apache)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from tests.blackbox.harness import ROOT, Gateway
from tests.blackbox.users import NOBODY, WHO, OpenGateway, account, as_root, at, open_folder, who

# Soft and hard limit of each kind, of the program and of a child of its own
TELL = """#!/bin/bash
printf 'Content-Type: text/plain\\n\\n'
for kind in t v u; do echo "$kind=$(ulimit -S -$kind)/$(ulimit -H -$kind)"; done
bash -c 'echo "child=$(ulimit -S -t)"'
"""
COUNTER = ROOT / "cgi-bin" / "counter.py"
SPIN = "#!/bin/sh\nwhile :; do :; done\n"
HOG = f"#!{sys.executable} -S\nhuge = bytearray(2 << 30)\nprint('Content-Type: text/plain\\n')\n"
FORK = "#!/bin/dash\nprintf 'Content-Type: text/plain\\n\\nhere\\n'\n(echo there)\n"
DIRECTIVES = """
CGIActivationGroup python .py
ScriptAlias /limited/ {folder}/limited/
RLimitCPU 700 900
<Directory {folder}/limited>
  RLimitCPU 1 2
  RLimitMEM 512M
  RLimitNPROC 3000 4000
</Directory>
<VirtualHost *:*>
  ServerName main.example
</VirtualHost>
<VirtualHost *:*>
  ServerName limited.example
  RLimitCPU 300
  RLimitMEM max max
</VirtualHost>
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with open_folder() as folder:
        made = OpenGateway(folder, "", {"tell": TELL, "who": WHO})
        for name, text in {"tell": TELL, "spin": SPIN, "hog": HOG, "hosted.py": HOG, "who": WHO}.items():
            made.program(f"../limited/{name}", text)
        made.configure(DIRECTIVES.format(folder=folder))
        yield made.start()
        assert made.stop() == 0


def told(gateway: Gateway, path: str, host: str = "main.example") -> dict[str, str]:
    return dict(line.split("=") for line in at(gateway, host, path).text.split())


def test_RLimitCPU_of_the_main_server_is_seen_by_programs_and_their_children(gateway: Gateway) -> None:
    found = told(gateway, "/cgi-bin/tell")
    assert (found["t"], found["child"], found["v"]) == ("700/900", "700", "unlimited/unlimited")


def test_RLimits_of_a_Directory_change_those_of_the_server(gateway: Gateway) -> None:
    found = told(gateway, "/limited/tell")
    assert (found["t"], found["v"], found["u"]) == ("1/2", f"{512 * 1024}/unlimited", "3000/4000")


def test_one_limit_leaves_the_hard_one_as_it_is_and_max_is_what_the_gateway_may(gateway: Gateway) -> None:
    found = told(gateway, "/cgi-bin/tell", "limited.example")
    assert (found["t"], found["v"]) == ("300/unlimited", "unlimited/unlimited")


def test_a_program_beyond_RLimitCPU_dies_by_SIGXCPU_and_the_log_says_so(gateway: Gateway) -> None:
    assert at(gateway, "main.example", "/limited/spin").status == 502
    gateway.wait_log(r"spin.*\(signal 24, CPU time limit exceeded\)")


@pytest.mark.parametrize("program", ["hog", "hosted.py"])
def test_memory_beyond_RLimitMEM_is_refused_to_the_program(gateway: Gateway, program: str) -> None:
    assert at(gateway, "main.example", f"/limited/{program}").status == 502
    gateway.wait_log("MemoryError")


def test_a_session_with_limits_lives_on(gateway: Gateway) -> None:
    first = at(gateway, "main.example", "/limited/who")
    handle = first.text.partition("handle=")[2].partition("\n")[0]
    gateway.reload()
    assert at(gateway, "main.example", f"/limited/who/{handle}").number("count") == 2


@as_root
@pytest.mark.needs("dash")
def test_RLimitNPROC_counts_the_processes_of_the_programs_user() -> None:
    with open_folder() as folder:
        made = OpenGateway(folder / "gateway", "User nobody\nRLimitNPROC 1", {"fork": FORK})
        made.start()
        assert made.get("/cgi-bin/fork").text == "here\n"
        made.wait_log("Cannot fork")
        assert made.stop() == 0


# ---- without root


# The tests' own Python may lie where only root can read
AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
AS_NOBODY += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]


@pytest.fixture
def nobodys() -> Iterator[Gateway]:
    """A gateway that nobody will start, within limits."""
    with open_folder() as folder:
        made = OpenGateway(folder / "gateway", "", {"tell": TELL, "who": WHO})
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account(NOBODY).uid, account(NOBODY).gid)
        made.by_command = True
        made.prefix = ["prlimit", "--cpu=500:600", *AS_NOBODY]
        yield made
        assert made.stop() == 0


@as_root
@pytest.mark.needs("setpriv", "prlimit")
def test_limits_above_the_gateways_own_are_capped_with_a_notice_when_it_is_not_roots(nobodys: Gateway) -> None:
    nobodys.configure("RLimitCPU 1000 2000")
    nobodys.start()
    assert "gateway.conf:7: notice: RLimitCPU is capped by the gateway's own limit, 600" in nobodys.output
    assert told(nobodys, "/cgi-bin/tell")["t"] == "600/600"


@as_root
@pytest.mark.needs("setpriv", "prlimit")
def test_User_of_the_main_server_has_a_notice_and_no_effect_when_it_is_not_root_who_starts(
    nobodys: Gateway,
) -> None:
    nobodys.configure("User www-data\nGroup www-data\nCGIActivationGroup python .py")
    (nobodys.cgi_bin / "counter.py").write_bytes(COUNTER.read_bytes())
    nobodys.start()
    for line, name in ((7, "User"), (8, "Group")):
        text = f"{name} has no effect here: it is not root who starts the gateway, but nobody"
        assert f"gateway.conf:{line}: notice: {text}" in nobodys.output
    assert who(nobodys.get("/cgi-bin/who?end").text).uid == account(NOBODY).uid
    assert nobodys.get("/cgi-bin/counter.py").status == 200


@as_root
@pytest.mark.needs("setpriv", "prlimit")
def test_User_who_starts_it_anyway_has_no_notice(nobodys: Gateway) -> None:
    nobodys.configure("User nobody\nGroup nogroup")
    assert "notice" not in nobodys.start().output


@as_root
@pytest.mark.needs("setpriv", "prlimit")
def test_other_users_for_programs_are_errors_when_it_is_not_root_who_starts(nobodys: Gateway) -> None:
    nobodys.configure(
        "SuexecUserGroup nobody nogroup\n<VirtualHost *:*>\nUser daemon\nGroup daemon\n</VirtualHost>"
    )
    with pytest.raises(AssertionError, match="the gateway ended"):
        nobodys.start()
    for line, name in ((7, "SuexecUserGroup"), (9, "User"), (10, "Group")):
        text = f"{name}: expected a gateway that root has started, found one of user nobody"
        assert f"gateway.conf:{line}: {text}" in nobodys.output
    nobodys.configure("")
    nobodys.start()
