"""Where URL paths lead: AliasMatch, ScriptAliasMatch, Redirect, types, indexes and links."""

from __future__ import annotations

import os

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway

PROGRAM = "#!/bin/sh\n# the source\nprintf 'Content-Type: text/plain\\n\\n'\nexec env\n"
DIRECTIVES = """
ServerAdmin webmaster@example.org
Alias /docs/ other/
AliasMatch ^/ali([0-9])$ htdocs/numbers/$1.txt
AliasMatch ^/dots/(.*)x(.*)$ other/sub/$1.$2
AliasMatch ^/docs/(.*)$ htdocs/$1
ScriptAliasMatch ^/git/(.*)$ backends/tool/$1
ScriptAliasMatch ^/old/([0-9]+)$ backends/tool/item/$1
ScriptAliasMatch ^/~([a-z]+)/cgi/(.*)$ homes/$1/cgi/$2
ScriptAliasMatch ^/keep(/.*|)$ backends/child$1
Redirect permanent /perm /docs/file.txt
RedirectPermanent /perm2 https://new.example
Redirect /temp https://new.example/base
RedirectTemp /temp2 /docs
Redirect seeother /see /docs/file.txt
Redirect gone /gone
Redirect 503 /closed
RedirectMatch ^/p([0-9])$ /ali$1
RedirectMatch 404 /[.]git(/|$)
<Location /locked>
    Require all denied
    Redirect permanent /locked/inner https://inner.example/
</Location>
Redirect permanent /locked/outer https://outer.example/
<Location /moved>
    Redirect 308 https://all.example/here
</Location>
AddType text/x-own .own
AddType application/x-httpd-cgi .oldcgi
AddHandler cgi-script .run
<Directory htdocs/run>
    Options ExecCGI
    RemoveHandler .run
</Directory>
<Directory htdocs/types>
    RemoveType .own
</Directory>
<Files forced>
    ForceType text/x-forced
</Files>
<Directory htdocs/index>
    DirectoryIndex missing.html /nothing/there /cgi-bin/env
</Directory>
<Directory htdocs/info>
    DirectoryIndex /cgi-bin/env/from/the/index
</Directory>
<Directory htdocs/circle>
    DirectoryIndex / /circle/ file.txt
</Directory>
<Directory htdocs/owner>
    Options SymLinksIfOwnerMatch
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    scripts = "env ../backends/tool ../homes/anna/cgi/tool ../htdocs/run/a.oldcgi ../htdocs/run/b.run"
    programs = dict.fromkeys(scripts.split(), PROGRAM)
    programs |= {f"../htdocs/numbers/{number}.txt": f"number {number}" for number in range(3)}
    served = "file.txt a.own a.own.en a.oldcgi types/a.own forced index/x info/x circle/file.txt owner/file.txt"
    programs |= {f"../htdocs/{name}": "a file" for name in served.split()}
    programs |= {"../other/file.txt": "a file", "../other/sub/x": "a file"}
    gateway = serve_shared(DIRECTIVES, programs | {"../backends/child": CHILD_TEXT})
    owner = gateway.htdocs / "owner"
    (owner / "same").symlink_to(owner / "file.txt")
    (owner / "broken").symlink_to(owner / "nowhere")
    if os.geteuid() == 0:
        (owner / "other").symlink_to(owner / "file.txt")
        os.lchown(owner / "other", 65534, 65534)
    else:
        (owner / "other").symlink_to("/etc/passwd")
    return gateway


def environ(gateway: Gateway, path: str) -> dict[str, str]:
    answer = gateway.get(path)
    assert answer.status == 200, answer
    return dict(line.split("=", 1) for line in answer.text.splitlines() if "=" in line)


def test_SERVER_ADMIN_is_told(gateway: Gateway) -> None:
    assert environ(gateway, "/cgi-bin/env")["SERVER_ADMIN"] == "webmaster@example.org"


def test_CONTEXT_PREFIX_and_CONTEXT_DOCUMENT_ROOT_are_those_of_the_alias(gateway: Gateway) -> None:
    found = environ(gateway, "/cgi-bin/env")
    assert found["CONTEXT_PREFIX"] == "/cgi-bin/" and found["CONTEXT_DOCUMENT_ROOT"] == f"{gateway.cgi_bin}/"
    found = environ(gateway, "/git/x")
    assert (found["CONTEXT_PREFIX"], found["CONTEXT_DOCUMENT_ROOT"]) == ("", str(gateway.htdocs))


@pytest.mark.parametrize("number", range(3))
def test_AliasMatch_puts_what_matched_into_the_path(gateway: Gateway, number: int) -> None:
    assert gateway.get(f"/ali{number}").text == f"number {number}"


def test_a_plain_alias_goes_before_a_pattern(gateway: Gateway) -> None:
    assert environ(gateway, "/cgi-bin/env/docs/x")["PATH_TRANSLATED"] == f"{gateway.folder}/other/x"


@pytest.mark.parametrize("path", ["/dots/.x/file.txt", "/dots/.x", "/dots/x./file.txt"])
def test_a_pattern_cannot_make_dot_segments(gateway: Gateway, path: str) -> None:
    assert gateway.get(path).status == 404


@pytest.mark.parametrize(
    ("path", "name", "info"),
    [
        ("/git/repo/info/refs", "/git", "/repo/info/refs"),
        ("/git/", "/git", "/"),
        ("/old/42", "/old", "/item/42"),
        ("/~anna/cgi/tool/x", "/~anna/cgi/tool", "/x"),
    ],
)
def test_ScriptAliasMatch_has_the_path_info_that_follows_the_file(
    gateway: Gateway, path: str, name: str, info: str
) -> None:
    found = environ(gateway, path)
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == (name, info)


def test_ScriptAliasMatch_without_a_program_is_404(gateway: Gateway) -> None:
    assert {gateway.get(path).status for path in ("/~nobody/cgi/tool", "/~anna/cgi/none")} == {404}


def test_a_session_below_a_ScriptAliasMatch_outlives_a_reload(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle, program="/keep")
    gateway.reload()
    assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=2 ")


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/perm", 301, "/docs/file.txt"),
        ("/perm2/a%20b?q=1", 301, "https://new.example/a%20b?q=1"),
        ("/temp/x", 302, "https://new.example/base/x"),
        ("/temp2/file.txt?a%26b", 302, "/docs/file.txt?a%26b"),
        ("/see", 303, "/docs/file.txt"),
        ("/p1", 302, "/ali1"),
        ("/moved/anything", 308, "https://all.example/here"),
    ],
)
def test_Redirect_sends_the_client_elsewhere(gateway: Gateway, path: str, status: int, location: str) -> None:
    answer = gateway.get(path)
    assert (answer.status, answer.header("location")) == (status, location)


@pytest.mark.parametrize(("path", "status"), [("/gone/x", 410), ("/closed", 503), ("/a/.git/config", 404)])
def test_Redirect_with_another_status_is_an_answer_of_the_gateways_own(
    gateway: Gateway, path: str, status: int
) -> None:
    answer = gateway.get(path)
    assert (answer.status, answer.header("location")) == (status, None)


def test_a_Redirect_of_the_server_goes_before_access_and_one_of_a_section_behind(gateway: Gateway) -> None:
    assert gateway.get("/locked/outer").header("location") == "https://outer.example/"
    assert gateway.get("/locked/inner").status == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost", ""])
def test_redirects_never_take_the_clients_word_for_this_servers_name(gateway: Gateway, host: str) -> None:
    for path in ("/index?a", "/perm", "/temp2/x"):
        location = gateway.get(path, Host=host).header("location") or ""
        assert location.startswith("/") and not location.startswith("//")


def test_AddType_and_ForceType_name_the_type(gateway: Gateway) -> None:
    for path, kind in [("/a.own", "text/x-own"), ("/a.own.en", "text/x-own"), ("/forced", "text/x-forced")]:
        assert gateway.get(path).header("content-type") == kind
    assert gateway.get("/types/a.own").header("content-type") != "text/x-own"


def test_AddType_x_httpd_cgi_makes_programs_as_in_old_files(gateway: Gateway) -> None:
    assert environ(gateway, "/run/a.oldcgi/info")["PATH_INFO"] == "/info"
    assert gateway.get("/a.oldcgi").status == 403  # without ExecCGI


def test_RemoveHandler_makes_files_of_programs(gateway: Gateway) -> None:
    assert "the source" in gateway.get("/run/b.run").text


def test_an_index_may_be_a_URL_path_of_a_program(gateway: Gateway) -> None:
    found = environ(gateway, "/index/?k=v")
    assert (found["SCRIPT_NAME"], found["QUERY_STRING"]) == ("/cgi-bin/env", "k=v")
    assert found["REQUEST_URI"] == "/index/?k=v" and "PATH_INFO" not in found


def test_an_index_may_have_path_info(gateway: Gateway) -> None:
    found = environ(gateway, "/info/")
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/cgi-bin/env", "/from/the/index")


def test_a_folder_is_no_index(gateway: Gateway) -> None:
    assert gateway.get("/circle/").text == "a file"


def test_SymLinksIfOwnerMatch_follows_links_whose_owner_owns_the_target(gateway: Gateway) -> None:
    assert gateway.get("/owner/same").text == "a file"
    assert gateway.get("/owner/other").status == 403
    assert gateway.get("/owner/broken").status in (403, 404)
