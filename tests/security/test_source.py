"""The source of a program is never sent, whichever way its file is named."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, free_port

PROGRAM = "#!/bin/sh\n# the source\nprintf 'Content-Type: text/plain\\n\\nran %s' \"$SCRIPT_NAME\"\n"
DIRECTIVES = """
Listen 127.0.0.1:{other}
Alias /source cgi-bin
Alias /source-file cgi-bin/tool
AliasMatch ^/match/(.*)$ cgi-bin/$1
Alias /all .
ScriptAlias /single extra/single
ScriptAliasMatch ^/homes/([a-z]+)/(.*)$ homes/$1/cgi/$2
Alias /homes-files homes
CGIActivationGroup python .py
AddHandler cgi-script .cgi
AddType application/x-httpd-cgi .oldcgi
<Directory htdocs/followed>
    Options FollowSymLinks
</Directory>
<VirtualHost *:{other}>
    DocumentRoot .
</VirtualHost>
<VirtualHost *:{own}>
    ScriptAlias /private/ private/
</VirtualHost>
"""
NAMES = [
    "tool", "tool.bak", "tool~", "tool.py", "tool.py~", "tool.py.bak", ".tool.py.swp", "tool.py#", "data.json",
    "tool.cgi", "sub/tool",
]  # fmt: skip


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    files = dict.fromkeys(NAMES, PROGRAM) | {"../extra/single": PROGRAM, "../private/tool": PROGRAM}
    files |= {f"../htdocs/{name}": PROGRAM for name in NAMES if ".py" in name or ".cgi" in name}
    files |= {
        f"../htdocs/{name}": PROGRAM for name in ("a.CGI", "a.cgi.en", "a.cgi~", "a.oldcgi", "a.oldcgi.old")
    }
    files |= {"../homes/anna/cgi/tool": PROGRAM}
    other = free_port()
    gateway = serve_shared("", files)
    gateway.other = other  # type: ignore[attr-defined]
    (gateway.cgi_bin / "not-executable").write_text(PROGRAM)
    (gateway.cgi_bin / "tool.old").write_text(PROGRAM)
    (gateway.htdocs / "followed").mkdir()
    (gateway.htdocs / "followed" / "link").symlink_to(gateway.cgi_bin / "tool")
    (gateway.htdocs / "followed" / "folder").symlink_to(gateway.cgi_bin)
    gateway.configure(DIRECTIVES.format(other=other, own=gateway.port))
    gateway.reload()
    return gateway


def never(gateway: Gateway, path: str, **headers: str) -> None:
    answer = gateway.get(path, **headers)
    assert "the source" not in answer.text and answer.status in (403, 404), answer


@pytest.mark.parametrize("name", [*NAMES, "not-executable"])
@pytest.mark.parametrize("base", ["/source/", "/match/", "/all/cgi-bin/", "/followed/folder/"])
def test_nothing_in_a_folder_of_ScriptAlias_is_sent_by_another_way(
    gateway: Gateway, base: str, name: str
) -> None:
    never(gateway, base + name)


@pytest.mark.parametrize(
    "path", ["/source-file", "/followed/link", "/all/extra/single", "/homes-files/anna/cgi/tool"]
)
def test_nor_a_single_program_a_link_to_one_or_one_of_a_pattern(gateway: Gateway, path: str) -> None:
    never(gateway, path)
    assert gateway.get("/homes/anna/tool").text == "ran /homes/anna/tool"


@pytest.mark.parametrize("name", [name for name in NAMES if ".py" in name or ".cgi" in name])
def test_nor_a_file_or_copy_of_one_that_a_group_or_handler_would_run(gateway: Gateway, name: str) -> None:
    never(gateway, f"/{name}")


@pytest.mark.parametrize(
    "name", ["a.CGI", "a.cgi.en", "a.cgi~", "a.oldcgi", "a.oldcgi.old", "a.cgi%20", "a.cgi.", "a.cgi/"]
)
def test_nor_by_letter_case_further_extensions_or_trailing_characters(gateway: Gateway, name: str) -> None:
    never(gateway, f"/{name}")


def test_nor_by_a_condition_a_range_or_another_method(gateway: Gateway) -> None:
    for headers in ({"Range": "bytes=0-20"}, {"If_None_Match": "*"}, {"If_Modified_Since": "x"}):
        never(gateway, "/source/tool", **headers)
    for method in ("HEAD", "POST", "PUT", "OPTIONS", "PROPFIND", "COPY"):
        assert gateway.request(method, "/source/tool").status in (403, 404, 405)


def test_nor_by_a_virtual_host_whose_root_lies_above(gateway: Gateway) -> None:
    own, gateway.port = gateway.port, gateway.other  # type: ignore[attr-defined]
    try:
        assert gateway.get("/htdocs/followed").status in (301, 403)  # it serves from there
        for path in ("/private/tool", "/extra/single", "/homes/anna/cgi/tool"):
            never(gateway, path)
    finally:
        gateway.port = own
    assert gateway.get("/private/tool").text == "ran /private/tool"


@pytest.mark.parametrize("name", ["not-executable", "tool.old"])
def test_what_is_not_executable_below_ScriptAlias_is_neither_run_nor_sent(gateway: Gateway, name: str) -> None:
    assert gateway.get(f"/cgi-bin/{name}").status == 403
