"""The environment of a program is built from nothing, and no request decides what is in it."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

ENVIRON = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\ncat /proc/$$/environ\n"  # as it was started
PLAIN = """
CONTEXT_DOCUMENT_ROOT CONTEXT_PREFIX DOCUMENT_ROOT GATEWAY_INTERFACE HTSESSION_END HTSESSION_FD
HTSESSION_LIB HTSESSION_MAX_TIMEOUT HTSESSION_NEXT_HANDLE HTSESSION_TIMEOUT PATH QUERY_STRING
QZHBNEXT_SESSION_HANDLE REMOTE_ADDR REMOTE_PORT REQUEST_METHOD REQUEST_SCHEME REQUEST_URI SCRIPT_FILENAME
SCRIPT_NAME SERVER_ADDR SERVER_NAME SERVER_PORT SERVER_PROTOCOL SERVER_SOFTWARE UNIQUE_ID
"""
DANGEROUS = """
LD-Preload LD-Library-Path PYTHONPATH PYTHON-Startup PERL5LIB PERL5OPT BASH-Func-x IFS BASH-ENV ENV PATH
HOME NODE-OPTIONS RUBYOPT GCONV-PATH Remote-User Auth-Type Script-Filename Document-Root Redirect-Status
Htsession-End Htsession-Fd
"""
USUAL = set(PLAIN.split())


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LD_LIBRARY_PATH", "PERL5LIB", "BASH_FUNC_x%%", "SECRET"):
            patch.setenv(name, "of the gateway's own")
        return serve_shared("", {"env": ENVIRON})


def environ(gateway: Gateway, lines: str = "", target: str = "/cgi-bin/env") -> dict[str, str]:
    """What the program has for a request with these header lines, Host and Connection aside."""
    head = f"GET {target} HTTP/1.0\r\n{lines}\r\n"
    body = gateway.raw(head.encode("latin-1")).partition(b"\r\n\r\n")[2].decode("latin-1")
    return dict(pair.split("=", 1) for pair in body.rstrip("\0").split("\0"))


def test_a_plain_request_has_these_variables_and_no_others(gateway: Gateway) -> None:
    assert set(environ(gateway)) == USUAL


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_a_header_only_ever_makes_an_HTTP_variable(gateway: Gateway, name: str) -> None:
    found = environ(gateway, f"{name}: evil\r\n")
    variable = "HTTP_" + name.upper().replace("-", "_")
    assert set(found) - USUAL == {variable} and found[variable] == "evil"
    assert [key for key, value in found.items() if value == "evil"] == [variable]


@pytest.mark.parametrize("name", ["LD_PRELOAD", "X_Forwarded_For", "a.b", "BASH_FUNC_x%%", "x+y"])
def test_a_header_whose_name_is_not_letters_digits_and_dashes_makes_none(gateway: Gateway, name: str) -> None:
    assert set(environ(gateway, f"{name}: () {{ :; }}; echo evil\r\nX-Ok: 1\r\n")) - USUAL <= {"HTTP_X_OK"}


def test_names_that_collide_after_mapping_are_told_apart_by_dropping_the_odd_one(gateway: Gateway) -> None:
    found = environ(gateway, "X-Real-User: anna\r\nX_Real_User: root\r\nX-Real_User: root\r\n")
    assert found["HTTP_X_REAL_USER"] == "anna"


@pytest.mark.parametrize("line", ["Proxy: http://evil", "PROXY: http://evil", "proxy:http://evil"])
def test_httpoxy_there_is_no_HTTP_PROXY(gateway: Gateway, line: str) -> None:
    assert set(environ(gateway, f"{line}\r\n")) == USUAL


@pytest.mark.parametrize("line", ["Authorization: Basic YTpi", "Proxy-Authorization: Basic YTpi"])
def test_credentials_are_not_passed(gateway: Gateway, line: str) -> None:
    assert set(environ(gateway, f"{line}\r\n")) == USUAL


def test_CVE_2014_6271_a_function_in_a_header_or_query_is_a_text(gateway: Gateway) -> None:
    found = environ(gateway, "User-Agent: () { :; }; echo evil\r\n", "/cgi-bin/env?(){:;};echo=evil")
    assert found["HTTP_USER_AGENT"] == "() { :; }; echo evil" and found["QUERY_STRING"] == "(){:;};echo=evil"


@pytest.mark.parametrize(
    ("target", "name", "value"),
    [
        ("/cgi-bin/env/a%0aLD_PRELOAD=x", "PATH_INFO", "/a\nLD_PRELOAD=x"),
        ("/cgi-bin/env/%ff", "PATH_INFO", "/\xff"),
        ("/cgi-bin/env?%0aLD_PRELOAD=x", "QUERY_STRING", "%0aLD_PRELOAD=x"),
        ("/cgi-bin/env/%01", "PATH_INFO", "/\x01"),
    ],
)
def test_no_value_breaks_out_of_its_variable(gateway: Gateway, target: str, name: str, value: str) -> None:
    found = environ(gateway, target=target)
    assert found[name] == value and "LD_PRELOAD" not in found
    assert set(found) <= USUAL | {"PATH_INFO", "PATH_TRANSLATED"}


def test_later_requests_of_a_session_have_no_more(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=environment")
    found = gateway.get("/cgi-bin/child/environment?environ", LD_PRELOAD="evil", Proxy="evil").text
    names = {line.split("=")[0] for line in found.splitlines() if "=" in line}
    allowed = USUAL | {
        "CONTENT_LENGTH", "SCGI", "PATH_INFO", "PATH_TRANSLATED", "HTSESSION_HANDLE", "HTSESSION_PATH_INFO",
        "HTTP_LD_PRELOAD", "HTTP_HOST", "HTTP_ACCEPT_ENCODING",
    }  # fmt: skip
    assert names <= allowed - {"PATH", "HTSESSION_FD"} and "HTTP_PROXY" not in names
