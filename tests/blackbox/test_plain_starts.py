"""Programs that live for one request and are over at once: what they do the next time need not be the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive
from tests.blackbox.raw import Raw

pytestmark = pytest.mark.running

# What a plain page is not: each is asked for by its name in the query
PROGRAM = r"""#!/bin/sh
what=${QUERY_STRING%%&*} place=${QUERY_STRING#*&}
case $what in
large) printf 'Content-Type: text/plain\n\n'; head -c 300000 /dev/zero | tr '\0' x; exit ;;
pieces) printf 'Content-Type: text/plain\n\nfirst\n'
    until [ -e "$place" ]; do sleep 0.01; done; echo last; exit ;;
errors) i=0; while [ $i -lt 3000 ]; do echo "a line of errors, number $i" >&2; i=$((i + 1)); done ;;
word) echo "a last word" >&2 ;;
killed) kill -KILL $$ ;;
silent) exit 3 ;;
lives) printf 'Content-Type: text/plain\n\n%s\n' $$; exec sleep 1000 >/dev/null ;;
session) printf 'Content-Type: text/plain\nAccept-HTSession: %s\n\nbegun\n\004%s\n' \
    "$HTSESSION_NEXT_HANDLE" "$HTSESSION_END"; cat <&3 >/dev/null; exit ;;
form) printf 'Content-Type: text/plain\n\n'; cat; exit ;;
again) printf 'Location: /cgi-bin/brief\n\n'; exit ;;
esac
printf 'Content-Type: text/plain\n\n%s\n' "$REQUEST_METHOD $what"
"""
TIMES = 4


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared("", {"brief": PROGRAM})


def settled(gateway: Gateway, name: str = "brief") -> str:
    """The path of the program, once it is expected to be over at once."""
    for _ in range(TIMES):
        answer = gateway.get(f"/cgi-bin/{name}?page")
        assert (answer.status, answer.text) == (200, "GET page\n"), answer
    return f"/cgi-bin/{name}"


def test_plain_pages_come_one_after_another_over_one_connection(gateway: Gateway) -> None:
    path = settled(gateway)
    with Raw(gateway) as client:
        for n in range(10):
            answer = client.request(f"GET {path}?{n}")
            assert (answer.status, answer.body) == (200, b"GET %d\n" % n)
            assert answer.header("content-length") == str(len(answer.body))


def test_a_page_that_is_larger_than_a_pipe_comes_whole(gateway: Gateway) -> None:
    path = settled(gateway)
    assert gateway.get(f"{path}?large").body == b"x" * 300_000


def test_the_first_part_of_a_page_does_not_wait_for_its_end(gateway: Gateway, tmp_path: Path) -> None:
    path = settled(gateway)
    with Raw(gateway) as client:
        client.send(f"GET {path}?pieces&{tmp_path}/go HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        found = b""
        while b"first" not in found:
            more = client.sock.recv(65536)
            assert more, found
            found += more
        (tmp_path / "go").touch()
        while b"last" not in found:
            more = client.sock.recv(65536)
            assert more, found
            found += more


def test_errors_that_are_larger_than_a_pipe_are_logged_to_the_last_line(gateway: Gateway) -> None:
    path = settled(gateway)
    assert gateway.get(f"{path}?errors").text == "GET errors\n"
    gateway.wait_log("a line of errors, number 2999")
    assert gateway.log.count("a line of errors, number ") == 3000


def test_the_last_word_of_a_program_is_logged(gateway: Gateway) -> None:
    path = settled(gateway)
    assert gateway.get(f"{path}?word").text == "GET word\n"
    gateway.wait_log("a last word")


@pytest.mark.parametrize(("what", "text"), [("killed", "signal 9"), ("silent", "exit status 3")])
def test_a_program_that_fails_is_answered_with_an_error_and_logged(
    gateway: Gateway, what: str, text: str
) -> None:
    path = settled(gateway)
    with Raw(gateway) as client:
        assert client.request(f"GET {path}?{what}").status == 502
        assert client.request(f"GET {path}?page").body == b"GET page\n"  # the connection goes on
    gateway.wait_log(rf"brief.*{text}")


def test_a_session_may_begin_after_plain_pages(gateway: Gateway) -> None:
    path = settled(gateway)
    answer = gateway.get(f"{path}?session")
    assert (answer.status, answer.text) == (200, "begun\n")
    wait_for("the session", lambda: gateway.instances() or None)
    for pid in gateway.instances():
        os.kill(pid, 9)
    wait_for("the end of the session", lambda: not gateway.instances() or None)


def test_a_body_comes_to_the_program(gateway: Gateway) -> None:
    path = settled(gateway)
    for size in (1, 1000, 60_000, 600_000):
        assert gateway.post(f"{path}?form", b"y" * size).body == b"y" * size


def test_a_local_redirect_of_a_plain_program_is_followed(gateway: Gateway) -> None:
    path = settled(gateway)
    assert gateway.get(f"{path}?again").text == "GET \n"


def test_a_client_that_leaves_ends_nobody_and_leaves_nothing(gateway: Gateway) -> None:
    path = settled(gateway)
    for _ in range(TIMES):
        with Raw(gateway) as client:
            client.send(f"GET {path}?page HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    wait_for("the end of all programs", lambda: not gateway.instances() or None)
    settled(gateway)


def _gone(file: Path) -> None:
    file.unlink()


def _not_executable(file: Path) -> None:
    file.chmod(0o644)


def _link(file: Path) -> None:
    moved = file.with_name(f"{file.name}-moved")
    file.rename(moved)
    file.symlink_to(moved)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _no_interpreter(file: Path) -> None:
    file.write_text("#!/no/such/interpreter\n")


CHANGES: dict[str, tuple[Callable[[Path], None], int]] = {
    "gone": (_gone, 404),
    "not executable any more": (_not_executable, 403),
    "a link": (_link, 403),
    "a folder": (_folder, 301),
    "without an interpreter": (_no_interpreter, 500),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_program_that_has_changed_is_not_started_from_memory(serve: Serve, what: str) -> None:
    gateway = serve("<Directory />\nOptions ExecCGI\n</Directory>", {"brief": PROGRAM})
    path = settled(gateway)
    change, status = CHANGES[what]
    change(gateway.cgi_bin / "brief")
    with Raw(gateway) as client:
        for _ in range(2):
            assert client.request(f"GET {path}?page").status == status


def test_a_front_that_dies_while_programs_run_leaves_none_behind(serve: Serve) -> None:
    gateway = serve("", {"brief": PROGRAM})
    path = settled(gateway)
    with Raw(gateway) as client:
        client.send(f"GET {path}?lives HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        (pid,) = wait_for("the program", gateway.instances)
        gateway.kill_front()
    wait_for("its end", lambda: not alive(pid) or None)
    settled(gateway)


def test_programs_run_side_by_side(gateway: Gateway, tmp_path: Path) -> None:
    path = settled(gateway)
    clients = [Raw(gateway) for _ in range(TIMES)]
    for client in clients:
        client.send(f"GET {path}?pieces&{tmp_path}/go HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    wait_for("all of them", lambda: len(gateway.instances()) >= TIMES or None)
    settled(gateway)  # beside those that run
    (tmp_path / "go").touch()
    for client in clients:
        assert client.answer().body == b"first\nlast\n"
        client.sock.close()
