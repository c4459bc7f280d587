"""The table of messages in docs/writing-programs.md: each is provoked and found in a real error log."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import quote

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.docs.examples import page

HANDLE = "$HTSESSION_NEXT_HANDLE"
TYPE = "Content-Type: text/plain\\n\\n"


def sh(*lines: str) -> str:
    """A shell program."""
    return "\n".join(["#!/bin/sh", *lines, ""])


def headed(head: str) -> str:
    """A plain program that writes a head (a format of printf) and then its ready-made handle."""
    return sh(f'printf "{head}{HANDLE}"')


def loop(*lines: str) -> str:
    """A looping program; `$calls` is the number of the call."""
    body = ["calls=$((calls + 1))", *lines]
    opening = ["#!/usr/bin/env bash", '. "$HTSESSION_LIB/htsession.bash"', "while htsession_accept; do"]
    return "\n".join([*opening, *body, "done", ""])


def by_hand(*lines: str) -> str:
    """A program that writes a page and the end mark without the library, and then does this."""
    return sh(STAY, 'printf "\\004$HTSESSION_END\\n"', *lines)


STAY = f'printf "Accept-HTSession: {HANDLE}\\n{TYPE}{HANDLE}"'
WAIT = "while [ ! -e go ]; do sleep 0.05; done"  # until the test says so
REST = 'cat <&"$HTSESSION_FD" >/dev/null'  # to the end of the request pipe

# message -> the program that earns it
MISTAKES = {
    "cannot be started: Exec format error": "print('hello')\n",
    "cannot be started: No such file or directory (is the interpreter of its first line there?)": "#!/none\n",
    "/usr/bin/env: 'python3\\r': No such file or directory": "#!/usr/bin/env python3\r\nprint()\r\n",
    "not executable": sh(),
    "expected a header block, found no output": sh("nothing-of-this-name"),
    "expected a header line 'Name: value', found …": sh("echo hello; echo"),
    "expected a blank line after the header block, found the end after …": sh("echo Content-Type: text/plain"),
    "expected Status: 200 to 599 and a reason, found …": headed(f"Status: none\\n{TYPE}"),
    "expected one status header, found two that differ": headed(f"Status: 200\\nStatus: 404\\n{TYPE}"),
    "expected 3 bytes of body (Content-Length), found more": headed(f"Content-Length: 3\\n{TYPE}"),
    "… bytes of output belong to no page": sh(f'printf "{TYPE}page\\004$HTSESSION_END\\n"', REST, "echo bye"),
    "HTS001 the handle is not unique": loop(f'printf "Accept-HTSession: the-only-one\\n{TYPE}"'),
    "HTS002 timed out after … s": loop(STAY),
    "HTS003 MaxPersistentCGI is reached": loop(STAY),
    "HTS004 not a handle (H3)": headed(f"Accept-HTSession: a/b\\n{TYPE}"),
    "HTS004 the handle of its own URL (R3)": headed(f"Accept-HTSession: ${{PATH_INFO#/}}\\n{TYPE}"),
    "HTS006 ended by the program": loop(f'if ((calls == 1)); then {STAY}; else printf "{TYPE}"; fi'),
    "HTS006 ended by the program (HTTimeout 0)": headed(f"Accept-HTSession: {HANDLE}\\nHTTimeout: 0\\n{TYPE}"),
    "HTS007 exited instead of writing the end mark": sh(STAY),
    "HTS007 exited before it sent a header while it should persist": loop(f"((calls == 1)) || exit 3; {STAY}"),
    "HTS007 exited while it should persist": loop(STAY, "((calls == 1)) || kill -SEGV $$"),
    "HTS007 exited between two calls": by_hand(WAIT),
    "HTS007 closed its output while it should persist": by_hand("exec >&-", REST),
    "HTS008 HTTimeout is not a whole number of minutes": headed(
        f"Accept-HTSession: {HANDLE}\\nHTTimeout: 90s\\n{TYPE}"
    ),
    "HTS009 neither read nor wrote for … s (T4)": sh("exec sleep 30"),
    "HTS010 Accept-HTSession is not the first header": headed(f"X-A: b\\nAccept-HTSession: {HANDLE}\\n{TYPE}"),
    "HTS010 HTTimeout without an Accept-HTSession before it": headed(f"HTTimeout: 1\\n{TYPE}"),
    "HTS010 two different Accept-HTSession headers": headed(
        f"Accept-HTSession: {HANDLE}\\nAccept-HTSession: other\\n{TYPE}"
    ),
    "HTS010 an NPH program cannot persist": headed(f"HTTP/1.1 200 OK\\nAccept-HTSession: {HANDLE}\\n{TYPE}"),
    "HTS011 output after the end mark (P5)": sh(STAY, 'printf "\\004$HTSESSION_END\\nmore"', REST),
    "HTS011 output between two calls (P5)": by_hand(WAIT, "echo more", REST),
    "HTS011 the request was not taken whole (B3, P9)": by_hand(
        'head -c 1 <&"$HTSESSION_FD" >/dev/null', STAY, 'printf "\\004$HTSESSION_END\\n"', "exec sleep 30"
    ),
    "HTS012 its handles look guessable (short)": loop(f'printf "Accept-HTSession: user-$$\\n{TYPE}"'),
    "HTS012 its handles look guessable (each like the one before)": loop(
        f'printf "Accept-HTSession: a-session-of-the-shop-$$\\n{TYPE}"'
    ),
}
# message -> what is built into a shared object; the file itself where there is no compiler's work in it
NATIVE = {
    "expected a shared object for …": "",
    "there is nothing to call in it; "
    "expected main (C, C++, Fortran) or a COBOL program of this name: …": "int other;",
}
NAMES = {"HTS002 timed out after … s": "brief"}
BRIEF = "<Directory cgi-bin/brief>\n  PersistentCGITimeout 1s\n</Directory>\n"
OF_ITS_OWN = {  # directives that would disturb the other mistakes
    "HTS003 MaxPersistentCGI is reached": "MaxPersistentCGI 0",
    "HTS009 neither read nor wrote for … s (T4)": "CGIScriptTimeout 1s",
}


@pytest.fixture(scope="module")
def strict(serve_shared: Serve) -> Gateway:
    """A gateway for the mistakes."""
    return serve_shared(BRIEF)


def table() -> list[str]:
    """The messages of the table."""
    section = page("writing-programs.md").partition("## Mistakes and their messages\n")[2]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_the_table_has_every_message_that_is_provoked_here() -> None:
    assert [message for message in table() if message not in NATIVE] == list(MISTAKES)
    assert [message for message in table() if message not in MISTAKES] == list(NATIVE)


@pytest.mark.needs("cc")
@pytest.mark.parametrize("message", NATIVE)
def test_a_mistake_in_building_earns_its_message(serve: Serve, message: str) -> None:
    gateway = serve("CGIActivationGroup native .so")
    program = gateway.program("mistake.so", sh("echo"))
    if NATIVE[message]:
        build = ["cc", "-shared", "-x", "c", "-o", str(program), "-"]
        subprocess.run(build, input=NATIVE[message].encode(), check=True)
    assert gateway.get("/cgi-bin/mistake.so").status == 502
    gateway.wait_log(rf"/mistake\.so: .*{re.escape(message).replace('…', '.*')}")


@pytest.mark.needs("bash")
@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_earns_its_message(strict: Gateway, serve: Serve, message: str) -> None:
    gateway = serve(OF_ITS_OWN[message]) if message in OF_ITS_OWN else strict
    name = NAMES.get(message, f"mistake{list(MISTAKES).index(message)}")
    name = f"nph-{name}" if "NPH" in message else name
    file = gateway.program(f"{name}/{name}", MISTAKES[message])
    url = f"/cgi-bin/{name}/{name}"
    if message == "not executable":
        file.chmod(0o644)
    provoke(gateway, url, message)
    if "go" in MISTAKES[message]:
        (file.parent / "go").touch()
    pattern = re.escape(message).replace("…", ".*")
    gateway.wait_log(rf"{pattern}.*/{name}\b|/{name}\b.*{pattern}")


def provoke(gateway: Gateway, url: str, message: str) -> None:
    """Ask for the program, so often and in such a way as the mistake needs."""
    if "own URL" in message:
        assert gateway.get(f"{url}/mine").status == 200
        return
    first = gateway.get(url)
    if message.startswith("HTS001") or "the one before" in message:
        assert gateway.get(url).status == 200
    if (
        message in ("HTS006 ended by the program", "HTS007 exited while it should persist")
        or "before" in message
    ):
        gateway.get(f"{url}/{quote(first.text)}")
    if "taken whole" in message:
        gateway.post(f"{url}/{quote(first.text)}", b"x" * 1000)
