"""What takes the session lane, as `gateway status` and the metrics count it, and what does not."""

from __future__ import annotations

import random
import re
from hashlib import sha256

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.commands import asked, run
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Gateway
from tests.blackbox.measured import METRICS, read
from tests.blackbox.raw import Raw

pytestmark = pytest.mark.running

DIRECTIVES = """
SessionLane On
MaxPersistentCGI 300
<Directory cgi-bin/bound>
  PersistentCGIBind cookie
</Directory>
<Location /local>
  Require local
</Location>
<Location /users>
  GUARDED
</Location>
ScriptAlias /local/ cgi-bin/
ScriptAlias /users/ cgi-bin/
"""
# Writes its whole response, end mark and all, in two pieces: the second when the first has been read
CUTTING = """#!/usr/bin/env python3
import fcntl, os, struct, termios, time
requests, mark = int(os.environ["HTSESSION_FD"]), os.environ["HTSESSION_END"]

def unread():
    return struct.unpack("i", fcntl.ioctl(1, termios.FIONREAD, b"0000"))[0]

def answer(at, handle):
    head = f"Accept-HTSession: {handle}\\nContent-Type: text/plain\\nX-Of: y\\n\\n"
    page = f"{head}A page, \\4 and more\\n\\4{mark}\\n".encode()
    at = min(at, len(page))
    os.write(1, page[:at])
    while at < len(page) and unread():
        time.sleep(0.0002)
    os.write(1, page[at:])

answer(1 << 20, os.environ["QUERY_STRING"])
while frame := os.read(requests, 65536):
    query = frame.partition(b"\\0QUERY_STRING\\0")[2].partition(b"\\0")[0].decode()
    at, _, handle = query.partition("-")
    answer(int(at), handle)
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = tmp_path_factory.mktemp("users") / "users"
    write_users(users, "ada")
    text = METRICS + DIRECTIVES.replace("GUARDED", guarded(users))
    return serve_shared(text, {"cutting": CUTTING, "bound/child": CHILD_TEXT})


def in_lane(gateway: Gateway) -> int:
    number: int = asked(gateway, "status")["in_lane"]
    return number


def begun(gateway: Gateway, program: str = "/cgi-bin/child") -> tuple[str, str]:
    """A session's handle, and its URL with what keeps it."""
    handle = new_handle()
    return handle, f"{start_session(gateway, handle, program=program)}?handle={handle}"


BODIES = (1, 100, 30000)
TAKEN = {
    "a first one": [("GET", 0)],
    "the same bytes again": [("GET", 0)] * 4,
    **{f"a body of {size} bytes": [("POST", size), ("POST", size)] for size in BODIES},
}


@pytest.mark.parametrize("what", TAKEN)
def test_requests_to_living_sessions_take_the_lane(gateway: Gateway, what: str) -> None:
    _, url = begun(gateway)
    before = in_lane(gateway)
    with Raw(gateway) as client:
        for method, size in TAKEN[what]:
            body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            length = [f"Content-Length: {size}"] if size else []
            client.sock.sendall(
                "\r\n".join([f"{method} {url}&digest HTTP/1.1", "Host: x", *length, "", ""]).encode() + body
            )
            answer = client.answer()
            digest = f"length={size} sha256={sha256(body).hexdigest()}\n"  # small: it comes in one piece
            assert (answer.status, answer.text) == (200, digest)
    assert in_lane(gateway) - before == len(TAKEN[what])


LEAVING = {
    "a page in pieces": ("GET", "&echo=a&flush&sleep=0.02&echo=b", b"ab"),
    "a page larger than a read": ("GET", "&size=200000", b"x" * 200000),
    "HEAD": ("HEAD", "&echo=a", b""),
}


@pytest.mark.parametrize("what", LEAVING)
def test_what_is_not_small_and_plain_is_answered_the_other_way(gateway: Gateway, what: str) -> None:
    _, url = begun(gateway)
    before = in_lane(gateway)
    method, query, page = LEAVING[what]
    answer = gateway.request(method, url + query)
    assert (answer.status, answer.body) == (200, page)
    assert in_lane(gateway) == before
    assert gateway.get(f"{url}&echo=on").body == b"on"
    assert in_lane(gateway) == before + 1


def test_without_the_lane_it_counts_nothing(serve: Serve) -> None:
    gateway = serve("SessionLane Off\n" + METRICS)
    _, url = begun(gateway)
    for _ in range(3):
        assert gateway.get(f"{url}&echo=x").status == 200
    assert in_lane(gateway) == 0 and read(gateway).of("lane_requests_total") == 0


def test_administrators_see_what_the_lane_answers(gateway: Gateway) -> None:
    _, url = begun(gateway)
    before = read(gateway)
    for _ in range(3):
        assert gateway.get(f"{url}&echo=x").status == 200
    after = read(gateway)
    assert after.of("lane_requests_total") == before.of("lane_requests_total") + 3
    shown = re.search(r"(\d+) further requests, (\d+) by the session lane", run(gateway, "status").out)
    assert shown is not None and int(shown[1]) >= int(shown[2]) == after.of("lane_requests_total")


# ---- responses in pieces


def test_a_response_cut_at_every_byte_is_the_same(gateway: Gateway) -> None:
    handle = new_handle()
    whole = gateway.get(f"/cgi-bin/cutting?{handle}")
    assert (whole.status, whole.header("x-of"), whole.body) == (200, "y", b"A page, \4 and more\n")
    length = len(f"Accept-HTSession: {handle}\nContent-Type: text/plain\nX-Of: y\n\n") + len(whole.body) + 34
    before = in_lane(gateway)
    with Raw(gateway) as client:
        for at in range(1, length + 1):
            answer = client.request(f"GET /cgi-bin/cutting/{handle}?{at}-{handle}")
            assert (answer.status, answer.body, answer.header("x-of")) == (200, whole.body, "y"), at
    assert in_lane(gateway) - before >= 1  # the one that was not cut


# ---- clients that leave (R7)


def test_R7_a_client_that_leaves_while_the_program_computes_gets_another_try(gateway: Gateway) -> None:
    handle, url = begun(gateway)
    lost, running, gate = new_handle(), Gate(gateway.folder), Gate(gateway.folder)
    path = url.partition("?")[0]
    client = Client(gateway, f"{path}?handle={lost}&{running.touch}&{gate.wait}&echo=unseen")
    running.wait_open()
    client.leave()
    gate.open()
    answer = gateway.get(f"{path}?handle={handle}&env=HTSESSION_RETRY&count")
    assert answer.text.startswith("HTSESSION_RETRY=1\ncount=3")


def test_R7_a_client_that_leaves_while_a_page_goes_out_ends_no_session(gateway: Gateway) -> None:
    _, url = begun(gateway)
    for _ in range(20):
        client = Client(gateway, f"{url}&size=60000")
        client.leave()
    assert gateway.get(f"{url}&count").text.startswith("count=22 ")


def test_bodies_up_to_64_KiB_and_beyond_come_whole_and_in_order(gateway: Gateway) -> None:
    _, url = begun(gateway)
    with Raw(gateway) as client:
        for size in (65535, 65536, 65537, 1, 65536, 200000, 0, 30000):
            body = random.Random(size).randbytes(size)
            answer = client.request(f"POST {url}&digest", f"Content-Length: {size}", body=body)
            assert answer.text == f"length={size} sha256={sha256(body).hexdigest()}\n"


def test_a_client_that_leaves_takes_nothing_from_the_next_on_its_session(gateway: Gateway) -> None:
    handle, url = begun(gateway)
    for number in range(2, 12):
        running, gate = Gate(gateway.folder), Gate(gateway.folder)
        left = Client(gateway, f"{url}&{running.touch}&{gate.wait}&echo=another+s")
        running.wait_open()
        left.leave()
        waiting = Client(gateway, f"{url}&echo=own{number}")
        gate.open()
        assert waiting.answer().body == f"own{number}".encode(), handle


# ---- who may use a session (W1, W2)


def test_W2_a_session_bound_to_a_cookie_is_another_browser_s_in_the_lane_too(gateway: Gateway) -> None:
    handle = new_handle()
    first = gateway.get(f"/cgi-bin/bound/child?handle={handle}&count")
    cookie = (first.header("set-cookie") or "").partition(";")[0]
    line, own = f"GET /cgi-bin/bound/child/{handle}?handle={handle}&count", f"Cookie: {cookie}"
    before = in_lane(gateway)
    with Raw(gateway) as browser, Raw(gateway) as thief:
        for number in range(2, 6):
            for answer in (thief.request(line), thief.request(line, f"Cookie: {cookie[:-1]}!")):
                assert answer.status == 403
            assert browser.request(line, own).text.startswith(f"count={number} ")
        assert thief.request(line, own).text.startswith("count=6 ")  # the cookie makes the browser
    assert in_lane(gateway) - before == 5


def test_W1_a_user_s_session_is_only_his_whatever_came_before(gateway: Gateway) -> None:
    handle = new_handle()
    ada = f"Authorization: {basic('ada')}"
    with Raw(gateway) as client:
        assert client.request(f"GET /users/child?handle={handle}&count", ada).status == 200
        line = f"GET /users/child/{handle}?handle={handle}&count"
        for number in range(2, 5):
            assert client.request(line, ada).text.startswith(f"count={number} ")
            assert client.request(line).status == 401


def test_who_needs_no_name_stays_in_the_lane(gateway: Gateway) -> None:
    _, url = begun(gateway, "/local/child")
    before = in_lane(gateway)
    for _ in range(3):
        assert gateway.get(f"{url}&count").status == 200
    assert in_lane(gateway) - before == 3
