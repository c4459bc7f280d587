"""The session lane: a request to a living session is answered the same with it and without it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.raw import Raw

LOG = (
    'LogFormat "%m %U %q %H %>s %B %u %X %{HTSESSION_STATE}x %{HTSESSION_REQUEST}x" all\n'
    "CustomLog logs/access.log all\n"
)
# What differs between two requests that are otherwise equal
_NAMES = (
    "UNIQUE_ID|HTSESSION_NEXT_HANDLE|QZHBNEXT_SESSION_HANDLE|REMOTE_PORT|SERVER_PORT|HTSESSION_END|SCRIPT_FILENAME|"
    "DOCUMENT_ROOT|CONTEXT_DOCUMENT_ROOT|PATH_TRANSLATED|PATH|HTSESSION_LIB"
)
_OWN = re.compile(rf"(?mi)^(date: .*|({_NAMES})=.*|<p>That was .*)$".encode())


@dataclass
class Both:
    """A gateway with the lane, and one without."""

    on: Gateway
    off: Gateway


@pytest.fixture(scope="module")
def both(serve_shared: Serve) -> Both:
    return Both(serve_shared(f"SessionLane On\n{LOG}"), serve_shared(f"SessionLane Off\n{LOG}"))


def start(gateway: Gateway, handle: str) -> None:
    answer = gateway.get(f"/cgi-bin/child?handle={handle}&echo=begun")
    assert answer.status == 200, answer


def answered(gateway: Gateway, *requests: bytes) -> list[bytes]:
    """Each response as it came, without what is a request's own; the requests use one connection."""
    with Raw(gateway) as client:
        found = []
        for request in requests:
            client.sock.sendall(request)
            found.append(_response(client))
        return found


def _response(client: Raw) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length is not None and len(body) < int(length[1]):
        body += client.sock.recv(65536)
    bodiless = head.startswith((b"HTTP/1.1 204", b"HTTP/1.1 304"))
    while length is None and not bodiless and not body.endswith(b"0\r\n\r\n"):
        body += client.sock.recv(65536)
    if length is None and not bodiless:
        body = _joined(body)
    return _OWN.sub(b"-", head + b"\r\n\r\n" + body)


def _joined(body: bytes) -> bytes:
    """The chunks as one: where they are cut is chance (RFC 9112, section 7.1)."""
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole, body = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


def get(path: str, *headers: str) -> bytes:
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"GET /cgi-bin/child/{path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    return get(path, f"Content-Length: {len(body)}", *headers).replace(b"GET", b"POST", 1) + body


REQUESTS = {
    "variables": [get("{h}/rest?handle={h}&environ", "Cookie: a=b", "Cookie: c=d", "X-Y: z")],
    "the same bytes again": [get("{h}?handle={h}&environ", "X: 1")] * 4,
    "a new handle": [get("{h}?handle={h}-2&echo=new"), get("{h}-2?handle={h}-2&env=HTSESSION_HANDLE")],
    "no page": [get("{h}?handle={h}&status=204&echo=")],
    "not modified": [get("{h}?handle={h}&status=304&header=Content-Range:+x&header=ETag:+x&header=X:+y")],
    "not modified, by the program": [get("{h}?handle={h}&status=304&header=Content-Type:+text/a&header=X:+y")],
    "headers and a status": [
        get("{h}?handle={h}&status=404&header=X:+y&header=Cache-Control:+private&echo=gone")
    ],
    "validators": [get('{h}?header=ETag:+"a"&echo=x', "If-None-Match: *")],
    "a length of the program's own": [get("{h}?handle={h}&header=Content-Length:+4&echo=four")],
    "a local redirect": [get("{h}?handle={h}&again={h}")],
    "a large page": [get("{h}?handle={h}&size=300000")],
    "in pieces": [get("{h}?handle={h}&echo=a&flush&sleep=0.3&echo=b")],
    "a body": [post("{h}?handle={h}&body&environ", b"some body")],
    # an echo of the larger ones would be counted or chunked, as the reads fall
    "bodies of any length": [post("{h}?handle={h}&digest", b"x" * n) for n in (1, 2, 2, 1 << 16, 65537, 0)],
    "a length behind zeros": [get("{h}?handle={h}&echo=x", "Content-Length: " + "0" * 30)],
    "the end": [get("{h}?echo=end"), get("{h}?echo=late")],
    "an exit": [get("{h}?handle={h}&exit=3")],
    "output that is no head": [get("{h}?raw=rubbish&mark")],
    "a body that is not read": [post("{h}?handle={h}&noread&echo=x", b"left")],
    "HEAD": [get("{h}?handle={h}&echo=x").replace(b"GET", b"HEAD", 1)],
}


@pytest.mark.parametrize("name", REQUESTS)
def test_responses_are_the_same_with_and_without_the_lane(both: Both, name: str) -> None:
    handle = "same-" + re.sub(r"\W", "-", name)
    requests = [request.replace(b"{h}", handle.encode()) for request in REQUESTS[name]]
    found = []
    for gateway in (both.on, both.off):
        start(gateway, handle)
        if name == "HEAD":
            found.append([_head(gateway, request) for request in requests])
        else:
            found.append([answered(gateway, request)[0] for request in requests])
    assert found[0] == found[1]


def _head(gateway: Gateway, request: bytes) -> bytes:
    with Raw(gateway) as client:
        client.sock.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += client.sock.recv(65536)
        return _OWN.sub(b"-", data)


def _lines(gateway: Gateway, count: int) -> list[str] | None:
    text = (gateway.folder / "logs" / "access.log").read_text()
    found = [line for line in text.splitlines() if "log" in line]
    return found if len(found) == count else None


def test_access_logs_say_the_same_with_and_without_the_lane(both: Both) -> None:
    logs = []
    for gateway in (both.on, both.off):
        start(gateway, "logged")
        requests = [get("logged?handle=logged&echo=x")] * 3 + [post("logged?handle=logged&body", b"abc")]
        answered(gateway, *requests, get("logged?echo=over"), get("logged"))
        logs.append(wait_for("seven lines", partial(_lines, gateway, 7)))
    assert logs[0] == logs[1]


def test_requests_with_the_same_bytes_have_their_own_client_and_identifiers(both: Both) -> None:
    start(both.on, "own")
    request = get("own?handle=own&env=UNIQUE_ID&env=REMOTE_PORT&env=HTSESSION_NEXT_HANDLE&env=HTSESSION_END")
    seen: list[tuple[bytes, ...]] = []
    for _ in range(3):
        with Raw(both.on) as client:
            port = b"%d" % client.sock.getsockname()[1]
            for _ in range(3):
                client.sock.sendall(request)
                body = client.sock.recv(65536).partition(b"\r\n\r\n")[2]
                assert b"REMOTE_PORT=" + port in body, body
                seen.append(tuple(body.split()))
    assert len({values[0] for values in seen}) == len({values[2] for values in seen}) == len(seen)


def test_the_same_bytes_with_a_body_are_read_again(both: Both) -> None:
    start(both.on, "bodies")
    request = post("bodies?handle=bodies&body", b"each time")
    assert all(answer.endswith(b"each time") for answer in answered(both.on, *[request] * 4))


def test_a_handle_that_has_become_another_session_s_leads_there(both: Both) -> None:
    request = get("moved?handle=moved&count")
    for _ in range(3):
        start(both.on, "moved")
        pages = answered(both.on, *[request] * 4)
        assert [page.rpartition(b"count=")[2].split()[0] for page in pages] == [b"2", b"3", b"4", b"5"]
        assert b" 200 " in answered(both.on, get("moved?echo=end"))[0]


def test_pipelined_requests_are_answered_in_order(both: Both) -> None:
    start(both.on, "first")
    start(both.on, "second")
    with Raw(both.on) as client:
        client.sock.sendall(
            get("first?handle=first&sleep=0.2&echo=one") + get("second?handle=second&echo=two")
            + post("first?handle=first&body", b"three") + get("second?handle=second&echo=four")
        )  # fmt: skip
        data = b""
        while b"four" not in data:
            data += client.sock.recv(65536)
    assert re.findall(rb"one|two|three|four", data) == [b"one", b"two", b"three", b"four"]


def test_two_connections_share_a_session_one_after_the_other(both: Both) -> None:
    start(both.on, "shared")
    with Raw(both.on) as one, Raw(both.on) as two:
        one.sock.sendall(get("shared?handle=shared&sleep=0.2&count"))
        two.sock.sendall(get("shared?handle=shared&count"))
        assert b"count=2" in _response(one)
        assert b"count=3" in _response(two)
