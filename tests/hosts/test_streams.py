"""Standard input, output and error of every call (B1, P1, P9)."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hosts.languages import over
from tests.hosts.script import Script, lines

LARGE = bytes(range(256)) * (8 << 12)  # 8 MiB
BYTES = bytes(range(256)) + b"\0\0\4\4" + b"0" * 32 + b"\n"


@over("body")
def test_stdin_ends_after_the_body(script: Script) -> None:
    session = script.begin("body", body=b"first\0\xff")
    assert session.first.body == b"first\0\xff"
    assert session.call("body", body=b"second").body == b"second"
    assert session.call("body").body == b""
    assert session.call("body", body=b"").body == b""
    assert session.call("body", body=b"last").body == b"last"


@over("run")
def test_stdin_ends_after_the_body_for_a_subprocess_too(script: Script) -> None:
    session = script.begin("run=cat", body=b"first")
    assert session.first.body == b"first"
    assert session.call("run=cat", body=b"second").body == b"second"
    assert session.call("run=cat").body == b""


@over("body")
@pytest.mark.parametrize("size", [64 << 10, (1 << 20) + 1, 8 << 20])
def test_huge_bodies_come_and_go_whole(script: Script, size: int) -> None:
    session = script.begin("body", body=LARGE[:size])
    assert session.first.body == LARGE[:size]
    assert session.call("body", body=LARGE[-size:]).body == LARGE[-size:]


@over("body")
def test_a_body_without_a_declared_length(script: Script) -> None:
    session = script.begin()
    for url in (f"{script.url}?body", f"{session.url}?{session.keep}&body"):
        assert script.gateway.send_chunked(url, [b"one ", LARGE, b" two"]).body == b"one " + LARGE + b" two"


@over("line", "count")
def test_P9_a_body_that_is_not_read_whole_is_dropped(script: Script) -> None:
    session = script.begin("line", body=b"line\nrest")
    assert session.first.text == "line\n"
    assert session.call("line", body=b"other\nrest\n" * 9).text == "other\n"
    assert session.call("line", body=b"third").text == "third\n"
    assert session.call("count").number("count") == 4


@over("echo", "line")
@pytest.mark.parametrize("size", [9, 200_000, 8 << 20])
def test_P9_a_body_that_nobody_reads_is_dropped(script: Script, size: int) -> None:
    session = script.begin("echo=done", body=LARGE[:size])
    assert session.first.text == "done\n"
    assert session.call("echo=done", body=LARGE[:size]).text == "done\n"
    assert session.call("line", body=b"fresh\n").text == "fresh\n"


@over("echo")
def test_output_needs_no_flush(script: Script) -> None:
    assert script.begin("echo=a", "echo=b").call("echo=c", "echo=d").text == "c\nd\n"


@over("bytes", "echo")
def test_output_is_exact_every_byte_of_it(script: Script) -> None:
    session = script.begin("bytes", "bytes")
    assert session.first.body == BYTES * 2
    assert session.call("bytes").body == BYTES
    assert session.call("echo=text").text == "text\n"


@over("run", "echo")
def test_output_of_subprocesses_comes_in_its_place(script: Script) -> None:
    verbs = ("echo=one", "run=echo two", "echo=three", "run=echo four")
    session = script.begin(*verbs)
    assert session.first.text == session.call(*verbs).text == "one\ntwo\nthree\nfour\n"


@over("aside", "echo")
def test_output_may_be_pointed_to_a_file_and_back(script: Script, tmp_path: Path) -> None:
    file = tmp_path / "aside"
    verbs = ("echo=one", f"aside={file}", "echo=two")
    session = script.begin(*verbs)
    assert session.first.text == "one\ntwo\n"
    assert lines(file) == ["aside"]
    assert session.call(*verbs).text == "one\ntwo\n"


@over("close", "echo", "line", "count")
@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_B1_a_closed_descriptor_is_open_again_in_the_next_call(script: Script, descriptor: int) -> None:
    session = script.begin("echo=said", f"close={descriptor}", body=b"not read")
    assert session.first.text == "said\n"
    for word in (b"one", b"two"):
        assert session.call("line", "echo=on", f"close={descriptor}", body=word).body == word + b"\non\n"
    assert session.call("count").number("count") == 4


@over("warn", "count", "run")
def test_warnings_go_to_the_error_log_at_once(script: Script, tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    waits, word = tmp_path / "waits", script.url.replace("/", "-")
    os.mkfifo(waits)
    session = script.begin("count")
    pid = session.first.number("pid")
    for time in ("first", "second"):
        call = pool.submit(session.call, f"warn={time}{word}", f"run=cat {waits}")
        script.gateway.wait_log(rf"\[pid {pid}\] .*{time}{word}")
        waits.write_text("went on")
        assert call.result().text == "went on"


@over("warn", "close")
def test_B1_warnings_go_to_the_error_log_again_after_a_call_that_closed_it(script: Script) -> None:
    word = script.url.replace("/", "-")
    session = script.begin("close=2", "warn=nowhere")
    session.call(f"warn=later{word}")
    script.gateway.wait_log(f"later{word}")
