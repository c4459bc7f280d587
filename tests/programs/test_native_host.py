"""The native host: what stays between two calls of a shared object, what does not, and how a session ends."""

import signal
import sys
from pathlib import Path

import pytest

from .native import C_HEADERS, HOST, compiled, in_c, native
from .pipes import Program

LARGE = bytes(range(256)) * (8 << 12)  # 8 MiB


@pytest.mark.needs("gcc")
def test_B2_static_storage_stays_between_calls_of_main(tmp_path: Path) -> None:
    with in_c(tmp_path, 'printf("%d", count);') as program:
        assert program.response() == (b"1", True)
        assert [program.call().output for _ in range(3)] == [b"2", b"3", b"4"]
        assert program.end() == 0
        assert program.stderr() == ""


@pytest.mark.needs("gcc")
def test_main_gets_its_own_path_and_no_arguments_in_its_own_folder(tmp_path: Path) -> None:
    statements = (
        'char here[4096]; printf("%d|%s|%d|%s", argc, argv[0], !argv[argc], getcwd(here, sizeof here));'
    )
    with in_c(tmp_path, statements) as program:
        expected = f"1|{tmp_path}/program.so|1|{tmp_path}".encode()
        assert program.response().output == expected
        assert program.call().output == expected


@pytest.mark.needs("gcc")
def test_P1_everything_in_stdio_is_written_before_the_mark(tmp_path: Path) -> None:
    statements = (
        "static char buffer[100000]; if (count == 1) setvbuf(stdout, buffer, _IOFBF, sizeof buffer);"
        'printf("a%d", count); system("printf b");'
        'FILE *own = fdopen(dup(1), "w"); fputs("c", own);'
    )
    with in_c(tmp_path, statements) as program:
        assert sorted(program.response().output) == sorted(b"a1bc")
        answer = program.call()
        assert answer.marked and sorted(answer.output) == sorted(b"a2bc")


ECHO = (
    "char part[4096]; size_t size; while ((size = fread(part, 1, sizeof part, stdin)))"
    " fwrite(part, 1, size, stdout);"
)


@pytest.mark.needs("gcc")
def test_B1_stdin_of_every_call_ends_after_the_body_and_all_bytes_pass(tmp_path: Path) -> None:
    with in_c(tmp_path, ECHO, LARGE) as program:
        assert program.response() == (LARGE, True)
        assert program.call(body=LARGE[::-1]) == (LARGE[::-1], True)
        assert program.call() == (b"", True)
        assert program.call(body=b"\0\4") == (b"\0\4", True)


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("read", ["", "getchar();", "ungetc(getchar(), stdin);", "close(0);", "fclose(stdin);"])
def test_P9_what_is_left_of_a_body_is_not_in_the_next_call(tmp_path: Path, read: str) -> None:
    with in_c(tmp_path, f"if (count % 2) {{ {read} }} else {{ {ECHO} }}", LARGE) as program:
        assert program.response() == (b"", True)
        assert program.call(body=b"second") == (b"second", True)
        assert program.call(body=b"third") == (b"", True)
        assert program.call(body=b"fourth") == (b"fourth", True)
        assert program.call() == (b"", True)
        assert program.call() == (b"", True)


@pytest.mark.needs("gcc")
def test_a_body_is_told_and_sought_from_its_own_beginning(tmp_path: Path) -> None:
    told = 'if (count == 2) fseek(stdin, 1, SEEK_SET); getchar(); printf("%ld ", ftell(stdin));'
    with in_c(tmp_path, f"{told} if (count == 4) {{ rewind(stdin); {ECHO} }}") as program:
        program.response()
        assert program.call(body=b"abc").output == b"2 "
        assert program.call(body=b"def").output == b"1 "
        assert program.call(body=b"ghi").output == b"1 ghi"


WRITERS = {
    "closed": 'printf("x"); fclose(stdout);',
    "closed descriptor": 'printf("x"); fflush(stdout); close(1);',
    "redirected": 'printf("x"); fflush(stdout); if (!freopen("/dev/null", "w", stdout)) return 9; printf("y");',
    "standard error closed": 'fclose(stderr); printf("x");',
    "error of the stream": 'printf("x"); fgetc(stdout);',
}


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_B1_standard_streams_are_there_again_whatever_a_call_did_to_them(tmp_path: Path, write: str) -> None:
    with in_c(tmp_path, f'fprintf(stderr, "%d\\n", ferror(stdout)); {write}') as program:
        assert program.response() == (b"x", True)
        assert program.call() == (b"x", True)
        assert program.call() == (b"x", True)
        assert program.end() == 0
        assert program.stderr() == "0\n0\n0\n"


@pytest.mark.needs("gcc")
def test_last_words_are_not_lost_though_the_program_once_closed_standard_error(tmp_path: Path) -> None:
    with in_c(
        tmp_path, 'if (count == 1) { fclose(stderr); } else { fputs("word", stderr); abort(); }'
    ) as program:
        assert program.response().marked
        assert not program.call().marked
        assert program.stderr() == "word"


@pytest.mark.needs("gcc")
def test_B1_B2_variables_of_the_server_go_those_of_the_program_stay(tmp_path: Path) -> None:
    show = 'printf("%s %s %s|", getenv("HTTP_X"), getenv("MINE"), getenv("CONTENT_LENGTH"));'
    source = (
        f'{show} setenv("MINE", "kept", 1);'
        ' for (char **at = environ; *at; at++) if (!strncmp(*at, "HTTP_Y", 6)) puts(*at);'
    )
    with in_c(tmp_path, source, b"abc", "extern char **environ;") as program:
        assert program.response().output == b"(null) (null) 3|"
        assert program.call({"HTTP_X": "\udcff", "HTTP_Y": "in environ"}).output == (
            b"\xff kept (null)|HTTP_Y=in environ\n"
        )
        assert program.call().output == b"(null) kept (null)|"


@pytest.mark.needs("gcc")
def test_the_process_is_as_a_C_program_finds_it(tmp_path: Path) -> None:
    before = "#include <locale.h>\n#include <err.h>\n"
    source = (
        'printf("%d%d %s", signal(SIGPIPE, SIG_DFL) == SIG_DFL, signal(SIGINT, SIG_DFL) == SIG_DFL,'
        ' setlocale(LC_ALL, NULL)); warnx("careful");'
    )
    with in_c(tmp_path, source, before=before) as program:
        assert program.response().output == b"11 C"
        program.call()
        assert program.end() == 0
        assert program.stderr() == "program.so: careful\nprogram.so: careful\n"


@pytest.mark.needs("gcc")
def test_P11_the_first_request_may_come_as_a_frame(tmp_path: Path) -> None:
    path = compiled(tmp_path, f"{C_HEADERS}int main(void) {{ {ECHO} return 0; }}")
    with native(path, ahead=True) as program:
        assert program.call(body=b"hello") == (b"hello", True)
        assert program.call(body=b"again") == (b"again", True)


@pytest.mark.needs("gcc")
def test_P8_functions_of_atexit_and_destructors_run_once_at_the_end(tmp_path: Path) -> None:
    before = (
        'static void bye(void) { fputs("bye ", stderr); }\n'
        '__attribute__((destructor)) static void gone(void) { fputs("gone", stderr); }'
    )
    with in_c(tmp_path, "if (count == 1) atexit(bye);", before=before) as program:
        program.response()
        program.call()
        assert program.stderr() == ""
        assert program.end() == 0
        assert program.stderr() == "bye gone"


@pytest.mark.needs("gcc")
@pytest.mark.parametrize(
    "source",
    [
        'int main(void) { printf("page"); return 3; }',
        'void main(void) { printf("page"); }',
        'main() { printf("page"); }',
    ],
)
def test_P1_whatever_main_returns_ends_the_response(tmp_path: Path, source: str) -> None:
    with native(compiled(tmp_path, f"{C_HEADERS}{source}\n", ".c", "program", "-std=gnu89", "-w")) as program:
        assert program.response() == (b"page", True)
        assert program.call() == (b"page", True)
        assert program.end() == 0


@pytest.mark.needs("gcc")
def test_B1_what_a_program_did_to_server_variables_is_undone_though_their_values_are_the_same(
    tmp_path: Path,
) -> None:
    show = 'for (const char **n = names; *n; n++) printf("%s;", getenv(*n) ? getenv(*n) : "absent");'
    names = 'static const char *names[] = {"SERVER_NAME", "QUERY_STRING", "HTTP_COLOUR", "OWN", 0};'
    spoil = 'setenv("SERVER_NAME", "spoiled", 1); unsetenv("QUERY_STRING"); setenv("OWN", "mine", 1);'
    with in_c(tmp_path, f"{show} {spoil} if (count == 3) clearenv();", before=names) as program:
        program.response()
        request = {"SERVER_NAME": "host", "QUERY_STRING": "q", "HTTP_COLOUR": "red"}
        for _ in range(2):
            assert program.call(request).output == b"host;q;red;mine;"
        assert program.call(request).output == b"host;q;red;absent;"
        assert program.call({"SERVER_NAME": "host", "QUERY_STRING": "q"}).output == b"host;q;absent;mine;"


@pytest.mark.needs("gcc")
@pytest.mark.parametrize(("end", "status"), [("exit(0)", 0), ("exit(4)", 4), ("fflush(0), _exit(0)", 0)])
def test_P2_exit_ends_the_session_after_a_complete_response(tmp_path: Path, end: str, status: int) -> None:
    with in_c(tmp_path, f'printf("page"); if (count == 2) {end};') as program:
        assert program.response() == (b"page", True)
        assert program.call() == (b"page", status != 0)  # with 0, end of file says that it is whole
        assert program.process.wait(30) == status
        assert program.stderr() == ""


@pytest.mark.needs("gcc")
def test_exit_functions_write_the_last_of_a_page_and_a_childs_exit_ends_none(tmp_path: Path) -> None:
    before = '#include <sys/wait.h>\nstatic void last(void) { printf(" and last"); }'
    text = (
        "if (count == 1) atexit(last); fflush(0); if (!fork()) exit(5); wait(0);"
        'printf("page"); if (count == 2) exit(3);'
    )
    with in_c(tmp_path, text, before=before) as program:
        assert program.response() == (b" and lastpage", True)
        assert program.call() == (b" and lastpage and last", True)
        assert program.process.wait(30) == 3


@pytest.mark.needs("gcc")
@pytest.mark.parametrize(
    ("crash", "number"),
    [
        ("*(volatile int *)8 = 1", signal.SIGSEGV),
        ("abort()", signal.SIGABRT),
        ("raise(SIGPIPE)", signal.SIGPIPE),
    ],
)
def test_a_crash_ends_the_process_by_its_signal(tmp_path: Path, crash: str, number: int) -> None:
    with in_c(tmp_path, f"if (count == 2) {crash};") as program:
        assert program.response().marked
        assert program.call() == (b"", False)
        assert program.process.wait(30) == -number


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("end", ["return 0", "exit(0)", "_exit(0)"])
def test_P1_a_forked_child_that_ends_writes_no_mark(tmp_path: Path, end: str) -> None:
    before = "#include <sys/wait.h>"
    fork = f"if (!fork()) {end}; wait(0); " + 'printf("parent");'
    with in_c(tmp_path, fork, before=before) as program:
        assert program.response() == (b"parent", True)
        assert program.call() == (b"parent", True)
        assert program.end() == 0


def test_the_host_explains_how_it_is_started() -> None:
    with Program([sys.executable, HOST]) as program:
        assert program.process.wait(30) == 1
        assert program.stderr().startswith("usage: native.py SCRIPT")


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("rubbish", [b"x", b"4:a\0b\0;", b":,"])
def test_P7_rubbish_on_the_request_pipe_is_not_answered(tmp_path: Path, rubbish: bytes) -> None:
    with in_c(tmp_path, "") as program:
        program.response()
        program.send(rubbish)
        program.close()
        assert program.response() == (b"", False)
        assert program.process.wait(30) == 1
        assert program.stderr().startswith("HTS011")
