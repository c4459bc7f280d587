"""The python host: standard input, output and error of every call, and processes that a script starts."""

from hashlib import sha256
from pathlib import Path

import pytest

from .pipes import hosted

LARGE = bytes(range(256)) * (8 << 12)  # 8 MiB
DIGEST = "import hashlib, sys\nprint(hashlib.sha256(sys.stdin.buffer.read()).hexdigest(), end='')"


@pytest.mark.parametrize("size", [1, 1 << 16, 1 << 20, (1 << 20) + 1, 8 << 20])
def test_B1_stdin_of_every_call_ends_after_the_body(tmp_path: Path, size: int) -> None:
    body, other = LARGE[:size], LARGE[:size][::-1]
    with hosted(tmp_path, DIGEST, body=body) as program:
        assert program.response().output == sha256(body).hexdigest().encode()
        assert program.call(body=other).output == sha256(other).hexdigest().encode()
        assert program.call().output == sha256(b"").hexdigest().encode()


def test_text_of_stdin_is_fresh_though_the_last_call_closed_it(tmp_path: Path) -> None:
    with hosted(
        tmp_path, "import sys\nprint(input(), end='')\nsys.stdin.close()", body="ä\nrest".encode()
    ) as program:
        assert program.response().output == "ä".encode()
        assert program.call(body="ö\nrest".encode()).output == "ö".encode()


def test_a_subprocess_reads_the_body_and_writes_the_output(tmp_path: Path) -> None:
    source = "import subprocess\nprint('head', flush=True)\nsubprocess.run(['cat'])\nprint('tail', end='')"
    with hosted(tmp_path, source, body=b"one\n") as program:
        assert program.response() == (b"head\none\ntail", True)
        assert program.call(body=b"two\n") == (b"head\ntwo\ntail", True)
        assert program.call() == (b"head\ntail", True)


@pytest.mark.parametrize(
    "read", ["", "import sys; sys.stdin.read(1)", "import os; os.read(0, 1)", "import os; os.close(0)"]
)
def test_P9_a_body_that_is_not_read_is_dropped(tmp_path: Path, read: str) -> None:
    with hosted(tmp_path, f"{read}\nprint('done', end='')", body=LARGE) as program:
        assert program.response() == (b"done", True)
        assert program.call(body=LARGE) == (b"done", True)
        assert program.call(body=b"x") == (b"done", True)


def test_P1_output_is_exact_marks_of_others_included(tmp_path: Path) -> None:
    data = bytes(range(256)) + b"\4" + b"0" * 32 + b"\n\4"
    with hosted(tmp_path, f"import sys\nsys.stdout.buffer.write({data!r} * 2)") as program:
        assert program.response() == (data * 2, True)
        assert program.call() == (data * 2, True)


WRITERS = {
    "print": "print('x', end='')",
    "bytes": "sys.stdout.buffer.write(b'x')",
    "descriptor": "os.write(1, b'x')",
    "reference of the first call": "out = globals().get('out', sys.stdout); out.write('x')",
    "buffer of the first call": "out = globals().get('out', sys.stdout.buffer); out.write(b'x')",
    "wrapper as stdout": "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'utf-8'); print('x', end='')",
    "detached": "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), 'utf-8'); print('x', end='')",
    "original": "sys.stdout = sys.__stdout__; print('x', end='')",
    "closed": "print('x', end=''); sys.stdout.close()",
    "none": "print('x', end=''); sys.stdout = None",
    "stderr as stdout": "sys.stderr = sys.stdout; print('x', end='', file=sys.stderr)",
    "redirected": "print('x', end='', flush=True); os.dup2(os.open('/dev/null', os.O_WRONLY), 1); print('y')",
    "closed descriptor": "print('x', end='', flush=True); os.close(1)",
    "not blocking": "os.set_blocking(1, False); print('x', end='')",
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_P1_whatever_was_written_comes_before_the_mark_in_every_call(tmp_path: Path, write: str) -> None:
    with hosted(tmp_path, "import io, os, sys\n" + write) as program:
        assert program.response() == (b"x", True)
        assert program.call() == (b"x", True)
        assert program.call() == (b"x", True)
        assert program.end() == 0
        assert program.stderr() == ""


CHANGES = {
    "output in another coding": "sys.stdout.reconfigure(encoding='latin-1')",
    "other ends of lines": "sys.stdout.reconfigure(newline='\\r\\n')",
    "errors in another coding": "sys.stderr.reconfigure(encoding='latin-1')",
    "input in another coding": "sys.stdin.reconfigure(encoding='latin-1')",
    "another input": "sys.stdin = io.StringIO('other')",
    "input closed": "sys.stdin.close()",
    "input detached": "sys.stdin.detach()",
    "another file as descriptor 0": "os.dup2(os.open(__file__, os.O_RDONLY), 0)",
    "a part of another file read": "os.dup2(os.open(__file__, os.O_RDONLY), 0); sys.stdin.readline()",
    "a part read, and put back": "kept = os.dup(0); os.dup2(os.open(__file__, os.O_RDONLY), 0);"
    "sys.stdin.readline(); os.dup2(kept, 0)",
    "another output": "sys.stdout = io.StringIO()",
    "only the original output": "sys.__stdout__ = io.StringIO()",
    "output detached": "sys.stdout.detach()",
    "errors detached": "sys.stderr.detach()",
    "other errors": "sys.stderr = io.StringIO()",
}
FOUND = """
import io, os, sys
count = globals().get("count", 0) + 1
if count == 2:
    CHANGE
else:
    print("ä", file=sys.stderr)
    print("ä", file=sys.__stdout__)
    os.system("head -c 2")
    print(sys.stdin.read())
"""


@pytest.mark.parametrize("begun", [b"", b"body"], ids=["without a body", "with a body"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_B1_a_stream_that_one_call_changed_is_as_it_was_in_the_next(
    tmp_path: Path, change: str, begun: bytes
) -> None:
    with hosted(tmp_path, FOUND.replace("CHANGE", change)) as program:
        expected = program.response()
        assert expected == ("ä\n\n".encode(), True)
        assert program.call(body=begun).marked
        assert program.call() == expected
        assert program.call(body="öäü".encode()) == ("öä\näü\n".encode(), True)
        assert program.call() == expected
        assert program.end() == 0
        assert program.stderr() == 4 * "ä\n"


def test_huge_output_streams(tmp_path: Path) -> None:
    with hosted(
        tmp_path, "import sys\nfor _ in range(64): sys.stdout.write('0123456789abcde\\n' * 8192)"
    ) as program:
        assert program.response() == (b"0123456789abcde\n" * 524288, True)
        assert program.call() == (b"0123456789abcde\n" * 524288, True)


@pytest.mark.parametrize("end", ["", "raise SystemExit", "os._exit(0)", "sys.exit(1)", "1 / 0"])
def test_P1_a_forked_child_that_ends_writes_no_mark(tmp_path: Path, end: str) -> None:
    source = (
        f"import os, sys\npid = os.fork()\nif not pid:\n    {end or 'pass'}\n"
        "else:\n    os.waitpid(pid, 0)\n    print('parent')"
    )
    with hosted(tmp_path, source) as program:
        assert program.response() == (b"parent\n", True)
        assert program.call() == (b"parent\n", True)
        assert program.end() == 0


def test_B1_stderr_is_the_error_log_again_in_the_next_call(tmp_path: Path) -> None:
    source = "import os, sys\nprint('note', file=sys.stderr)\nos.close(2)\nsys.stderr = None"
    with hosted(tmp_path, source) as program:
        program.response()
        assert program.call().marked
        assert program.end() == 0
        assert program.stderr() == "note\nnote\n"


def test_a_looping_script_may_run_under_the_host_too(tmp_path: Path) -> None:
    loop = "for n, request in enumerate(htsession.requests()): print(n, request.get('HTTP_X'), end='')"
    source = "import htsession\n" + loop
    with hosted(tmp_path, source) as program:
        assert program.response() == (b"0 None", True)
        assert program.call({"HTTP_X": "y"}) == (b"1 y", True)
        assert program.end() == 0
        assert program.response() == (b"", False)
        assert program.stderr() == ""
