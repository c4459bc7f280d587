"""The environment of a plain CGI program (RFC 3875, section 4.1), its directory and its input."""

from __future__ import annotations

import os

import pytest

from gateway import __version__
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.blackbox.proc import descriptors

ENVIRON = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec env -0\n"
WHERE = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\npwd; cat marker\n"
DIRECTIVES = """
SetEnv GIVEN "two words"
SetEnv TAKEN away
PassEnv PASSED_ON NOT_THERE
<Directory cgi-bin/deep>
    SetEnv GIVEN deeper
    UnsetEnv TAKEN
</Directory>
<Location /cgi-bin/path>
    SetEnv PATH /opt/bin:/bin
</Location>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASSED_ON", "from the caller")
        patch.setenv("KEPT_BACK", "secret")
        return serve_shared(
            DIRECTIVES, dict.fromkeys(["env", "deep/env", "path", "sp ace"], ENVIRON) | {"where": WHERE}
        )


def environ(
    gateway: Gateway, path: str = "/cgi-bin/env", method: str = "GET", body: bytes | None = None, **headers: str
) -> dict[str, str]:
    answer = gateway.request(method, path, body, headers)
    assert answer.status == 200, answer
    return dict(pair.split("=", 1) for pair in answer.text.rstrip("\0").split("\0"))


def test_AUTH_TYPE_and_REMOTE_USER_are_absent_without_authentication(gateway: Gateway) -> None:
    found = environ(gateway, Authorization="Basic YTpi")
    assert not {"AUTH_TYPE", "REMOTE_USER", "HTTP_AUTHORIZATION", "REMOTE_IDENT"} & set(found)


def test_CONTENT_LENGTH_and_CONTENT_TYPE_describe_the_body(gateway: Gateway) -> None:
    found = environ(gateway, method="POST", body=b"12345", Content_Type="text/form")
    assert (found["CONTENT_LENGTH"], found["CONTENT_TYPE"]) == ("5", "text/form")
    assert not {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"} & set(found)


def test_CONTENT_LENGTH_is_absent_without_a_body(gateway: Gateway) -> None:
    assert not {"CONTENT_LENGTH", "CONTENT_TYPE"} & set(environ(gateway))


def test_GATEWAY_INTERFACE_is_CGI_1_1(gateway: Gateway) -> None:
    assert environ(gateway)["GATEWAY_INTERFACE"] == "CGI/1.1"


def test_PATH_INFO_is_decoded_and_PATH_TRANSLATED_lies_below_the_document_root(gateway: Gateway) -> None:
    found = environ(gateway, "/cgi-bin/env/a%20b/c?x")
    assert found["PATH_INFO"] == "/a b/c"
    assert found["PATH_TRANSLATED"] == f"{gateway.htdocs}/a b/c"
    assert not {"PATH_INFO", "PATH_TRANSLATED"} & set(environ(gateway))


@pytest.mark.parametrize(
    ("query", "expected"), [("", ""), ("?", ""), ("?a=%20b&c", "a=%20b&c"), ("?a?b", "a?b")]
)
def test_QUERY_STRING_is_always_there_and_not_decoded(gateway: Gateway, query: str, expected: str) -> None:
    assert environ(gateway, "/cgi-bin/env" + query)["QUERY_STRING"] == expected


def test_REMOTE_ADDR_and_REMOTE_PORT_name_the_client(gateway: Gateway) -> None:
    found = environ(gateway)
    assert found["REMOTE_ADDR"] == "127.0.0.1" and int(found["REMOTE_PORT"]) > 0


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_REQUEST_METHOD_is_the_clients(gateway: Gateway, method: str) -> None:
    assert environ(gateway, method=method)["REQUEST_METHOD"] == method


def test_SCRIPT_NAME_is_the_name_in_the_URL(gateway: Gateway) -> None:
    found = environ(gateway, "/cgi-bin//./x/../sp%20ace/info")
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/cgi-bin/sp ace", "/info")
    assert found["SCRIPT_FILENAME"] == str(gateway.cgi_bin / "sp ace")


def test_SERVER_NAME_and_SERVER_PORT_are_those_of_the_request(gateway: Gateway) -> None:
    found = environ(gateway, Host="example.org:99")
    assert (found["SERVER_NAME"], found["SERVER_PORT"]) == ("example.org", str(gateway.port))
    assert (found["SERVER_ADDR"], found["REQUEST_SCHEME"]) == ("127.0.0.1", "http")
    assert "HTTPS" not in found


def test_SERVER_NAME_is_what_the_directive_says(serve: Serve) -> None:
    gateway = serve("ServerName www.example.org", {"env": ENVIRON})
    assert environ(gateway, Host="example.org:99")["SERVER_NAME"] == "www.example.org"


def test_SERVER_NAME_is_the_name_that_was_called_if_it_is_an_alias_of_the_host(serve: Serve) -> None:
    gateway = serve("ServerName www.example.org\nServerAlias *.example.net", {"env": ENVIRON})
    hosts = ["A.example.net:99", "evil.example", "b.example.net"]
    names = [environ(gateway, Host=host)["SERVER_NAME"] for host in hosts]
    assert names == ["a.example.net", "www.example.org", "b.example.net"]
    assert gateway.get("/cgi-bin/child?handle=named", Host="a.example.net").status == 200
    later = gateway.get("/cgi-bin/child/named?handle=named&env=SERVER_NAME", Host="c.example.net")
    assert later.text == "SERVER_NAME=c.example.net\n"


def test_SERVER_PROTOCOL_and_SERVER_SOFTWARE(gateway: Gateway) -> None:
    found = environ(gateway)
    assert found["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert found["SERVER_SOFTWARE"] == f"persistent-cgi/{__version__}"


def test_headers_become_HTTP_variables(gateway: Gateway) -> None:
    found = environ(gateway, X_Thing="one", Cookie="a=b", Accept_Language="de", Proxy="http://evil")
    assert (found["HTTP_X_THING"], found["HTTP_COOKIE"], found["HTTP_ACCEPT_LANGUAGE"]) == ("one", "a=b", "de")
    assert "HTTP_PROXY" not in found


def test_repeated_headers_are_joined_and_ambiguous_names_are_left_out(gateway: Gateway) -> None:
    lines = "X-Thing: one\r\nx-thing: two\r\nCookie: a=b\r\nCookie: c=d\r\nX_Thing: posing\r\n"
    head = f"GET /cgi-bin/env HTTP/1.1\r\nHost: localhost\r\n{lines}Connection: close\r\n\r\n"
    pairs = gateway.raw(head.encode()).split(b"\0")
    assert b"HTTP_X_THING=one, two" in pairs and b"HTTP_COOKIE=a=b; c=d" in pairs


def test_REQUEST_URI_and_UNIQUE_ID_as_in_Apache(gateway: Gateway) -> None:
    one, two = environ(gateway, "/cgi-bin//env/a%20b?q"), environ(gateway)
    assert one["REQUEST_URI"] == "/cgi-bin//env/a%20b?q" and one["DOCUMENT_ROOT"] == str(gateway.htdocs)
    assert one["UNIQUE_ID"] != two["UNIQUE_ID"]


def test_the_environment_is_built_from_nothing(gateway: Gateway) -> None:
    found = environ(gateway)
    assert found["PATH"] == "/usr/local/bin:/usr/bin:/bin"
    assert not {"KEPT_BACK", "HOME", "PYTHONPATH", "PYTHONUNBUFFERED", "LANG", "NOT_THERE"} & set(found)
    assert os.environ.get("HOME")  # it was there to be inherited


def test_SetEnv_UnsetEnv_and_PassEnv_say_what_else_there_is(gateway: Gateway) -> None:
    found = environ(gateway)
    assert (found["GIVEN"], found["TAKEN"], found["PASSED_ON"]) == ("two words", "away", "from the caller")
    deep = environ(gateway, "/cgi-bin/deep/env")
    assert deep["GIVEN"] == "deeper" and "TAKEN" not in deep
    assert environ(gateway, "/cgi-bin/path")["PATH"] == "/opt/bin:/bin"


def test_a_header_cannot_pose_as_a_variable_of_the_server(gateway: Gateway) -> None:
    found = environ(gateway, Htsession_End="x", Given="x", Remote_User="root")
    assert found["GIVEN"] == "two words" and "REMOTE_USER" not in found and found["HTSESSION_END"] != "x"


def test_the_working_directory_is_the_programs_folder(gateway: Gateway) -> None:
    (gateway.cgi_bin / "marker").write_text("found\n")
    lines = gateway.get("/cgi-bin/where").text.splitlines()
    assert lines[:2] == [str(gateway.cgi_bin), "found"]


def test_a_program_has_no_other_descriptors_than_its_four(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=descriptors")
    (pid,) = gateway.instances()
    open_ones = descriptors(pid)
    assert set(open_ones) == {0, 1, 2, 3} and open_ones[0] == os.devnull


def test_a_request_without_a_body_has_an_empty_input(gateway: Gateway) -> None:
    gateway.program("cat", "#!/bin/sh\nprintf 'A: b\\n\\n'\nexec cat\n")
    assert gateway.get("/cgi-bin/cat").text == ""
    assert gateway.post("/cgi-bin/cat", b"all of it").text == "all of it"
