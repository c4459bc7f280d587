"""Standard input: the body of the present request, to its end, for the program and its subprocesses."""

import pytest

from .conftest import Looper, asking, frame

LARGE = bytes(range(256)) * (8 << 12)  # 8 MiB
SIZES = [1, 511, 512, 513, 4096, 4097, 65_536, 65_537, 1 << 20, (1 << 20) + 1]
READERS = ["echo", "echo-descriptor", "child"]


def expected(verb: str, body: bytes) -> bytes:
    return b"<%s>" % body if verb == "child" else body


@pytest.mark.parametrize("verb", READERS)
def test_P7_bodies_are_binary_safe_and_end_whatever_their_size(looper: Looper, verb: str) -> None:
    with looper.start(verb, body=LARGE) as program:
        assert program.response() == (expected(verb, LARGE), True)
        assert program.call(asking(verb), LARGE[::-1]) == (expected(verb, LARGE[::-1]), True)
        for size in SIZES:
            assert program.call(asking(verb), LARGE[:size]) == (expected(verb, LARGE[:size]), True)
        assert program.call(asking(verb)) == (expected(verb, b""), True)


@pytest.mark.parametrize("verb", ["ignore", "line"])
def test_P9_what_a_program_leaves_of_a_body_is_dropped(looper: Looper, verb: str) -> None:
    body, answer = b"done\n" + LARGE, b"done\n" if verb == "line" else b"done"
    with looper.start(verb, body=body) as program:
        assert program.response() == (answer, True)
        assert program.took_first_body()
        assert program.call(asking(verb), body) == (answer, True)
        assert program.call(asking("echo"), b"new") == (b"new", True)
        assert program.call(asking(verb), b"done\nlittle") == (answer, True)
        assert program.call(asking("echo"), b"newer") == (b"newer", True)
        assert program.call(asking(verb), b"done\nlittle") == (answer, True)
        assert program.call(asking("echo")) == (b"", True)


def test_P7_a_body_that_looks_like_a_request_is_a_body(looper: Looper) -> None:
    body = frame(asking("exit"), b"") * 3
    with looper.start("ignore", body=body) as program:
        assert program.response() == (b"done", True)
        assert program.call(asking("echo"), body) == (body, True)
        assert program.call(asking("ignore"), body) == (b"done", True)
        assert program.call() == (b"4", True)


def test_P7_a_request_may_come_byte_by_byte(looper: Looper) -> None:
    with looper.start() as program:
        program.response()
        for byte in frame(asking("echo"), b"slow body"):
            program.send_now(bytes([byte]))
        assert program.response() == (b"slow body", True)
