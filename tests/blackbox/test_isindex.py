"""Indexed queries: words as arguments of a program (RFC 3875, section 4.4)."""

from __future__ import annotations

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

ARGUMENTS = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nfor word; do printf '<%s>' \"$word\"; done\n"
NPH = "#!/bin/sh\nprintf 'HTTP/1.1 200 OK\\nContent-Type: text/plain\\n\\n'\nprintf '<%s>' \"$@\"\n"
HOSTED = "import sys\nprint('Content-Type: text/plain\\n')\nprint(sys.argv[1:])\n"
LOOPING = """#!/bin/bash
. "$HTSESSION_LIB/htsession.bash"
while htsession_accept; do
    printf 'Accept-HTSession: %s\\nContent-Type: text/plain\\n\\n<%s> %s' "$1" "$*" "$QUERY_STRING"
done
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(
        "CGIActivationGroup python .py\nCGIStopGrace 100ms",
        {"args": ARGUMENTS, "nph-args": NPH, "args.py": HOSTED, "loop": LOOPING},
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [("one+two", "<one><two>"), ("a%20b+c%2Bd", "<a b><c+d>"), ("$(id)+;ls", "<$(id)><;ls>"), ("%3D", "<=>")],
)
def test_the_words_of_an_indexed_query_are_arguments(gateway: Gateway, query: str, shown: str) -> None:
    assert gateway.get(f"/cgi-bin/args?{query}").text == shown


@pytest.mark.parametrize("query", ["a=b", "a+b=c", "%00+a", "a+%zz", ""])
def test_no_arguments_for_another_query(gateway: Gateway, query: str) -> None:
    assert gateway.get(f"/cgi-bin/args?{query}").text == ""


@pytest.mark.parametrize("query", ["-s", "%2Ds", "a+-c", "a%20-c"])
def test_CVE_2012_1823_no_word_becomes_an_option(gateway: Gateway, query: str) -> None:
    assert gateway.get(f"/cgi-bin/args?{query}").text == ""


def test_only_GET_and_HEAD_have_arguments(gateway: Gateway) -> None:
    assert gateway.post("/cgi-bin/args?a+b", b"").text == ""
    assert gateway.request("HEAD", "/cgi-bin/args?a+b").status == 200


def test_an_nph_program_has_them_too(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/nph-args?a+b").text == "<a><b>"


def test_a_hosted_script_has_none(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/args.py?a+b").text.strip() == "[]"


def test_the_arguments_of_a_session_are_those_of_its_first_request(gateway: Gateway) -> None:
    handle = new_handle()
    assert gateway.get(f"/cgi-bin/loop?{handle}+b").text == f"<{handle} b> {handle}+b"
    assert gateway.get(f"/cgi-bin/loop/{handle}?c+d").text == f"<{handle} b> c+d"
