"""Access logs: a line for each request, in Apache's formats, whatever became of it."""

from __future__ import annotations

import base64
import re
import time

import pytest

from tests.blackbox.access_lines import USER, entry, fields, line, lines, with_logs
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return with_logs(serve_shared, tmp_path_factory.mktemp("users"))


# ---- formats


def test_common_is_apaches_common_log_format(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?echo=common-1")
    moment = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
    expected = rf'127\.0\.0\.1 - - {moment} "GET /cgi-bin/child\?echo=common-1 HTTP/1\.1" 200 8'
    for log in ("common.log", "transfer.log"):
        assert re.fullmatch(expected, line(gateway, log, "common-1"))


def test_combined_and_vhost_combined_add_referer_and_agent(gateway: Gateway) -> None:
    gateway.get("/page.txt?comb-1", Referer="http://x.example/a", User_Agent="curl/1 (x)")
    assert line(gateway, "combined.log", "comb-1").endswith(
        'HTTP/1.1" 200 10 "http://x.example/a" "curl/1 (x)"'
    )
    assert line(gateway, "vhost.log", "comb-1").startswith(f"first.example:{gateway.port} 127.0.0.1 - - [")


def test_json_is_one_object_a_line_with_every_fact(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?echo=json-1", Referer="http://x.example/", User_Agent="me")
    found = entry(gateway, "json-1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d", str(found.pop("time")))
    assert isinstance(duration := found.pop("duration"), int) and found.pop("request_id")
    assert isinstance(time := found.pop("program_time"), int) and 0 < time <= duration
    assert found == {
        "client": "127.0.0.1", "user": None, "method": "GET", "path": "/cgi-bin/child",
        "query": "echo=json-1", "protocol": "HTTP/1.1", "status": 200, "bytes": 6, "host": "127.0.0.1",
        "referer": "http://x.example/", "user_agent": "me", "cgi_name": "/cgi-bin/child", "session": None,
        "session_state": None, "session_request": None, "queue_time": 0,
    }  # fmt: skip


def test_every_code_says_what_apache_says(gateway: Gateway) -> None:
    gateway.get(
        "/cgi-bin/child/in%20fo?header=X-Made:+here&echo=codes-1",
        Cookie="a=b; seen=yes", User_Agent="me", Host="first.example:99",
    )  # fmt: skip
    found = fields(gateway, "codes-1")
    front, port = str(gateway.fronts()[-1]), str(gateway.port)
    assert found.pop("{remote}p").isdigit() and found.pop("I") and found.pop("O") and found.pop("S")
    assert found == {
        "h": "127.0.0.1", "l": "-", "u": "-",
        "r": "GET /cgi-bin/child/in%20fo?header=X-Made:+here&echo=codes-1 HTTP/1.1",
        ">s": "200", "b": "7", "B": "7", "{Referer}i": "-", "{User-Agent}i": "me", "m": "GET",
        "U": "/cgi-bin/child/in fo", "q": "?header=X-Made:+here&echo=codes-1", "H": "HTTP/1.1",
        "v": "first.example", "V": "first.example", "p": port, "A": "127.0.0.1",
        "f": str(gateway.cgi_bin / "child"), "R": "cgi-script", "X": found["X"], "k": "0",
        "{X-Made}o": "here", "{Location}o": "-", "{seen}C": "yes", "{SITE}e": "main", "P": front,
        "{pid}P": front, "{canonical}p": port, "{c}a": "127.0.0.1", "a": "127.0.0.1", "!200s": "-", "404m": "-",
        "400,404{User-Agent}i": "-", "<s": "200", "L": "-", "{x}n": "-", "{x}^ti": "-", "{x}x": "-", "^FB": "-",
    }  # fmt: skip


def test_a_status_list_before_a_code_is_obeyed(gateway: Gateway) -> None:
    gateway.get("/nothing?lists-1", User_Agent="me")
    found = fields(gateway, "lists-1")
    assert (found["!200s"], found["404m"], found["400,404{User-Agent}i"]) == ("404", "GET", "me")


def test_I_O_and_S_count_every_byte_of_the_connection(gateway: Gateway) -> None:
    head = (
        b"POST /cgi-bin/child?body&echo=bytes-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5"
    )
    request = head + b"\r\n\r\nhello"
    answer = gateway.raw(request)
    found = fields(gateway, "bytes-1")
    assert (int(found["I"]), int(found["O"])) == (len(request), len(answer))
    assert int(found["S"]) == len(request) + len(answer)


def test_the_forms_of_the_time(gateway: Gateway) -> None:
    before = time.time()
    gateway.get("/cgi-bin/child?echo=times-1&sleep=0.2")
    after = time.time() + 1
    _, sec, msec, usec, msec_frac, usec_frac, day, clock, zone, end, hour, micro, whole, ms, us = line(
        gateway, "times.log", "times-1"
    ).split(" ")
    assert before - 1 <= int(sec) <= after and int(sec) == int(msec) // 1000 == int(usec) // 1_000_000
    assert int(usec) % 1_000_000 == int(usec_frac) and len(usec_frac) == 6 and len(msec_frac) == 3
    assert day == time.strftime("%Y-%m-%d", time.localtime(int(sec)))
    assert clock.endswith(time.strftime(":%H:%M:%S", time.localtime(int(sec)))) and zone.endswith("]")
    assert hour == time.strftime("%H", time.localtime(int(sec)))
    assert int(end) - int(usec) >= 200_000 and int(micro) >= 200_000
    assert int(us) == int(micro) and int(ms) == int(micro) // 1000 and int(whole) == int(micro) // 1_000_000


def test_a_users_name_is_logged_and_cannot_end_its_field(gateway: Gateway) -> None:
    credentials = base64.b64encode(f"{USER}:secret".encode()).decode()
    assert gateway.get("/private.txt?user-1", Authorization=f"Basic {credentials}").status == 200
    assert fields(gateway, "user-1")["u"] == 'a\\"b\\\\c\\xc3\\xa9'
    assert entry(gateway, "user-1")["user"] == USER
    assert gateway.get("/private.txt?user-2").status == 401
    assert fields(gateway, "user-2")["u"] == "-" and fields(gateway, "user-2")[">s"] == "401"
    assert "secret" not in "".join(path.read_text() for path in (gateway.folder / "logs").iterdir())
    assert credentials not in "".join(path.read_text() for path in (gateway.folder / "logs").iterdir())


# ---- whatever becomes of a request, it has one line


def test_static_files_HEAD_and_304(gateway: Gateway) -> None:
    tag = gateway.get("/page.txt?static-1").header("etag")
    gateway.request("HEAD", "/page.txt?static-2")
    assert tag and gateway.get("/page.txt?static-3", If_None_Match=tag).status == 304
    expected = [("static-1", "200", "10"), ("static-2", "200", "-"), ("static-3", "304", "-")]
    for mark, status, size in expected:
        found = fields(gateway, mark)
        assert (found[">s"], found["b"], found["R"]) == (status, size, "-")
        assert found["f"] == str(gateway.htdocs / "page.txt") and found["B"] == size.replace("-", "0")


def test_HEAD_of_a_program_has_no_body_bytes(gateway: Gateway) -> None:
    gateway.request("HEAD", "/cgi-bin/child?size=1000&echo=head-1")
    assert fields(gateway, "head-1")["B"] == "0"


def test_the_gateways_own_answers(gateway: Gateway) -> None:
    for path, status in (
        ("/none", 404),
        ("/cgi-bin/child", 413),
        ("/cgi-bin/", 403),
        ("/%2e%2e/%2e%2e/x", 400),
    ):
        headers = {"Content-Length": str(1 << 40)} if status == 413 else {}
        answer = gateway.request("POST" if headers else "GET", f"{path}?own-{status}", headers=headers)
        found = fields(gateway, f"own-{status}")
        assert (answer.status, found[">s"], found["B"]) == (status, str(status), str(len(answer.body)))


def test_a_program_that_fails_has_the_status_that_the_client_saw(gateway: Gateway) -> None:
    for query, status in (("raw=x%0A%0A&stderr=fails-1", "502"), ("silent&sleep=9&stderr=fails-2", "504")):
        gateway.get(f"/cgi-bin/child?{query}")
        assert fields(gateway, query[-7:])[">s"] == status


def test_a_response_that_was_cut_is_marked_X(gateway: Gateway) -> None:
    assert not gateway.get("/cgi-bin/child?header=Content-Length:+9&echo=cut-1&flush&kill=SEGV").whole
    found = fields(gateway, "cut-1")
    assert (found[">s"], found["X"]) == ("200", "X")


def test_a_client_that_leaves_is_marked_X_with_the_bytes_it_had(gateway: Gateway) -> None:
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/child?echo=gone-1&forever HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(1000)
    found = fields(gateway, "gone-1")
    assert (found[">s"], found["X"]) == ("200", "X") and int(found["B"]) > 0


def test_a_client_that_leaves_before_an_answer_has_no_status(gateway: Gateway) -> None:
    with gateway.connect() as sock:
        sock.sendall(b"POST /cgi-bin/child?early-1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        sock.shutdown(1)
    found = fields(gateway, "early-1")
    assert (found[">s"], found["X"], found["B"]) == ("-", "X", "0")


def test_a_local_redirect_is_one_line_with_the_request_as_it_came_and_the_last_status(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?stderr=redirect-1&raw=Location:+/nowhere%3Finner%0A%0A")
    assert answer.status == 404
    found = fields(gateway, "redirect-1")
    assert found["r"].startswith("GET /cgi-bin/child?stderr=redirect-1") and found["U"] == "/cgi-bin/child"
    assert (found["<s"], found[">s"], found["q"]) == ("200", "404", "?inner")
    assert len(lines(gateway, "common.log", "redirect-1")) == 1


def test_requests_of_one_connection_are_counted_and_marked(gateway: Gateway) -> None:
    with gateway.connect() as sock:
        for number, last in ((1, b""), (2, b""), (3, b"Connection: close\r\n")):
            sock.sendall(b"GET /page.txt?keep-%d HTTP/1.1\r\nHost: x\r\n%b\r\n" % (number, last))
            lines(gateway, "all.log", f"keep-{number}")
    found = [fields(gateway, f"keep-{number}") for number in (1, 2, 3)]
    assert [one["k"] for one in found] == ["0", "1", "2"]
    assert [one["X"] for one in found] == ["+", "+", "-"]


@pytest.mark.parametrize("path", ["/page.txt", "/cgi-bin/child"])
def test_a_request_is_marked_by_its_own_connection_header_not_by_that_of_the_next(
    gateway: Gateway, path: str
) -> None:
    request = f"GET {path}?%s HTTP/1.1\r\nHost: x\r\n%s\r\n"
    mark = f"piped-{len(path)}"
    both = request % (f"{mark}-1", "") + request % (f"{mark}-2", "Connection: close\r\n")
    gateway.raw(both.encode())
    assert [fields(gateway, f"{mark}-{number}")["X"] for number in (1, 2)] == ["+", "-"]
