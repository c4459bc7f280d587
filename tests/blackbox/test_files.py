"""Static files, and what is a program and what is a file (Apache's rules)."""

from __future__ import annotations

import os

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

PROGRAM = (
    '#!/bin/sh\n# the source\nprintf \'Content-Type: text/plain\\n\\nran %s %s\' "$SCRIPT_NAME" "$PATH_INFO"\n'
)
TEXT = b"0123456789" * 10
DIRECTIVES = """
ScriptAlias /one cgi-bin/single
ScriptAlias /more/ scripts/
Alias /elsewhere other
Alias /single-file other/file.txt
Alias /source cgi-bin
CGIActivationGroup python .host
AddHandler cgi-script .cgi
DirectoryIndex index.html index.cgi
<Directory htdocs/run>
    Options ExecCGI
</Directory>
<Directory htdocs/links>
    Options FollowSymLinks
</Directory>
<Location /all>
    Options ExecCGI
    SetHandler cgi-script
</Location>
<Location /all/none>
    SetHandler None
</Location>
<Directory htdocs/by-name>
    Options ExecCGI
</Directory>
<Files tool-*>
    SetHandler cgi-script
</Files>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    programs = dict.fromkeys(["single", "deep/er/tool", "../scripts/tool"], PROGRAM)
    gateway = serve_shared(DIRECTIVES, programs | {"../other/file.txt": TEXT.decode()})
    root = gateway.folder
    for path in ("htdocs/run/a.cgi", "htdocs/a.cgi", "htdocs/run/x.cgi.en", "htdocs/all/plain",
                 "htdocs/all/none/plain", "htdocs/by-name/tool-a", "htdocs/by-name/file-a", "htdocs/tool-b",
                 "htdocs/run/index.cgi", "htdocs/a.host"):  # fmt: skip
        write(root, path, PROGRAM.encode(), 0o755)
    for path in ("htdocs/text.txt", "htdocs/with/index.html", "htdocs/without/file",
                 "htdocs/run/plain.txt", "htdocs/.hidden.txt", "htdocs/page.html"):  # fmt: skip
        write(root, path, TEXT, 0o644)
    write(root, "cgi-bin/not-executable", PROGRAM.encode(), 0o644)
    write(root, "secret", b"secret", 0o644)
    for folder in ("htdocs/links", "htdocs/no-links"):
        (root / folder).mkdir()
        (root / folder / "file").symlink_to(root / "other" / "file.txt")
        (root / folder / "folder").symlink_to(root / "other")
        (root / folder / "source").symlink_to(root / "cgi-bin" / "single")
    os.mkfifo(root / "htdocs" / "fifo")
    return gateway


def write(root: os.PathLike[str], path: str, content: bytes, mode: int) -> None:
    name = os.path.join(root, path)
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as file:
        file.write(content)
    os.chmod(name, mode)


def test_a_file_has_a_type_a_length_and_validators(gateway: Gateway) -> None:
    answer = gateway.get("/text.txt")
    assert (answer.status, answer.body) == (200, TEXT)
    assert (answer.header("content-type") or "").startswith("text/plain")
    assert answer.header("content-length") == "100"
    assert answer.header("etag") and (answer.header("last-modified") or "").endswith("GMT")


def test_HEAD_is_GET_without_the_body(gateway: Gateway) -> None:
    head, get = gateway.request("HEAD", "/text.txt"), gateway.get("/text.txt")
    assert (head.status, head.body) == (200, b"")
    assert [pair for pair in head.fields if pair[0] != "date"] == [
        pair for pair in get.fields if pair[0] != "date"
    ]


@pytest.mark.parametrize(
    ("validator", "condition"), [("etag", "If-None-Match"), ("last-modified", "If-Modified-Since")]
)
def test_an_unchanged_file_is_304(gateway: Gateway, validator: str, condition: str) -> None:
    value = gateway.get("/text.txt").header(validator) or ""
    answer = gateway.get("/text.txt", **{condition: value})
    assert (answer.status, answer.body) == (304, b"")
    other = '"other"' if validator == "etag" else "Thu, 01 Jan 1970 00:00:00 GMT"
    assert gateway.get("/text.txt", **{condition: other}).status == 200


@pytest.mark.parametrize(
    ("wanted", "part", "told"),
    [("bytes=0-4", b"01234", "0-4"), ("bytes=95-", b"56789", "95-99"), ("bytes=-3", b"789", "97-99")],
)
def test_a_range_is_206(gateway: Gateway, wanted: str, part: bytes, told: str) -> None:
    answer = gateway.get("/text.txt", Range=wanted)
    assert (answer.status, answer.body, answer.header("content-range")) == (206, part, f"bytes {told}/100")


def test_a_range_beyond_the_end_is_416(gateway: Gateway) -> None:
    answer = gateway.get("/text.txt", Range="bytes=100-")
    assert (answer.status, answer.header("content-range")) == (416, "bytes */100")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405(gateway: Gateway, method: str) -> None:
    answer = gateway.request(method, "/text.txt")
    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD")


def test_a_folder_without_its_slash_is_301(gateway: Gateway) -> None:
    answer = gateway.get("/with?a=b")
    assert (answer.status, answer.header("location")) == (301, "/with/?a=b")


def test_a_folder_shows_its_index_file_or_nothing(gateway: Gateway) -> None:
    assert gateway.get("/with/").body == TEXT
    assert gateway.get("/run/").text == "ran /run/index.cgi "
    assert gateway.get("/run%2F").status == 404
    assert gateway.get("/without/").status == 403


def test_what_is_not_there_is_404(gateway: Gateway) -> None:
    assert {gateway.get(path).status for path in ("/nothing", "/with/nothing", "/cgi-bin/nothing")} == {404}


def test_a_file_takes_no_path_info(gateway: Gateway) -> None:
    assert gateway.get("/text.txt/more").status == 404
    assert gateway.get("/text.txt/").status == 404


@pytest.mark.parametrize(
    "path",
    ["/../secret", "/%2e%2e/secret", "/with/../../secret", "/with/..%2f..%2fsecret", "/..%5csecret",
     "/%2e%2e%2fsecret", "/./.%2e/secret", "//../secret", "/elsewhere/../../secret", "/text.txt%00", "/%"],
)  # fmt: skip
def test_no_path_leads_out_of_the_document_root(gateway: Gateway, path: str) -> None:
    answer = gateway.get(path)
    assert answer.status in (400, 403, 404) and answer.body != b"secret"


def test_symbolic_links_need_FollowSymLinks(gateway: Gateway) -> None:
    assert {gateway.get(f"/no-links/{path}").status for path in ("file", "folder/file.txt", "folder/")} == {403}
    assert gateway.get("/links/file").body == TEXT
    assert gateway.get("/links/folder/file.txt").body == TEXT


def test_a_fifo_is_not_opened(gateway: Gateway) -> None:
    assert gateway.get("/fifo").status == 403


def test_Alias_leads_to_a_folder_or_a_file(gateway: Gateway) -> None:
    assert gateway.get("/elsewhere/file.txt").body == TEXT
    assert gateway.get("/single-file").body == TEXT
    assert gateway.get("/elsewhere-not/file.txt").status == 404


@pytest.mark.parametrize("path", ["/source/single", "/links/source", "/a.host", "/a.cgi", "/tool-b"])
def test_the_source_of_a_program_is_never_served(gateway: Gateway, path: str) -> None:
    answer = gateway.get(path)
    assert answer.status == 403 and "the source" not in answer.text


def test_ScriptAlias_leads_to_a_folder_or_a_file(gateway: Gateway) -> None:
    assert gateway.get("/one").text == "ran /one "
    assert gateway.get("/one/info").text == "ran /one /info"
    assert gateway.get("/more/tool/a/b").text == "ran /more/tool /a/b"
    assert gateway.get("/cgi-bin/deep/er/tool/x").text == "ran /cgi-bin/deep/er/tool /x"
    assert gateway.get("/one-more").status == 404


def test_a_folder_of_programs_is_not_shown(gateway: Gateway) -> None:
    assert {gateway.get(path).status for path in ("/cgi-bin/", "/more/", "/cgi-bin/deep/")} == {403}


def test_a_program_that_is_not_executable_is_403(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/not-executable").status == 403
    gateway.wait_log("not-executable: not executable")


def test_AddHandler_runs_files_where_ExecCGI_is_on(gateway: Gateway) -> None:
    assert gateway.get("/run/a.cgi/info").text == "ran /run/a.cgi /info"
    assert gateway.get("/run/x.cgi.en").text == "ran /run/x.cgi.en "
    assert gateway.get("/run/plain.txt").body == TEXT
    gateway.get("/a.cgi")
    gateway.wait_log("a.cgi: Options ExecCGI is off")


def test_SetHandler_in_a_Location_runs_all_files(gateway: Gateway) -> None:
    assert gateway.get("/all/plain").text == "ran /all/plain "
    assert b"the source" in gateway.get("/all/none/plain").body  # None: it is a file there


def test_SetHandler_in_Files_runs_those(gateway: Gateway) -> None:
    assert gateway.get("/by-name/tool-a").text == "ran /by-name/tool-a "
    assert b"the source" in gateway.get("/by-name/file-a").body


def test_dots_and_slashes_are_resolved_in_path_info_too(gateway: Gateway) -> None:
    assert gateway.get("/one//a//b/./c/../d").text == "ran /one /a/b/d"
