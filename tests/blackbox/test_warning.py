"""PersistentCGIWarning: which pages get the script, and what its requests do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Answer, Gateway, wait_for

pytestmark = pytest.mark.running

CGI = "/cgi-bin/child"
HTML = "header=Content-Type:+text/html;+charset%3Dutf-8"
PAGE = "echo=<body><p>page</p>&echo=</body></html>"
SCRIPT = re.compile(
    rb'<script data-session="([^"]+)" data-left="([^"]+)" data-warning="([^"]+)">.*?</script>\n', re.S
)
SHORT, MOST = 1.0, 2.5  # seconds
DIRECTIVES = f"""
PersistentCGITimeout 90
PersistentCGIWarning 20
<Location /cgi-bin/off>
  PersistentCGIWarning 0
</Location>
<Directory cgi-bin/fresh>
  PersistentCGIExpired fresh
</Directory>
<Directory cgi-bin/short>
  PersistentCGITimeout {SHORT:g}s
  MaxPersistentCGITimeout {MOST * 1000:g}ms
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = write_users(tmp_path_factory.mktemp("users") / "users", "alice", "bob")
    own = f"<Location /cgi-bin/own>\n{guarded(users)}</Location>\n"
    gateway = serve_shared(DIRECTIVES + own)
    for name in ("off/run", "short/run", "own", "fresh/run"):
        gateway.program(name, (gateway.cgi_bin / "child").read_text())
    return gateway


def stay(gateway: Gateway, url: str, wish: str = "stay", **headers: str) -> Answer:
    return gateway.request("POST", url, b"", {"X-HTSession-Stay": wish, **headers})


def seconds(answer: Answer) -> float:
    assert (answer.status, answer.body) == (204, b""), answer
    return float(answer.header("x-htsession-left") or "")


def without_script(answer: Answer) -> bytes:
    """The page as the program wrote it; it must hold the script once."""
    text, count = SCRIPT.subn(b"", answer.body)
    assert count == 1, answer.body
    return text


def test_a_sessions_page_gets_the_script_before_the_end_of_its_body_and_is_otherwise_unchanged(
    gateway: Gateway,
) -> None:
    handle = new_handle()
    answer = gateway.get(f"{CGI}?handle={handle}&{HTML}&{PAGE}")
    assert without_script(answer) == b"<body><p>page</p></body></html>"
    assert answer.body.endswith(b"</script>\n</body></html>")
    assert answer.header("content-length") in (None, str(len(answer.body)))
    found = SCRIPT.search(answer.body)
    assert found
    assert found.groups() == (f"{CGI}/{handle}".encode(), b"90", b"20")
    again = gateway.get(f"{CGI}/{handle}?handle={handle}&{HTML}&{PAGE}")
    assert without_script(again) == b"<body><p>page</p></body></html>"


@pytest.mark.parametrize("length", [len(b"<p>page"), None])
def test_a_page_without_an_end_of_its_body_gets_it_at_its_end_and_the_right_length(
    gateway: Gateway, length: int | None
) -> None:
    said = "" if length is None else f"&header=Content-Length:+{length}"
    answer = gateway.get(f"{CGI}?handle={new_handle()}&{HTML}{said}&echo=<p>page")
    assert answer.whole
    assert answer.body.startswith(b"<p>page<script ")
    assert without_script(answer) == b"<p>page"


@pytest.mark.parametrize(
    "query",
    [
        f"{HTML}&{PAGE}",  # no session
        f"handle=HANDLE&{PAGE}",  # text/plain
        f"handle=HANDLE&header=Content-Type:+application/xhtml%2Bxml&{PAGE}",
        f"handle=HANDLE&{HTML}&header=Content-Encoding:+x-own&{PAGE}",
        f"handle=HANDLE&{HTML}&status=206&{PAGE}",
        f"handle=HANDLE&{HTML}&status=302&header=Location:+/elsewhere&{PAGE}",
    ],
)
def test_what_is_not_a_sessions_html_page_is_never_touched(gateway: Gateway, query: str) -> None:
    answer = gateway.get(f"{CGI}?{query.replace('HANDLE', new_handle())}")
    assert answer.body == b"<body><p>page</p></body></html>"


@pytest.mark.parametrize("status", [201, 404, 422, 500])
def test_a_page_that_asks_to_try_again_is_a_page_too(gateway: Gateway, status: int) -> None:
    answer = gateway.get(f"{CGI}?handle={new_handle()}&{HTML}&status={status}&{PAGE}")
    assert answer.status == status
    assert without_script(answer) == b"<body><p>page</p></body></html>"


@pytest.mark.parametrize(
    ("asks", "gets"), [("empty", 0), ("embed", 0), ("document", 1), ("iframe", 1), ("frame", 1)]
)
def test_what_a_script_of_a_page_fetches_is_no_page(gateway: Gateway, asks: str, gets: int) -> None:
    headers = {"Sec-Fetch-Dest": asks}
    answer = gateway.get(f"{CGI}?handle={new_handle()}&{HTML}&echo=<p>a+part</p>", **headers)
    assert (answer.body.startswith(b"<p>a part</p>"), answer.body.count(b"<script")) == (True, gets)


def test_nothing_is_touched_where_the_directive_is_off(gateway: Gateway) -> None:
    handle = new_handle()
    assert (
        gateway.get(f"/cgi-bin/off/run?handle={handle}&{HTML}&{PAGE}").body
        == b"<body><p>page</p></body></html>"
    )
    answer = stay(gateway, f"/cgi-bin/off/run/{handle}?env=HTTP_X_HTSESSION_STAY&handle={handle}")
    assert answer.text == "HTTP_X_HTSESSION_STAY=stay\n"  # the program's own business


def test_a_page_that_streams_still_does(gateway: Gateway, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with gateway.connect() as sock:
        target = f"{CGI}?handle={new_handle()}&{HTML}&echo=<p>first&flush&wait={go}&echo=<p>second</body>"
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while b"<p>first" not in data:
            data += sock.recv(65536)
        assert b"<script" not in data
        go.touch()
        while piece := sock.recv(65536):
            data += piece
    assert b"<p>second<script" in data.replace(b"\r\n", b"")
    assert data.endswith(b"\r\n0\r\n\r\n")


def test_the_clock_is_reset_without_a_call_of_the_program_up_to_MaxPersistentCGITimeout_in_all(
    gateway: Gateway,
) -> None:
    handle, began = new_handle(), time.monotonic()
    assert gateway.get(f"/cgi-bin/short/run?handle={handle}&count").number("count") == 1
    url = f"/cgi-bin/short/run/{handle}"
    assert gateway.get(f"{url}?handle={handle}&count").number("count") == 2  # the next would be 3

    def over() -> bool:
        answer = stay(gateway, url)
        assert answer.status == 410 or seconds(answer) <= SHORT
        return answer.status == 410

    wait_for("the session's end", over)
    assert time.monotonic() - began > MOST
    assert gateway.reason(url) == "timed-out"


@pytest.mark.parametrize("move", [Gateway.reload, Gateway.kill_front])
def test_another_front_does_not_begin_MaxPersistentCGITimeout_anew(
    serve: Serve, move: Callable[[Gateway], None]
) -> None:
    gateway = serve("PersistentCGITimeout 30\nMaxPersistentCGITimeout 32\nPersistentCGIWarning 1\n")
    url = f"{CGI}/{(handle := new_handle())}"
    assert gateway.get(f"{CGI}?handle={handle}&count").number("count") == 1
    end = time.monotonic() + 32.5  # half a second for the way back
    wait_for("less time to be left", lambda: seconds(stay(gateway, url, "look")) < 28)
    for _ in range(3):
        before = time.monotonic()
        assert before + seconds(stay(gateway, url)) <= end
        move(gateway)
    assert seconds(stay(gateway, url, "look")) > 0


def test_a_page_whose_session_is_over_starts_nothing(gateway: Gateway) -> None:
    handle, url = new_handle(), "/cgi-bin/fresh/run"
    gateway.get(f"{url}?handle={handle}&count")
    gateway.get(f"{url}/{handle}")  # asks for no handle: it ends
    assert stay(gateway, f"{url}/{handle}?count").status == 410
    assert stay(gateway, f"{url}/forgotten?count").status == 410
    assert gateway.get(f"{url}/{handle}?count").number("count") == 1


def test_to_look_changes_nothing(gateway: Gateway) -> None:
    handle = new_handle()
    gateway.get(f"{CGI}?handle={handle}&timeout=2&count")
    url = f"{CGI}/{handle}"
    assert seconds(stay(gateway, url, "look")) <= 120
    wait_for("less time to be left", lambda: seconds(stay(gateway, url, "look")) < 119)
    assert gateway.get(f"{url}?handle={handle}&count").number("count") == 2


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_page_of_another_origin_cannot_ask(gateway: Gateway, site: str) -> None:
    handle = new_handle()
    gateway.get(f"{CGI}?handle={handle}&count")
    assert stay(gateway, f"{CGI}/{handle}", **{"Sec-Fetch-Site": site}).status == 403
    assert seconds(stay(gateway, f"{CGI}/{handle}", **{"Sec-Fetch-Site": "same-origin"})) > 0


def test_W1_another_user_cannot_ask(gateway: Gateway) -> None:
    handle, url = new_handle(), "/cgi-bin/own"
    assert gateway.get(f"{url}?handle={handle}&count", Authorization=basic("alice")).number("count") == 1
    assert stay(gateway, f"{url}/{handle}", Authorization=basic("bob")).status == 403
    assert stay(gateway, f"{url}/{handle}").status == 401
    assert seconds(stay(gateway, f"{url}/{handle}", Authorization=basic("alice"))) > 0


def test_HEAD_gets_no_script(gateway: Gateway) -> None:
    handle = new_handle()
    gateway.get(f"{CGI}?handle={handle}&count")
    answer = gateway.request(
        "HEAD", f"{CGI}/{handle}?handle={handle}&{HTML}&header=Content-Length:+7&echo=<p>page"
    )
    assert (answer.body, answer.header("content-length")) == (b"", "7")
