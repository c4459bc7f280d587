"""P1 to P11: the pipe protocol, seen from both of its ends."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive

# Answers later requests with the bytes of the frame and of the body as they came.
DUMP = r"""#!/usr/bin/env python3
import os
end, answer = os.environ["HTSESSION_END"], b""
while True:
    head = b"Accept-HTSession: dump\nContent-Type: application/octet-stream\n\n"
    os.write(1, head + answer + b"\4" + end.encode() + b"\n")
    frame = b""
    while b":" not in frame:
        more = os.read(3, 1)
        if not more:
            raise SystemExit
        frame += more
    size = int(frame[:-1]) + 1
    while size and (more := os.read(3, size)):
        frame, size = frame + more, size - len(more)
    left, body = int(frame.split(b"CONTENT_LENGTH\0")[1].split(b"\0")[0]), b""
    while len(body) < left:
        body += os.read(3, left - len(body))
    answer = frame + b"|" + body
"""
HOSTED = "print('Accept-HTSession: hosted\\n\\n' + __name__)\n"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    directives = "PersistentCGIQueue 1\nCGIActivationGroup python .py\nLimitRequestBody 3M"
    return serve_shared(directives, {"dump": DUMP, "hosted.py": HOSTED})


def test_P1_the_mark_is_not_part_of_the_body(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?handle=p1&echo=first").body == b"first"
    assert gateway.get("/cgi-bin/child/p1?handle=p1&echo=second").body == b"second"


def test_P1_anything_but_the_whole_mark_is_body(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?handle=p1-decoys&env=HTSESSION_END&decoys&echo=.")
    line, _, body = answer.body.partition(b"\n")
    mark = line.partition(b"=")[2]
    assert re.fullmatch(b"[0-9a-f]{32}", mark)
    decoys = [b"\4%bx\4\4%b\n", b"\4%b\r\n", b"%b\n\4."]
    assert body == decoys[0] % (mark, mark[:-1]) + decoys[1] % mark + decoys[2] % mark


def test_P1_the_mark_differs_between_instances(gateway: Gateway) -> None:
    marks = {gateway.get("/cgi-bin/child?env=HTSESSION_END").text for _ in range(3)}
    assert len(marks) == 3


def test_P1_a_subprocess_may_write_to_the_same_stdout(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?handle=p1-sub&echo=one&inherited=+two&echo=+three")
    assert answer.text == "one two three"
    assert gateway.get("/cgi-bin/child/p1-sub?handle=p1-sub&inherited=again").text == "again"


def test_P2_end_of_file_ends_the_response_and_the_instance(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?count&echo=whole")
    assert answer.whole and answer.text.endswith("whole")
    wait_for("the exit", lambda: not alive(answer.number("pid")))


def test_P2_end_of_file_without_exit_ends_the_response(gateway: Gateway, tmp_path: Path) -> None:
    answer = gateway.get(f"/cgi-bin/child?count&close&wait={tmp_path}/never")
    assert answer.status == 200
    wait_for("the end of a program that closed its output", lambda: not alive(answer.number("pid")))


def test_P3_the_mark_without_a_handle_ends_the_instance(gateway: Gateway, tmp_path: Path) -> None:
    answer = gateway.get(f"/cgi-bin/child?count&mark&wait={tmp_path}/never")
    assert answer.text.startswith("count=1") and answer.text.endswith("\n")
    wait_for("the end of the instance", lambda: not alive(answer.number("pid")))


def test_P3_a_handle_but_no_mark_is_a_whole_response_and_no_session(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?handle=p3-unmarked&echo=page&nomark&exit=0")
    assert (answer.status, answer.text) == (200, "page")
    gateway.wait_log("HTS007 .*p3-u")
    assert gateway.reason("/cgi-bin/child/p3-unmarked") == "ended"


def test_P4_content_length_is_passed_on(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?handle=p4&header=Content-Length:+5&echo=12345")
    assert (answer.header("content-length"), answer.body) == ("5", b"12345")


def test_P4_too_few_bytes_cut_the_connection_and_end_the_session(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=p4-few")
    answer = gateway.get("/cgi-bin/child/p4-few?handle=p4-few&header=Content-Length:+9&echo=12345")
    assert (answer.whole, answer.body) == (False, b"12345")
    gateway.wait_log("expected 9 bytes of body.*found 5")
    assert gateway.reason("/cgi-bin/child/p4-few") == "crashed"


def test_P4_too_many_bytes_are_not_sent_and_end_the_session(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=p4-many")
    answer = gateway.get("/cgi-bin/child/p4-many?handle=p4-many&header=Content-Length:+3&echo=12345")
    assert answer.body == b"123"
    gateway.wait_log("expected 3 bytes of body.*found more")
    assert gateway.reason("/cgi-bin/child/p4-many") == "crashed"


def test_P5_output_with_the_mark_breaks_the_protocol(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?handle=p5-with&echo=page&late=x").text == "page"
    assert gateway.reason("/cgi-bin/child/p5-with") == "protocol"
    gateway.wait_log("HTS011 .*p5-")


def test_P5_output_between_two_calls_breaks_the_protocol(gateway: Gateway, tmp_path: Path) -> None:
    answer = gateway.get(f"/cgi-bin/child?handle=p5-later&count&late=x&latewait={tmp_path}/go")
    (tmp_path / "go").touch()
    wait_for("the end of the instance", lambda: not alive(answer.number("pid")))
    assert gateway.reason("/cgi-bin/child/p5-later") == "protocol"


def test_P6_the_mark_may_be_split_over_reads(gateway: Gateway, tmp_path: Path) -> None:
    with gateway.connect() as sock:
        query = f"handle=p6&halfmark={tmp_path}/go"
        sock.sendall(f"GET /cgi-bin/child?{query} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        while not received.endswith(b"half"):  # the first half of the mark was written along with it
            received += sock.recv(4096)
        (tmp_path / "go").touch()
        while more := sock.recv(4096):
            received += more
    assert received.endswith(b"\r\n\r\nhalf")
    assert gateway.get("/cgi-bin/child/p6?handle=p6&count").text.startswith("count=2")


def test_P7_a_later_request_is_one_scgi_request(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/dump")
    answer = gateway.post("/cgi-bin/dump/dump/rest?a=b", b"the body", Content_Type="text/x-test")
    frame, _, body = answer.body.partition(b"|")
    size, _, rest = frame.partition(b":")
    fields = rest[:-1].split(b"\0")
    assert int(size) == len(rest) - 1 and rest.endswith(b"\0,") and fields.pop() == b""
    names, variables = fields[::2], dict(zip(fields[::2], fields[1::2], strict=True))
    assert names[:3] == [b"CONTENT_LENGTH", b"SCGI", b"HTSESSION_END"] and len(set(names)) == len(names)
    assert variables[b"CONTENT_LENGTH"] == b"8" and variables[b"SCGI"] == b"1"
    assert re.fullmatch(b"[0-9a-f]{32}", variables[b"HTSESSION_END"])
    assert variables[b"REQUEST_METHOD"] == b"POST" and variables[b"CONTENT_TYPE"] == b"text/x-test"
    assert variables[b"PATH_INFO"] == b"/dump/rest" and variables[b"QUERY_STRING"] == b"a=b"
    assert not {b"PATH", b"HTSESSION_FD"} & set(names)
    assert body == b"the body"
    assert b"CONTENT_LENGTH\x000\0SCGI\x001\0" in gateway.get("/cgi-bin/dump/dump").body


def test_P7_no_request_is_written_before_the_response_has_ended(gateway: Gateway, tmp_path: Path) -> None:
    gateway.get("/cgi-bin/child?handle=p7")
    with ThreadPoolExecutor() as pool:
        query = f"handle=p7&touch={tmp_path}/runs&wait={tmp_path}/go&pending"
        running = pool.submit(gateway.get, f"/cgi-bin/child/p7?{query}")
        wait_for("the call", (tmp_path / "runs").exists)
        more = [pool.submit(gateway.get, "/cgi-bin/child/p7?handle=p7&count") for _ in range(2)]
        wait_for("a full queue", lambda: any(request.done() for request in more))  # the other one waits
        (tmp_path / "go").touch()
        assert running.result().text == "pending=0\n"
        assert sorted(request.result().status for request in more) == [200, 503]


def test_P8_end_of_file_ends_a_session_that_timed_out(serve: Serve) -> None:
    gateway = serve("PersistentCGITimeout 100ms\nCGIStopGrace 30s")
    diary = gateway.folder / "diary"
    answer = gateway.get(f"/cgi-bin/child?handle=p8&count&diary={diary}")
    wait_for("the exit by itself", lambda: not alive(answer.number("pid")))
    assert diary.read_text() == "eof\n"


def test_P9_a_body_left_in_the_pipe_breaks_the_protocol(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=p9")
    assert (
        gateway.post("/cgi-bin/child/p9?handle=p9&noread&echo=page&latewait=/never", b"unread").text == "page"
    )
    assert gateway.reason("/cgi-bin/child/p9") == "protocol"


@pytest.mark.parametrize("size", [0, 1, 65536, 70_000, 2_500_000])
def test_P10_a_chunked_body_gets_its_content_length(gateway: Gateway, size: int) -> None:
    handle = f"p10-{size}"
    for path in ("/cgi-bin/child", f"/cgi-bin/child/{handle}"):
        pieces = [b"z" * min(50_000, size - start) for start in range(0, size, 50_000)]
        query = f"handle={handle}&env=CONTENT_LENGTH&env=HTTP_TRANSFER_ENCODING&digest"
        answer = gateway.send_chunked(f"{path}?{query}", pieces)
        declared, withheld, digest = answer.text.splitlines()
        assert int(declared.partition("=")[2].replace("<absent>", "0")) == size
        assert withheld == "HTTP_TRANSFER_ENCODING=<absent>"
        assert digest.startswith(f"length={size} ")


def test_P10_a_chunked_body_obeys_the_limit(gateway: Gateway, tmp_path: Path) -> None:
    gateway.get("/cgi-bin/child?handle=p10-limit&count")
    for path in ("/cgi-bin/child", "/cgi-bin/child/p10-limit"):
        answer = gateway.send_chunked(f"{path}?touch={tmp_path}/started", [b"z" * 1_000_000] * 4)
        assert answer.status == 413
    assert not (tmp_path / "started").exists()
    assert gateway.get("/cgi-bin/child/p10-limit?handle=p10-limit&count").text.startswith("count=2")


def test_P11_a_program_is_never_started_without_a_request(serve: Serve) -> None:
    gateway = serve("CGIActivationGroup python .py", {"hosted.py": HOSTED})
    assert gateway.instances() == []
    assert gateway.get("/cgi-bin/hosted.py").text.strip() == "__main__"
    assert len(gateway.instances()) == 1
