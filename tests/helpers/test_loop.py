"""What a looping program can rely on: the loop itself, its end, its standard streams."""

import signal
from pathlib import Path

from tests.programs.pipes import MARK, OFFER

from .conftest import Looper, asking, frame, wait_until_asleep


def test_P1_P8_a_loop_answers_until_end_of_file_then_cleans_up_and_exits_with_0(looper: Looper) -> None:
    with looper.start() as program:
        assert program.response() == (b"1", True)
        assert program.call() == (b"2", True)
        assert program.call() == (b"3", True)
        assert program.end() == 0
        assert program.response() == (b"", False)
        assert program.stderr() == "bye\n"


def test_P8_a_first_response_may_be_the_only_one(looper: Looper) -> None:
    with looper.start() as program:
        program.close()
        assert program.response() == (b"1", True)
        assert program.end() == 0
        assert program.response() == (b"", False)
        assert program.stderr() == "bye\n"


def test_P1_what_only_looks_like_an_end_mark_is_body(looper: Looper) -> None:
    with looper.start("almost") as program:
        assert program.response() == (b"\4%s.\4" % MARK.encode(), True)
        assert program.call(asking("almost")) == (b"\4%s.\4" % MARK.encode(), True)
        assert program.end() == 0
        assert program.response() == (b"", False)


def test_P3_no_end_mark_after_an_exit_within_a_response(looper: Looper) -> None:
    with looper.start() as program:
        program.response()
        assert program.call(asking("exit")) == (b"page", False)
        assert program.process.wait(30) == 3


def test_P11_the_first_request_may_come_as_a_frame(looper: Looper) -> None:
    with looper.ahead() as program:
        assert program.call(asking("echo"), b"hello") == (b"hello", True)
        assert program.call(asking("variables", "HTSESSION_FIRST,MINE")).output == b"-\0+before the loop\0"
        assert program.call() == (b"3", True)
        assert program.end() == 0


def test_P11_a_process_that_never_gets_a_request_says_nothing(looper: Looper) -> None:
    with looper.ahead() as program:
        assert program.end() == 0
        assert program.response() == (b"", False)
        assert program.stderr() == "bye\n"


def test_H11_the_handle_is_the_requests_own_else_the_one_on_offer(looper: Looper) -> None:
    with looper.start("handle") as program:
        assert program.response().output == OFFER.encode()
        assert program.call(asking("handle", HTSESSION_HANDLE="mine")).output == b"mine"
        assert program.call(asking("handle")).output == OFFER.encode()


def test_a_forked_child_gets_no_request_and_writes_no_mark(looper: Looper) -> None:
    with looper.start("fork") as program:
        assert program.response() == (b"parent", True)
        assert program.call(asking("fork")) == (b"parent", True)
        assert program.call() == (b"3", True)


def test_a_looping_program_that_another_one_runs_answers_once_and_writes_no_mark(looper: Looper) -> None:
    with looper.start("nested") as program:
        assert program.response() == (b"1", True)
        assert program.call(asking("nested")) == (b"1", True)
        assert program.call() == (b"3", True)


def test_under_a_plain_CGI_server_the_loop_runs_once_with_the_library_copied_beside_it(looper: Looper) -> None:
    done = looper.alone("echo", b"form")
    assert (done.stdout, done.stderr) == (b"form", b"bye\n")


def test_under_a_plain_CGI_server_there_is_no_handle(looper: Looper) -> None:
    assert looper.alone("handle", b"").stdout == b""


def test_B1_standard_streams_that_a_program_closed_are_there_again(looper: Looper) -> None:
    with looper.start("close") as program:
        assert program.response() == (b"closed", True)
        assert program.call(asking("echo"), b"body") == (b"body", True)
        assert program.call(asking("close")) == (b"closed", True)
        assert program.call(asking("warn", "heard")) == (b"", True)
        assert program.call() == (b"5", True)
        assert program.stderr() == "heard\n"


def test_B1_standard_output_that_a_program_turned_into_a_file_is_there_again(
    looper: Looper, tmp_path: Path
) -> None:
    with looper.start("redirect", str(tmp_path / "first")) as program:
        assert program.response() == (b"", True)
        assert program.call(asking("redirect", str(tmp_path / "second"))) == (b"", True)
        assert program.call() == (b"3", True)
    assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text() == "to the file\n"


def test_a_subprocess_reads_the_body_and_writes_between_what_the_program_prints(looper: Looper) -> None:
    with looper.start("child", body=b"one") as program:
        assert program.response() == (b"<one>", True)
        assert program.call(asking("child"), b"two") == (b"<two>", True)
        assert program.call(asking("child")) == (b"<>", True)


def test_three_hundred_calls_leave_no_descriptor_open(looper: Looper) -> None:
    bodies = [b"small", bytes(5000), bytes(100_000)]
    with looper.start() as program:
        program.response()
        before = program.call(asking("descriptors"))
        for number in range(300):
            program.call(asking("ignore"), b"" if number % 10 else bodies[number // 10 % 3])
        assert program.call(asking("descriptors")) == before


def test_signals_that_a_program_catches_do_not_disturb_the_wait(looper: Looper) -> None:
    whole = frame(asking("echo"), b"body")
    with looper.start("catch") as program:
        program.response()
        for part in (whole[:1], whole[1:3], whole[3:50], whole[50:-2], whole[-2:]):
            wait_until_asleep(program.process.pid)
            program.process.send_signal(signal.SIGUSR1)
            wait_until_asleep(program.process.pid)
            program.send_now(part)
        assert program.response() == (b"body", True)
