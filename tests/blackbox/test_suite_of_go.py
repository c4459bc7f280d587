"""What Go's own tests of net/http/cgi expect of a CGI server (src/net/http/cgi/host_test.go, by test name).

On purpose otherwise: PATH_INFO is absent when empty (RFC 3875, section 4.1.5, allows both); REMOTE_HOST is
absent (TestCGIBasicGet: Go repeats the address); a chunked body is taken (TestCGIPostChunked: Go answers 400);
SERVER_PORT is the real one, not that of the Host header.
"""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive

ECHO = """#!/usr/bin/env python3
import os, sys
print("Content-Type: text/html\\nX-CGI-Pid: %d\\nX-Test-Header: X-Test-Value\\n" % os.getpid())
body = sys.stdin.read()
print("test=Hello CGI\\ncwd=" + os.getcwd() + "\\nbody=" + body)
for name, value in sorted(os.environ.items()):
    print("env-%s=%s" % (name, value))
sys.stdout.flush()
while "bigresponse" in os.environ["QUERY_STRING"]:
    print("x" * 1024)
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    directives = "SetEnv PATH /wibble:/usr/bin:/bin\nCGIStopGrace 100ms\nScriptAlias /myscript cgi-bin/test.cgi"
    return serve_shared(directives, {"test.cgi": ECHO})


def ask(gateway: Gateway, request: str) -> tuple[str, dict[str, str]]:
    head, _, body = gateway.raw(request.encode()).decode().partition("\r\n\r\n")
    return head, dict(line.split("=", 1) for line in body.splitlines() if "=" in line)


def test_CGIBasicGet_an_HTTP_1_0_request_has_its_variables(gateway: Gateway) -> None:
    head, found = ask(gateway, "GET /cgi-bin/test.cgi?foo=bar&a=b HTTP/1.0\r\nHost: example.com:80\r\n\r\n")
    assert "content-type: text/html" in head.lower() and "x-test-header: X-Test-Value".lower() in head.lower()
    expected = {
        "test": "Hello CGI",
        "env-GATEWAY_INTERFACE": "CGI/1.1",
        "env-HTTP_HOST": "example.com:80",
        "env-QUERY_STRING": "foo=bar&a=b",
        "env-REMOTE_ADDR": "127.0.0.1",
        "env-REQUEST_METHOD": "GET",
        "env-REQUEST_URI": "/cgi-bin/test.cgi?foo=bar&a=b",
        "env-SCRIPT_FILENAME": str(gateway.cgi_bin / "test.cgi"),
        "env-SCRIPT_NAME": "/cgi-bin/test.cgi",
        "env-SERVER_NAME": "example.com",
        "env-SERVER_PORT": str(gateway.port),
        "env-SERVER_PROTOCOL": "HTTP/1.0",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_PathInfo_is_what_follows_the_script(gateway: Gateway) -> None:
    found = ask(gateway, "GET /cgi-bin/test.cgi/extrapath?a=b HTTP/1.0\r\nHost: example.com\r\n\r\n")[1]
    assert (found["env-PATH_INFO"], found["env-SCRIPT_NAME"]) == ("/extrapath", "/cgi-bin/test.cgi")
    assert found["env-REQUEST_URI"] == "/cgi-bin/test.cgi/extrapath?a=b"


def test_PathInfoDirRoot_a_name_of_its_own_takes_path_info(gateway: Gateway) -> None:
    found = ask(gateway, "GET /myscript//bar?a=b HTTP/1.0\r\nHost: example.com\r\n\r\n")[1]
    assert (found["env-PATH_INFO"], found["env-SCRIPT_NAME"]) == ("/bar", "/myscript")


def test_DupHeaders_are_joined_and_cookies_by_semicolons(gateway: Gateway) -> None:
    headers = "Cookie: nom=NOM\r\nCookie: yum=YUM\r\nX-Foo: val1\r\nX-Foo: val2\r\nHost: example.com\r\n"
    found = ask(gateway, f"GET /myscript/bar?a=b HTTP/1.0\r\n{headers}\r\n")[1]
    assert (found["env-HTTP_COOKIE"], found["env-HTTP_X_FOO"]) == ("nom=NOM; yum=YUM", "val1, val2")


def test_DropProxyHeader(gateway: Gateway) -> None:
    headers = "X-Foo: a\r\nProxy: should_be_stripped\r\nHost: example.com\r\n"
    found = ask(gateway, f"GET /myscript HTTP/1.0\r\n{headers}\r\n")[1]
    assert found["env-HTTP_X_FOO"] == "a" and "env-HTTP_PROXY" not in found


def test_CGIBasicPost_the_body_is_the_input(gateway: Gateway) -> None:
    headers = "Host: example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n"
    found = ask(gateway, f"POST /cgi-bin/test.cgi?a=b HTTP/1.0\r\n{headers}\r\npostfoo=postbar")[1]
    assert (found["body"], found["env-CONTENT_LENGTH"]) == ("postfoo=postbar", "15")
    assert (found["env-REQUEST_METHOD"], found["env-REQUEST_URI"]) == ("POST", "/cgi-bin/test.cgi?a=b")


def test_CGIPostChunked_is_taken_with_its_right_length(gateway: Gateway) -> None:
    answer = gateway.send_chunked("/cgi-bin/test.cgi?a=b", [b"postfoo", b"=", b"postbar"])
    assert "body=postfoo=postbar" in answer.text and "env-CONTENT_LENGTH=15" in answer.text
    assert "TRANSFER_ENCODING" not in answer.text


def test_Redirect_is_302_with_its_location(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?header=Location:+http://foo.com/")
    assert (answer.status, answer.header("location")) == (302, "http://foo.com/")


def test_InternalRedirect_reaches_the_path_for_the_same_client(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?header=Location:+/cgi-bin/test.cgi%3Ffoo")
    assert "env-QUERY_STRING=foo\n" in answer.text and "env-REMOTE_ADDR=127.0.0.1\n" in answer.text


def test_CopyError_a_client_that_leaves_ends_the_program(gateway: Gateway) -> None:
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/test.cgi?bigresponse=1 HTTP/1.1\r\nHost: example.com\r\n\r\n")
        received = b""
        while len(received) < 5000:
            received += sock.recv(4096)
        pid = int(received.lower().split(b"x-cgi-pid: ")[1].split(b"\r\n")[0])
        assert alive(pid)
    wait_for("the program's end", lambda: not alive(pid))


def test_Dir_is_the_programs_folder(gateway: Gateway) -> None:
    found = ask(gateway, "GET /cgi-bin/test.cgi HTTP/1.0\r\nHost: example.com\r\n\r\n")[1]
    assert found["cwd"] == str(gateway.cgi_bin)


def test_EnvOverride_PATH_may_be_set(gateway: Gateway) -> None:
    found = ask(gateway, "GET /cgi-bin/test.cgi HTTP/1.0\r\nHost: example.com\r\n\r\n")[1]
    assert found["env-PATH"] == "/wibble:/usr/bin:/bin"


def test_HandlerStderr_is_for_the_log(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?stderr=Hello,+stderr!&echo=x").text == "x"
    gateway.wait_log("Hello, stderr!")
