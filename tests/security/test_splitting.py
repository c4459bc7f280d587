"""Response splitting: nothing that a client sends ends up as a header line, nor does a program's slip."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

DIRECTIVES = """
Redirect /old https://new.example/base
RedirectMatch ^/match/((?s).*)$ /to/$1
ErrorDocument 404 https://errors.example/
"""
BREAKS = [
    "%0d%0aX-Evil:%201",
    "%0aX-Evil:%201",
    "%0dX-Evil:%201",
    "%0d%0a%0d%0aHTTP/1.1%20200",
    "%E5%98%8A%E5%98%8DX-Evil:1",
]


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES.replace("((?s).*)", "([^#]*)"))
    (gateway.htdocs / "folder\r\nX-Evil: 1").mkdir()
    return gateway


def one_clean_response(gateway: Gateway, target: str) -> bytes:
    received = gateway.raw(
        f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode("latin-1")
    )
    head = received.partition(b"\r\n\r\n")[0]
    assert b"x-evil" not in [line.split(b":")[0].lower() for line in head.replace(b"\n", b"\r").split(b"\r")]
    assert received.count(b"HTTP/1.1 ") == 1
    return head


@pytest.mark.parametrize("evil", BREAKS)
@pytest.mark.parametrize(
    "path", ["/old/{}", "/old?{}", "/match/{}", "/{}", "/folder{}", "/cgi-bin/child/{}?echo=x"]
)
def test_a_URL_never_breaks_a_header(gateway: Gateway, path: str, evil: str) -> None:
    one_clean_response(gateway, path.format(evil))


def test_the_slash_of_a_folder_with_such_a_name_is_encoded(gateway: Gateway) -> None:
    head = one_clean_response(gateway, "/" + quote("folder\r\nX-Evil: 1"))
    assert b"location: /folder%0D%0AX-Evil:%201/" in head


@pytest.mark.parametrize("host", ["a\tX-Evil: 1", "evil.example/..", "evil.example#", "\xff", "a b"])
def test_the_Host_header_never_reaches_an_answer_of_the_gateways_own(gateway: Gateway, host: str) -> None:
    for path in ("/old/x", "/nothing", "/match/x"):
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        received = gateway.raw(head.encode("latin-1")).partition(b"\r\n\r\n")[0]
        assert host.encode("latin-1") not in received


@pytest.mark.parametrize(
    "value",
    ["a\rX-Evil: 1", "a\r\rX-Evil: 1", "a\0b", "a\x0bX-Evil: 1", "a\x7f", "a\r \rX-Evil: 1", "a\x1b[2J"],
)
def test_a_control_character_in_a_programs_header_is_502(gateway: Gateway, value: str) -> None:
    answer = gateway.get(f"/cgi-bin/child?raw={quote_plus(f'X-Own: {value}')}%0A%0Abody")
    assert answer.status == 502 and answer.header("x-evil") is None


def test_a_line_that_a_program_did_not_mean_is_a_header_of_its_own_and_no_more(gateway: Gateway) -> None:
    answer = gateway.get(
        f"/cgi-bin/child?raw={quote_plus('Location: http://a.example/')}%0A%0AHTTP/1.1+200+OK%0A%0Ax"
    )
    assert answer.status == 302 and answer.text == "HTTP/1.1 200 OK\n\nx"
