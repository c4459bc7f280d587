"""What Apache's own tests of CGI expect (httpd-tests: t/modules/cgi.t, dir.t, t/apache/acceptpathinfo.t,
errordoc.t, headers.t, server_name_port.t, mergeslashes.t). Those of mod_alias are in test_url_mapping.py, the
ScriptLog parts of cgi.t in test_script_log.py.

On purpose otherwise: a bogus program is 502, not 500; SERVER_PORT is the real port, not that of the Host
header (server_name_port.t); a file that is a program by ScriptAliasMatch is never sent as text (alias.t has it
both ways).
"""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

INFO = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s' \"$PATH_INFO\"\n"
SCRIPTS = {
    "perl.pl": "#!/bin/sh\nprintf 'Content-type: text/plain\\n\\nperl cgi'\n",
    "bogus.pl": "#!/bin/sh\nprintf 'bogus\\n'\n",
    "nph-test.pl": "#!/bin/sh\nprintf 'HTTP/1.0 200 OK\\r\\n\\r\\nok'\n",
    "nph-stderr.pl": "#!/bin/sh\necho trouble >&2\nprintf 'HTTP/1.0 200 OK\\r\\n\\r\\nthis is nph-stdout'\n",
    "stderr1.pl": "#!/bin/sh\nexec 2>&-\nprintf 'Content-type: text/plain\\n\\nthis is stdout'\n",
    "stderr2.pl": "#!/bin/sh\necho first >&2\nprintf 'Content-type: text/plain\\n\\nthis is also stdout'\n",
    "stderr3.pl": "#!/bin/sh\nprintf 'Content-type: text/plain\\n\\nthis is more stdout'\necho last >&2\n",
    "acceptpathinfoon.sh": INFO,
    "acceptpathinfooff.sh": INFO,
    "acceptpathinfodefault.sh": INFO,
    "env.pl": "#!/bin/sh\nprintf 'Content-type: text/plain\\n\\n'\nexec env\n",
}
DIRECTIVES = """
AddHandler cgi-script .sh .pl
<Directory htdocs/cgi>
    Options +ExecCGI
    <Files acceptpathinfoon.sh>
        AcceptPathInfo On
    </Files>
    <Files acceptpathinfooff.sh>
        AcceptPathInfo Off
    </Files>
</Directory>
ErrorDocument 404 "per-server 404"
<Location /redefine>
    ErrorDocument 404 "per-dir 404"
</Location>
<Location /redefine/restore>
    ErrorDocument 404 default
</Location>
<Directory htdocs/index>
    DirectoryIndex goo /numbers/7.html 1.html
</Directory>
<LocationMatch ^/closed/a/b>
    Require all denied
</LocationMatch>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    programs = {f"../htdocs/cgi/{name}": text for name, text in SCRIPTS.items()}
    files = {"../htdocs/numbers/7.html": "7", "../htdocs/index/1.html": "1", "../htdocs/closed/a/b/c.html": "c"}
    return serve_shared(DIRECTIVES, programs | files)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("perl.pl", 200, "perl cgi"),
        ("nph-test.pl", 200, "ok"),
        ("nph-stderr.pl", 200, "this is nph-stdout"),
        ("stderr1.pl", 200, "this is stdout"),
        ("stderr2.pl", 200, "this is also stdout"),
        ("stderr3.pl", 200, "this is more stdout"),
        ("acceptpathinfoon.sh", 200, ""),
        ("acceptpathinfoon.sh/foo", 200, "/foo"),
        ("acceptpathinfooff.sh", 200, ""),
        ("acceptpathinfooff.sh/foo", 404, "per-server 404"),
        ("acceptpathinfodefault.sh", 200, ""),
        ("acceptpathinfodefault.sh/foo", 200, "/foo"),
    ],
)
def test_cgi_t(gateway: Gateway, path: str, status: int, body: str) -> None:
    answer = gateway.get(f"/cgi/{path}")
    assert (answer.status, answer.text) == (status, body)


def test_cgi_t_a_bogus_program_is_an_error_of_the_server_with_and_without_a_body(gateway: Gateway) -> None:
    assert gateway.get("/cgi/bogus.pl").status == 502
    assert gateway.post("/cgi/bogus.pl", b"1" * 1024).status == 502


def test_cgi_t_HEAD_is_200(gateway: Gateway) -> None:
    assert gateway.request("HEAD", "/cgi/perl.pl").status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/notfound.html", "per-server 404"),
        ("/inherit/x.html", "per-server 404"),
        ("/redefine/x.html", "per-dir 404"),
    ],
)
def test_errordoc_t(gateway: Gateway, path: str, body: str) -> None:
    answer = gateway.get(path)
    assert (answer.status, answer.text) == (404, body)


def test_errordoc_t_default_restores_the_servers_own(gateway: Gateway) -> None:
    answer = gateway.get("/redefine/restore/x.html")
    assert answer.status == 404 and "Not Found" in answer.text


def test_dir_t_the_first_index_that_is_there_counts_a_URL_path_too(gateway: Gateway) -> None:
    assert gateway.get("/index/").text == "7"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("righthost", "righthost"),
        ("Righthost:123", "righthost"),
        ("128.0.0.1:123", "128.0.0.1"),
        ("[::1]:123", "[::1]"),
        ("[A::1]", "[a::1]"),
    ],
)
def test_server_name_port_t(gateway: Gateway, host: str, name: str) -> None:
    found = gateway.get("/cgi/env.pl", Host=host).text.splitlines()
    assert f"SERVER_NAME={name}" in found and f"SERVER_PORT={gateway.port}" in found


@pytest.mark.parametrize(
    "path",
    [
        "/closed/a/b/c.html",
        "//closed/a/b/c.html",
        "///closed/a/b/c.html",
        "/closed/a/b//c.html",
        "/closed/a//b/c.html",
    ],
)
def test_mergeslashes_t(gateway: Gateway, path: str) -> None:
    assert gateway.get(path).status == 403


@pytest.mark.parametrize("header", ["Hello:World", "Hello: World", "hello: \tWorld \t"])
def test_headers_t(gateway: Gateway, header: str) -> None:
    answer = gateway.raw(f"GET /cgi/env.pl HTTP/1.0\r\n{header}\r\n\r\n".encode())
    assert b"\nHTTP_HELLO=World\n" in answer
