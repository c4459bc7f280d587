"""AcceptPathInfo, and where path info leads (PATH_TRANSLATED)."""

from __future__ import annotations

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for

INFO = '#!/bin/sh\nprintf \'Content-Type: text/plain\\n\\n%s|%s\' "$PATH_INFO" "$PATH_TRANSLATED"\n'
DIRECTIVES = """
Alias /elsewhere/ other/
AliasMatch ^/pattern/(.*)$ other/deep/$1
<Location /cgi-bin/off>
    AcceptPathInfo Off
</Location>
<Files child>
    AcceptPathInfo Off
</Files>
<Location /on>
    AcceptPathInfo On
</Location>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(
        DIRECTIVES, {"info": INFO, "off/info": INFO, "../other/deep/file.txt": "a file", "../other/f": "a file"}
    )
    for folder in ("on", "usual"):
        (gateway.htdocs / folder).mkdir()
        (gateway.htdocs / folder / "page.txt").write_text("a page")
    return gateway


def test_Default_programs_take_path_info_and_files_do_not(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/info/a/b").text.startswith("/a/b|")
    assert gateway.get("/usual/page.txt/a").status == 404


def test_Off_is_404_for_path_info_only(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/off/info").status == 200
    assert gateway.get("/cgi-bin/off/info/a").status == 404
    assert gateway.get("/cgi-bin/off/info/").status == 404


def test_Off_leaves_living_sessions_and_retired_handles_alone(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=2 ")
    gateway.get(f"{url}?echo=bye")
    wait_for("the end", lambda: gateway.get(url).status == 410)
    assert gateway.get("/cgi-bin/child/never-issued?echo=x").status == 404


def test_On_files_take_path_info_too(gateway: Gateway) -> None:
    assert gateway.get("/on/page.txt/a/b").text == "a page"


@pytest.mark.parametrize(
    ("info", "translated"),
    [
        ("/a/b", "htdocs/a/b"),
        ("/elsewhere/x", "other/x"),
        ("/pattern/x", "other/deep/x"),
        ("/cgi-bin/x", "cgi-bin/x"),
    ],
)
def test_PATH_TRANSLATED_is_the_path_info_as_a_URL_of_this_server(
    gateway: Gateway, info: str, translated: str
) -> None:
    assert gateway.get(f"/cgi-bin/info{info}").text == f"{info}|{gateway.folder}/{translated}"


def test_encoded_path_info_is_decoded_once(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/info/a%252fb%20c").text.startswith("/a%2fb c|")
    assert gateway.get("/cgi-bin/info/a//b/./c/../d/").text.startswith("/a/b/d/|")


def test_a_folder_takes_no_path_info(gateway: Gateway) -> None:
    assert gateway.get("/usual/nothing/more").status == 404
