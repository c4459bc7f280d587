"""The libraries for looping programs, and the sample of the protocol's own documentation."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .pipes import HELPERS, MARK, ROOT, Program, Response

LARGE = bytes(range(256)) * (8 << 12)  # 8 MiB
BASH = '. "$HTSESSION_LIB/htsession.bash"\nset -eu\ncount=0\nwhile htsession_accept; do\n%s\ndone\n%s'
PYTHON = """import os, sys
sys.path.append(os.environ["HTSESSION_LIB"])
import htsession
count = 0
for request in htsession.requests():
    %s
%s"""
COUNT = {"bash": 'count=$((count + 1)); printf "%s" "$count"', "python": "count += 1; print(count, end='')"}
ECHO = {"bash": "cat", "python": "sys.stdout.buffer.write(sys.stdin.buffer.read())"}
IGNORE = {"bash": "echo done", "python": "print('done')"}
FIRST_LINE = {
    "bash": 'IFS= read -r line || true; echo "$line"',
    "python": "print(sys.stdin.readline().strip())",
}
AFTER = {"bash": "echo bye >&2", "python": "print('bye', file=sys.stderr)"}
NAMES = ["HTTP_COOKIE", "CONTENT_LENGTH", "SCGI", "HTTP_ACCEPT", "MINE"]
SHOW = {
    "bash": f'for name in {" ".join(NAMES)}; do printf "%s|" "${{!name-}}"; done; export MINE=kept',
    "python": f"""
    print(*(os.environ.get(name, '') for name in {NAMES}), '', sep='|', end='')
    os.environ['MINE'] = 'kept'""",
}
FORK = {
    "bash": "( htsession_accept && echo never ) || echo parent",
    "python": "pid = os.fork()\n    if pid: os.waitpid(pid, 0); print('parent')",
}
LANGUAGES = [pytest.param("bash", marks=pytest.mark.needs("bash")), pytest.param("python")]


def looping(language: str, folder: Path, body: dict[str, str], data: bytes = b"", **variables: str) -> Program:
    """A program that loops over `body` with its language's library."""
    script = folder / f"looping.{language}"
    template, command = {"bash": (BASH, "bash"), "python": (PYTHON, sys.executable)}[language]
    script.write_text(template % (body[language], AFTER[language]))
    return Program([command, script], variables, data, folder)


@pytest.mark.parametrize("language", LANGUAGES)
def test_P1_P8_a_loop_answers_until_end_of_file_and_then_cleans_up(tmp_path: Path, language: str) -> None:
    with looping(language, tmp_path, COUNT) as program:
        assert program.response() == (b"1", True)
        assert program.call() == (b"2", True)
        assert program.call() == (b"3", True)
        assert program.end() == 0
        assert program.response() == (b"", False)
        assert program.stderr() == "bye\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_P7_bodies_are_binary_safe_and_end(tmp_path: Path, language: str) -> None:
    with looping(language, tmp_path, ECHO, LARGE) as program:
        assert program.response() == (LARGE, True)
        assert program.call(body=LARGE[::-1]) == (LARGE[::-1], True)
        assert program.call(body=b"\0") == (b"\0", True)
        assert program.call() == (b"", True)


@pytest.mark.parametrize("body", [IGNORE, FIRST_LINE], ids=["ignored", "first line"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_P9_what_a_loop_leaves_of_a_body_is_drained(
    tmp_path: Path, language: str, body: dict[str, str]
) -> None:
    data = b"done\n" + LARGE
    with looping(language, tmp_path, body, data) as program:
        assert program.response() == (b"done\n", True)
        assert program.call(body=data) == (b"done\n", True)
        assert program.call(body=b"done\n") == (b"done\n", True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_B1_B2_the_servers_variables_go_and_the_programs_stay(tmp_path: Path, language: str) -> None:
    with looping(language, tmp_path, SHOW, b"abc", HTTP_COOKIE="a=1") as program:
        assert program.response().output == b"a=1|3||||"
        assert program.call({"HTTP_ACCEPT": "x 'y' \"z\" $w \n\\"}).output == b"|||x 'y' \"z\" $w \n\\|kept|"
        assert program.call(body=b"ab").output == b"|2|||kept|"


@pytest.mark.parametrize("language", LANGUAGES)
def test_P7_lengths_are_bytes_whatever_the_locale(tmp_path: Path, language: str) -> None:
    with looping(language, tmp_path, SHOW, LC_ALL="C.UTF-8") as program:
        program.response()
        assert program.call({"HTTP_ACCEPT": "äö\udcff", "LC_ALL": "C.UTF-8"}).output.startswith(b"|||\xc3\xa4")
        assert program.call({"HTTP_ACCEPT": "€"}).output == "|||€|kept|".encode()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rubbish", [b"x:", b"12:abc", b"4:a\0b\0,", b"12:a\0b\0c\0d\0e\0f\0;"])
def test_P7_rubbish_is_not_answered(tmp_path: Path, language: str, rubbish: bytes) -> None:
    with looping(language, tmp_path, COUNT) as program:
        program.response()
        program.send(rubbish)
        program.close()
        assert program.response() == (b"", False)
        assert program.process.wait(30) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_P7_another_processs_request_is_not_answered(tmp_path: Path, language: str) -> None:
    with looping(language, tmp_path, COUNT) as program:
        program.response()
        assert program.call(mark="f" * 32) == (b"", False)
        assert program.process.wait(30) == 1
        assert "another process's end mark" in program.stderr()


@pytest.mark.parametrize("language", LANGUAGES)
def test_P1_a_subshell_or_child_writes_no_mark(tmp_path: Path, language: str) -> None:
    with looping(language, tmp_path, FORK) as program:
        assert program.response() == (b"parent\n", True)
        assert program.call() == (b"parent\n", True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_under_a_plain_CGI_server_the_loop_runs_once(tmp_path: Path, language: str) -> None:
    with looping(language, tmp_path, COUNT) as program:
        program.response()
    command = {"bash": "bash", "python": sys.executable}[language]
    done = subprocess.run(
        [command, tmp_path / f"looping.{language}"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HTSESSION_LIB": str(HELPERS)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"1", b"bye\n")


def sample(number: int) -> str:
    """A code block of the documentation: 0 Python, 1 Bash."""
    blocks = re.findall(r"```(?:python|bash)\n(.*?)```", (ROOT / "docs" / "protocol.md").read_text(), re.DOTALL)
    return str(blocks[number])


def test_the_documented_loop_without_a_library_works(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(sample(0))
    with Program([sys.executable, tmp_path / "sample.py"]) as program:
        head = b"Accept-HTSession: offered-handle\nContent-Type: text/plain\n\n"
        assert program.response() == Response(head + b"visit 1\n", marked=True)
        assert program.call(body=LARGE) == Response(head + b"visit 2\n", marked=True)
        assert program.call() == Response(head + b"visit 3\n", marked=True)
        assert program.end() == 0


@pytest.mark.needs("bash")
def test_the_documented_loop_in_bash_works(tmp_path: Path) -> None:
    (tmp_path / "sample.sh").write_text(sample(1))
    with Program(["bash", tmp_path / "sample.sh"]) as program:
        assert program.response().body == "visit 1\n"
        assert program.call({"HTSESSION_HANDLE": "mine"}).output.startswith(b"Accept-HTSession: mine\n")
        assert program.call().body == "visit 3\n"
        assert program.end() == 0
    assert MARK not in sample(1)
