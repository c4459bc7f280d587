"""The python host: what stays between two calls, what does not, and how a session ends."""

import sys
from pathlib import Path

import pytest

from .pipes import HOST, MARK, Program, hosted

HEAD = 'print("Content-Type: text/plain\\n")\n'
COUNTER = "count = 0\nif __name__ == '__main__':\n    count += 1\n    " + HEAD + "    print(count, end='')\n"


def test_B2_globals_stay_and_the_guarded_block_alone_runs_again(tmp_path: Path) -> None:
    with hosted(tmp_path, COUNTER) as program:
        assert program.response().body == "1"
        assert [program.call().body for _ in range(3)] == ["2", "3", "4"]


def test_B2_without_a_guarded_block_the_file_runs_again_in_the_same_namespace(tmp_path: Path) -> None:
    source = "count = globals().get('count', 0) + 1\n" + HEAD + "print(count, end='')\n"
    with hosted(tmp_path, source) as program:
        assert program.response().body == "1"
        assert program.call().body == "2"


def test_the_guard_may_be_written_either_way_round_and_future_imports_count(tmp_path: Path) -> None:
    guard = "if '__main__' == __name__:\n    def f(x: Unknown): pass\n"
    source = (
        "from __future__ import annotations\ncount = 0\n" + guard + "    count += 1\n    print(count, end='')\n"
    )
    with hosted(tmp_path, source) as program:
        assert program.response().output == b"1"
        assert program.call().output == b"2"


def test_a_file_that_changed_does_not_change_a_living_session(tmp_path: Path) -> None:
    with hosted(tmp_path, "print('old', end='')") as program:
        assert program.response().output == b"old"
        (tmp_path / "script.py").write_text("print('new')")
        assert program.call().output == b"old"


def test_the_standard_streams_have_their_modes(tmp_path: Path) -> None:
    source = "import sys; print(sys.stdin.mode, sys.stdout.mode, sys.stderr.mode, end='')"
    with hosted(tmp_path, source) as program:
        assert program.response().output == program.call().output == program.call(body=b"x").output == b"r w w"


SHOW = "import os; print({n: v for n, v in os.environ.items() if n in %r}, os.environ['HTSESSION_END'])"


def test_B1_server_variables_of_the_last_request_are_gone(tmp_path: Path) -> None:
    source = SHOW % ["HTTP_COOKIE", "CONTENT_LENGTH", "CONTENT_TYPE", "SCGI", "HTTP_ACCEPT"]
    first = {"HTTP_COOKIE": "a=1", "CONTENT_TYPE": "text/x"}
    with hosted(tmp_path, source, first, b"abc") as program:
        assert b"'HTTP_COOKIE': 'a=1'" in program.response().output
        assert program.call({"HTTP_ACCEPT": "b"}).output == f"{{'HTTP_ACCEPT': 'b'}} {MARK}\n".encode()
        assert program.call().output == f"{{}} {MARK}\n".encode()


def test_B2_variables_that_the_program_set_stay(tmp_path: Path) -> None:
    source = (
        "import os\nprint(os.environ.get('MINE'), 'PATH' in os.environ, end='')\nos.environ['MINE'] = 'kept'\n"
    )
    with hosted(tmp_path, source) as program:
        assert program.response().output == b"None True"
        assert program.call().output == b"kept True"
        assert program.call().output == b"kept True"


def test_bytes_that_are_no_utf8_pass_through_the_environment(tmp_path: Path) -> None:
    source = "import os, sys\nsys.stdout.buffer.write(os.environb[b'HTTP_X'])"
    with hosted(tmp_path, source, {"HTTP_X": "\udcff"}) as program:
        assert program.response().output == b"\xff"
        assert program.call({"HTTP_X": "\udcfe"}).output == b"\xfe"


def test_the_script_sees_itself_as_main_program(tmp_path: Path) -> None:
    source = (
        "import os, sys, pickle, __main__\nclass Thing: pass\n"
        "print(sys.argv == [__file__], os.getcwd() == sys.path[0] == os.path.dirname(__file__),"
        "      pickle.loads(pickle.dumps(Thing())).__class__ is Thing, __main__.Thing is Thing)"
    )
    with hosted(tmp_path, source) as program:
        assert program.response().output == b"True True True True\n"
        assert program.call().output == b"True True True True\n"


def test_modules_beside_the_script_and_the_helper_library_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("visits = []")
    source = "import beside, htsession\nbeside.visits.append(htsession.handle())\nprint(beside.visits, end='')"
    with hosted(tmp_path, source) as program:
        assert program.response().output == b"['offered-handle']"
        assert program.call({"HTSESSION_HANDLE": "h"}).output == b"['offered-handle', 'h']"


ENDS = ["import sys; sys.exit()", "exit(0)", "raise SystemExit(None)", "quit()"]


@pytest.mark.parametrize("end", ENDS)
def test_exit_with_success_ends_the_response_not_the_process(tmp_path: Path, end: str) -> None:
    with hosted(tmp_path, f"print('page', end='')\n{end}\nprint('never')") as program:
        assert program.response() == (b"page", True)
        assert program.call() == (b"page", True)
        assert program.end() == 0


def test_an_exit_function_that_fails_leaves_the_page_whole(tmp_path: Path) -> None:
    text = "import atexit, sys\natexit.register(lambda: 1 / 0)\nprint('page', end='')\nsys.exit(3)"
    with hosted(tmp_path, text) as program:
        assert program.response() == (b"page", True)
        assert program.process.wait(30) != 0
        assert "ZeroDivisionError" in program.stderr()


def test_a_page_that_ends_with_another_status_is_whole_and_the_process_is_over(tmp_path: Path) -> None:
    last = "import atexit, sys\natexit.register(print, ' and last', end='')\n"
    with hosted(tmp_path, f"{last}print('page', end='')\nsys.exit(3)") as program:
        assert program.response() == (b"page and last", True)
        assert program.process.wait(30) == 3


def test_P1_no_end_mark_after_an_uncaught_error_and_the_trace_is_the_scripts_own(tmp_path: Path) -> None:
    source = COUNTER + "    if count == 2:\n        1 / 0  # the place\n"
    with hosted(tmp_path, source) as program:
        assert program.response().marked
        (tmp_path / "script.py").write_text("\n" * 10)
        assert program.call() == (b"Content-Type: text/plain\n\n2", False)
        assert program.process.wait(30) == 1
        trace = program.stderr()
    assert "ZeroDivisionError" in trace and "1 / 0  # the place" in trace and str(HOST) not in trace


def test_a_syntax_error_is_reported_with_its_line(tmp_path: Path) -> None:
    with hosted(tmp_path, "print('x')\nif if\n") as program:
        assert program.response() == (b"", False)
        assert program.process.wait(30) == 1
        assert (
            "script.py" in program.stderr()
            and "line 2" in program.stderr()
            and str(HOST) not in program.stderr()
        )


def test_an_exception_hook_of_the_script_is_called(tmp_path: Path) -> None:
    hook = "import sys\nsys.excepthook = lambda kind, _, trace: print('hook', kind.__name__, trace.tb_lineno)\n"
    with hosted(tmp_path, hook + "1 / 0") as program:
        assert program.response() == (b"hook ZeroDivisionError 3\n", True)


def test_P8_end_of_file_ends_the_process_and_runs_exit_handlers_once(tmp_path: Path) -> None:
    source = (
        "import atexit, sys\n"
        "if 'seen' not in globals(): atexit.register(lambda: print('bye', file=sys.stderr))\n"
        "seen = True"
    )
    with hosted(tmp_path, source) as program:
        program.response()
        program.call()
        assert program.stderr() == ""
        assert program.end() == 0
        assert program.stderr() == "bye\n"
        assert program.response() == (b"", False)


def test_P7_a_request_with_another_mark_is_not_answered(tmp_path: Path) -> None:
    with hosted(tmp_path, COUNTER) as program:
        program.response()
        assert program.call(mark="f" * 32) == (b"", False)
        assert program.process.wait(30) == 1
        assert "HTS011" in program.stderr() and "end mark" in program.stderr()


@pytest.mark.parametrize(
    "rubbish", [b"x", b"12", b"9999999999999:", b"5:a\0b\0c,", b"4:a\0b\0;", b"4:a\0b\0,", b":,"]
)
def test_P7_rubbish_on_the_request_pipe_is_not_answered(tmp_path: Path, rubbish: bytes) -> None:
    with hosted(tmp_path, COUNTER) as program:
        program.response()
        program.send(rubbish)
        program.close()
        assert program.response() == (b"", False)
        assert program.process.wait(30) == 1
        assert program.stderr().startswith("HTS011")


def test_P11_the_first_request_may_come_as_a_frame(tmp_path: Path) -> None:
    source = COUNTER + "    import os, sys; print(os.environ.get('HTSESSION_FIRST'), sys.stdin.read(), end='')"
    with hosted(tmp_path, source, ahead=True) as program:
        assert program.call(body=b"hello").body == "1None hello"
        assert program.call().body == "2None "


def test_the_host_explains_how_it_is_started() -> None:
    with Program([sys.executable, HOST]) as program:
        assert program.process.wait(30) == 1
        assert program.stderr().startswith("usage: python.py SCRIPT")


def test_the_request_pipe_is_not_inherited_by_subprocesses(tmp_path: Path) -> None:
    test = "test -e /proc/self/fd/$HTSESSION_FD && echo open || echo closed"
    source = f"import subprocess\nsubprocess.run(['sh', '-c', {test!r}], close_fds=False)"
    with hosted(tmp_path, source) as program:
        assert program.response().output == b"closed\n"
