"""Which request reaches which session, and with which variables (spec 1, R1 to R3, R8, R9, H10)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Answer, Gateway

DIRECTIVES = """
PersistentCGITimeout 90
MaxPersistentCGITimeout 120
MaxPersistentCGI 200
ScriptAlias /one cgi-bin/child
ScriptAlias /two cgi-bin/child
LimitRequestBody 8
<Location /cgi-bin/child/sectioned>
    SetEnv WHERE section
    LimitRequestBody 4
</Location>
<LocationMatch "^/cgi-bin/child/[^/]+/big">
    SetEnv WHERE match
    LimitRequestBody 16
</LocationMatch>
<VirtualHost 127.0.0.1:*>
    ServerName first.example
    ScriptAlias /cgi-bin/ cgi-bin/
</VirtualHost>
<VirtualHost 127.0.0.1:*>
    ServerName second.example
    ScriptAlias /cgi-bin/ cgi-bin/
</VirtualHost>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(DIRECTIVES)


def _variables(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer
    return dict(line.split("=", 1) for line in answer.text.splitlines())


def _session_variables(answer: Answer) -> dict[str, str]:
    """HTSESSION_ variables whose values are known beforehand, and PATH_INFO and SCRIPT_NAME."""
    unknown = ("HTSESSION_END", "HTSESSION_FD", "HTSESSION_LIB", "HTSESSION_NEXT_HANDLE")
    found = {name: value for name, value in _variables(answer).items() if name not in unknown}
    return {
        name: value
        for name, value in found.items()
        if name.startswith("HTSESSION_") or name in ("PATH_INFO", "SCRIPT_NAME")
    }


@pytest.mark.parametrize(
    "written", ["h{0}", "%68{0}", "h{0}/", "h{0}/rest", "./h{0}", "/h{0}", "x/../h{0}//rest/."]
)
def test_R1_the_segment_is_compared_after_one_decoding(gateway: Gateway, written: str) -> None:
    name = new_handle()
    start_session(gateway, f"h{name}")
    answer = gateway.get(f"/cgi-bin/child/{written.format(name)}?handle=h{name}&count")
    assert answer.text.startswith("count=2 ")


@pytest.mark.parametrize(
    "written",
    ["H{0}", "h{0}x", "h{0}%2F", "h{0}%2Frest", "h{0}%5C", "%2568{0}", "rest/h{0}", "h{0};a=1", "h{0}%20"],
)
def test_R1_anything_else_is_not_the_handle(gateway: Gateway, written: str) -> None:
    name = new_handle()
    url = start_session(gateway, f"h{name}")
    answer = gateway.get(f"/cgi-bin/child/{written.format(name)}?count")
    assert (answer.status, answer.text.split()[0]) == (200, "count=1")
    assert gateway.get(f"{url}?count").text.startswith("count=2 ")


def test_R1_an_encoded_NUL_never_matches(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    assert gateway.get(f"{url}%00").status == 404
    assert gateway.get(f"{url}?count").text.startswith("count=2 ")


def test_R2_two_aliases_of_one_file_are_two_names(gateway: Gateway) -> None:
    handle = new_handle()
    one = start_session(gateway, handle, program="/one")
    two = start_session(gateway, handle, program="/two")
    pids = set()
    for url in (one, two):
        pids.add(gateway.get(f"{url}?handle={handle}&count").text)
        assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=3 ")
    assert len(pids) == 2
    assert gateway.get(f"/cgi-bin/child/{handle}?count").text.startswith("count=1 ")


def test_R2_each_virtual_host_has_its_own_names(gateway: Gateway) -> None:
    handle = new_handle()
    for host in ("first.example", "second.example"):
        first = gateway.get(f"/cgi-bin/child/{handle}?env=HTSESSION_HANDLE", Host=host)
        assert first.text == "HTSESSION_HANDLE=<absent>\n"
        assert gateway.get(f"/cgi-bin/child?handle={handle}&count", Host=host).text.startswith("count=1 ")
    for host in ("first.example", "second.example"):
        answer = gateway.get(f"/cgi-bin/child/{handle}?handle={handle}&count", Host=host)
        assert answer.text.startswith("count=2 ")


@pytest.mark.parametrize("path", ["/never-issued", "/never-issued/a//b/../c/", "/a%20b/%C3%A4", "/x%2Fy"])
def test_R3_an_unknown_segment_is_path_info_of_a_fresh_start(gateway: Gateway, path: str) -> None:
    answer = gateway.get(f"/cgi-bin/child{path}?count&env=PATH_INFO&env=HTSESSION_HANDLE")
    info = {"/never-issued/a//b/../c/": "/never-issued/a/c/", "/a%20b/%C3%A4": "/a b/ä", "/x%2Fy": "/x/y"}
    count, path_info, handle = answer.text.splitlines()
    assert count.startswith("count=1 ")
    assert (path_info, handle) == (f"PATH_INFO={info.get(path, path)}", "HTSESSION_HANDLE=<absent>")


@pytest.mark.parametrize("written", ["{0}", "{0}/rest", "%68{1}"])
def test_R3_a_first_response_cannot_have_the_handle_of_its_own_url(gateway: Gateway, written: str) -> None:
    handle = f"h{new_handle()}"
    path = "/cgi-bin/child/" + written.format(handle, handle[1:])
    before = gateway.log.count("HTS004 the handle of its own URL")
    for _ in range(2):
        assert gateway.get(f"{path}?handle={handle}&count").text.startswith("count=1 ")
    assert gateway.log.count("HTS004 the handle of its own URL") == before + 2


def test_R8_the_variables_of_a_fresh_start(gateway: Gateway) -> None:
    assert _session_variables(gateway.get("/cgi-bin/child?environ")) == {
        "SCRIPT_NAME": "/cgi-bin/child",
        "HTSESSION_TIMEOUT": "90",
        "HTSESSION_MAX_TIMEOUT": "120",
    }


@pytest.mark.parametrize(
    ("rest", "decoded"), [("", ""), ("/", "/"), ("/a/b", "/a/b"), ("/a%20b/", "/a b/"), ("/%C3%A4%2Fb", "/ä/b")]
)
def test_R8_the_variables_of_a_session(gateway: Gateway, rest: str, decoded: str) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    answer = gateway.get(f"{url}{rest}?environ")
    assert _session_variables(answer) == {
        "SCRIPT_NAME": "/cgi-bin/child",
        "PATH_INFO": f"/{handle}{decoded}",
        "HTSESSION_HANDLE": handle,
        "HTSESSION_PATH_INFO": decoded,
        "HTSESSION_TIMEOUT": "90",
        "HTSESSION_MAX_TIMEOUT": "120",
    }


def test_R8_the_path_translated_of_a_session(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    translated = _variables(gateway.get(f"{url}/rest?environ"))["PATH_TRANSLATED"]
    assert translated == f"{gateway.htdocs}{url.removeprefix('/cgi-bin/child')}/rest"


def test_R9_location_sections_match_the_full_url_of_a_session(gateway: Gateway) -> None:
    query = "stay&handle=sectioned&env=WHERE"
    assert gateway.get(f"/cgi-bin/child?{query}").text == "WHERE=<absent>\n"
    for path, where in (("", "section"), ("/rest", "section"), ("/big", "match"), ("/big/er", "match")):
        assert gateway.get(f"/cgi-bin/child/sectioned{path}?{query}").text == f"WHERE={where}\n"
    own = new_handle()
    other = start_session(gateway, own)
    assert gateway.get(f"{other}?handle={own}&env=WHERE").text == "WHERE=<absent>\n"


def test_R9_a_limit_of_the_full_url_holds_and_leaves_the_session_alone(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    again = f"?handle={handle}&body"
    assert gateway.post(f"{url}/big{again}", b"0123456789abcdef").text == "0123456789abcdef"
    assert gateway.post(f"{url}{again}", b"0123456789").status == 413
    assert gateway.post(f"{url}/big{again}", b"0123456789abcdef+").status == 413
    assert gateway.post(f"{url}{again}", b"01234567").text == "01234567"
    assert gateway.get(f"{url}?count").text.startswith("count=4 ")


def test_H10_an_nph_program_cannot_persist(gateway: Gateway) -> None:
    gateway.program("nph-child", CHILD_TEXT)
    handle = new_handle()
    head = quote(f"HTTP/1.1 200 Fine\r\nAccept-HTSession: {handle}\r\nHTTimeout: 3\r\nX-Own: yes\r\n\r\nbody")
    for _ in range(2):
        answer = gateway.get(f"/cgi-bin/nph-child?raw={head}")
        assert (answer.status, answer.header("x-own"), answer.text) == (200, "yes", "body")
        assert not [name for name, _ in answer.fields if name in ("accept-htsession", "httimeout")]
    assert gateway.get(f"/cgi-bin/nph-child/{handle}?raw={quote('HTTP/1.1 200 OK')}%0A%0Afresh").text == "fresh"
    assert gateway.log.count("HTS010 an NPH program cannot persist: /cgi-bin/nph-child") == 1
