"""What must not get into an access log: raw controls, credentials, handles of sessions (W3)."""

from __future__ import annotations

import json
import re

import pytest

from tests.blackbox.access_lines import entry, fields, line, with_logs
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return with_logs(serve_shared, tmp_path_factory.mktemp("users"))


# ---- nothing raw (log injection)


def test_no_value_can_begin_a_line_or_end_its_quotes(gateway: Gateway) -> None:
    agent = b'evil" 200 1 "\\\xff\xc3\xa4\x9b31m\tx'
    head = b"GET /a%%0d%%0ab%%1b[1m%%ff?%b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    head += b"User-Agent: %b\r\nReferer: /%b\r\n\r\n"
    gateway.raw(head % (b"inject-1", agent, b"\xe2\x80\xae"))
    found = line(gateway, "combined.log", "inject-1")
    assert '"/\\xe2\\x80\\xae"' in found
    assert r'"evil\" 200 1 \"\\\xff\xc3\xa4\x9b31m\tx"' in found
    assert fields(gateway, "inject-1")["U"] == r"/a\r\nb\x1b[1m\xff"


def test_json_stays_one_line_of_json(gateway: Gateway) -> None:
    agent = b'"},\\{\xff\xe2\x80\xa8\xc2\x9b'
    gateway.raw(b"GET /x%%0a%%22%%7f?inject-2 HTTP/1.0\r\nUser-Agent: %b\r\n\r\n" % agent)
    assert entry(gateway, "inject-2")["user_agent"] == '"},\\{\\xff\u2028\x9b'
    assert all(json.loads(text) for text in (gateway.folder / "logs" / "json.log").read_bytes().splitlines())


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /bad-1\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        (b"GET /bad-2 HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", "400"),
        (b"GET /bad-3 HTTP/1.1\r\nHost: x\r\nA: %b\r\n\r\n" % (b"a" * 10_000), "431"),
        (b"GET /bad-4%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 10_000), "414"),
    ],
)
def test_a_request_that_is_no_HTTP_has_its_line_too(gateway: Gateway, request_head: bytes, status: str) -> None:
    log = gateway.folder / "logs" / "common.log"
    before = log.read_text().count("\n")
    answer = gateway.raw(request_head)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    found = wait_for("the line", lambda: log.read_text().split("\n")[before:-1])
    assert len(found) == 1 and f'" {status} ' in found[0]


def test_nothing_raw_is_in_any_log(gateway: Gateway) -> None:
    for log in (gateway.folder / "logs").glob("*.log"):
        raw = log.read_bytes()
        assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw), log
        assert log.name == "error.log" or raw.isascii(), log


def test_credentials_show_their_scheme_only(serve: Serve) -> None:
    gateway = serve('CustomLog logs/a.log "%U %{Authorization}i %{Proxy-Authorization}i"')
    gateway.get("/cred-1", Authorization="Basic c2VjcmV0", Proxy_Authorization="opaque")
    assert line(gateway, "a.log", "cred-1") == "/cred-1 Basic *"


# ---- handles (W3)


def test_W3_a_living_handle_is_masked_in_URL_Referer_and_Location(gateway: Gateway) -> None:
    first = gateway.get("/cgi-bin/child?handle=@&env=HTSESSION_NEXT_HANDLE")
    handle = first.text.partition("=")[2].strip()
    url = f"/cgi-bin/child/{handle}"
    gateway.get(f"{url}/more?handle=@&echo=masks-1", Referer=f"http://h.example{url}/x?y=1")
    assert len(handle) == 32
    for log in ("combined.log", "json.log", "all.log", "vhost.log", "common.log"):
        found = line(gateway, log, "masks-1")
        assert handle not in found and f"/cgi-bin/child/{handle[:4]}.../more" in found, log
    assert f"http://h.example/cgi-bin/child/{handle[:4]}.../x?y=1" in line(gateway, "combined.log", "masks-1")


def test_W3_a_new_handle_in_Location_is_masked(gateway: Gateway) -> None:
    query = "handle=own-handle-17&status=302&header=Location:+http://h.example/cgi-bin/child/own-handle-17/&echo=loc-1"
    assert gateway.get(f"/cgi-bin/child?{query}").status == 302
    assert fields(gateway, "loc-1")["{Location}o"] == "http://h.example/cgi-bin/child/own-.../"


def test_W3_a_retired_handle_is_masked_wherever_it_comes_back(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=retired-handle&count")
    gateway.get("/cgi-bin/child/retired-handle?echo=old-0")
    assert gateway.get("/cgi-bin/child/retired-handle/x?old-1").status == 410
    gateway.get("/page.txt?old-2", Referer="/cgi-bin/child/retired-handle/x")
    for mark in ("old-0", "old-1", "old-2"):
        for log in ("combined.log", "json.log"):
            assert "retired-handle" not in line(gateway, log, mark)
    assert "/cgi-bin/child/reti.../x?old-1" in line(gateway, "combined.log", "old-1")


@pytest.mark.parametrize(
    "path",
    [
        "/cgi-bin/child/{}%2Fx",
        "/cgi-bin/child/{}%00",
        "/cgi-bin//child/./{}/",
        "/cgi-bin/child/x/../{}",
        "/%zz/{}",
    ],
)
def test_W3_a_handle_in_an_odd_path_is_masked_too(gateway: Gateway, path: str) -> None:
    gateway.get("/cgi-bin/child?handle=odd-handle-99&count")
    mark = f"odd-{sum(path.encode())}"
    gateway.raw(
        f"GET {path.format('odd%2dhandle-99')}?handle=odd-handle-99&echo={mark} HTTP/1.0\r\n\r\n".encode()
    )
    shown = line(gateway, "combined.log", mark).partition("?")[0]
    assert "odd-handle" not in shown and "odd%2dhandle" not in shown and "odd-..." in shown


def test_json_says_what_became_of_the_session(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=json-handle&echo=state-1")
    gateway.get("/cgi-bin/child/json-handle?handle=json-handle&echo=state-2")
    gateway.get("/cgi-bin/child/json-handle?echo=state-3")
    gateway.get("/cgi-bin/child/json-handle?state-4")
    states = ["started", "continued", "ended", "ended"]
    for number, state in enumerate(states, 1):
        found = entry(gateway, f"state-{number}")
        assert (found["session"], found["session_state"]) == ("json...", state)
    assert entry(gateway, "state-4")["status"] == 410 and entry(gateway, "state-3")["status"] == 200
