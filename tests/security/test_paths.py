"""No path leads out of what is served, whatever way it is written."""

from __future__ import annotations

import http.client

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, Gateway

SECRET = "not to be read"
UPWARDS = r"""
.. %2e%2e %2E%2e .%2e %2e. %252e%252e %25%32%65%25%32%65 ..%00 ..%20 ..%09 ... ..; ..;a=b ..%3b ..\ ..%5c
%c0%ae%c0%ae %c0%2e%c0%2e %e0%80%ae%e0%80%ae %f0%80%80%ae %u002e%u002e %ef%bc%8e%ef%bc%8e ..%ef%bc%8f ..%c0%af
..%c1%9c ..%2f ..%2F ..%252f %2e%2e%2f %2e%2e%5c ./.. .//.. ..// %2f.. ..%2f.
"""
DIRECTIVES = """
Alias /elsewhere other
Alias /slashed/ other/
AliasMatch ^/match/(.*)$ other/$1
<Directory htdocs/followed>
    Options FollowSymLinks
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES, {"../other/sub/file.txt": "a file", "../other/file.txt": "a file"})
    (gateway.folder / "secret.txt").write_text(SECRET)
    (gateway.folder / "other-secret").mkdir()
    (gateway.folder / "other-secret" / "secret.txt").write_text(SECRET)
    for folder in ("sub", "links", "followed"):
        (gateway.htdocs / folder).mkdir()
    (gateway.htdocs / "sub" / "file.txt").write_text("a file")
    for folder in ("links", "followed"):
        (gateway.htdocs / folder / "file").symlink_to(gateway.folder / "secret.txt")
        (gateway.htdocs / folder / "folder").symlink_to(gateway.folder)
    for name in ("what?.txt", "100%.txt", "a;b.txt", "a\\b.txt", "dot.", "blank ", "a#b", "%2e%2e", "..."):
        (gateway.htdocs / name).write_text(f"named {name}")
    return gateway


def refused(gateway: Gateway, *paths: str) -> None:
    """None of these leads to the secret. All are asked for on one connection; it may be closed in between."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=BOUND)
    for path in paths:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        assert response.status in (400, 403, 404) and SECRET.encode() not in body, (path, response.status)
    connection.close()


@pytest.mark.parametrize("up", UPWARDS.split())
def test_no_spelling_of_the_folder_above_leads_out(gateway: Gateway, up: str) -> None:
    bases = ("", "/sub", "/sub/", "/elsewhere", "/elsewhere/sub", "/slashed", "/match", "/cgi-bin")
    refused(gateway, *(f"{base}/{'/'.join([up] * times)}/secret.txt" for base in bases for times in (1, 2)))


@pytest.mark.parametrize(
    "path", ["/elsewhere-secret/secret.txt", "/elsewhere..%2fsecret.txt", "/slashed../secret.txt"]
)
def test_an_alias_ends_at_its_slash(gateway: Gateway, path: str) -> None:
    refused(gateway, path)


@pytest.mark.parametrize(
    "path", ["/sub/file.txt%00", "/sub/file.txt%00.html", "/%00", "/sub%00/file.txt", "/cgi-bin/child%00"]
)
def test_NUL_names_nothing(gateway: Gateway, path: str) -> None:
    assert gateway.get(path).status == 404


@pytest.mark.parametrize(
    "tail", [".", "%20", "/", "//", "/.", "::$DATA", ":$DATA", "%2e", "%5c", "\\", "~", "%0a", "%3f"]
)
def test_trailing_characters_do_not_name_the_same_file(gateway: Gateway, tail: str) -> None:
    refused(gateway, f"/sub/file.txt{tail}")


@pytest.mark.parametrize(
    "path", ["/SUB/file.txt", "/sub/FILE.txt", "/sub/file.TXT", "/CGI-BIN/child", "/cgi-bin/Child"]
)
def test_letter_case_counts(gateway: Gateway, path: str) -> None:
    refused(gateway, path)


@pytest.mark.parametrize("path", ["/links/file", "/links/folder/secret.txt", "/links/folder/", "/links/folder"])
def test_a_link_out_of_the_root_needs_FollowSymLinks(gateway: Gateway, path: str) -> None:
    refused(gateway, path)
    assert gateway.get("/followed/file").text == SECRET  # it was there to be had


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("what%3f.txt", "what?.txt"),
        ("100%25.txt", "100%.txt"),
        ("a;b.txt", "a;b.txt"),
        ("a%5cb.txt", "a\\b.txt"),
        ("dot.", "dot."),
        ("blank%20", "blank "),
        ("a%23b", "a#b"),
        ("%252e%252e", "%2e%2e"),
        ("...", "..."),
    ],
)
def test_unusual_names_are_found_by_their_encoding_decoded_once(gateway: Gateway, path: str, name: str) -> None:
    assert gateway.get(f"/{path}").text == f"named {name}"


@pytest.mark.parametrize(
    "path", ["/cgi-bin//child", "//cgi-bin/child", "/cgi-bin/./child", "/x/../cgi-bin/child"]
)
def test_slashes_and_dots_lead_to_the_same_program_under_the_same_name(gateway: Gateway, path: str) -> None:
    assert gateway.get(f"{path}?env=SCRIPT_NAME").text == "SCRIPT_NAME=/cgi-bin/child\n"


def test_an_encoded_slash_never_divides_the_name_of_a_program(gateway: Gateway) -> None:
    assert {gateway.get(path).status for path in ("/cgi-bin%2fchild", "/cgi-bin/child%2finfo")} == {404}
    assert gateway.get("/cgi-bin/child/a%2fb?env=PATH_INFO").text == "PATH_INFO=/a/b\n"
