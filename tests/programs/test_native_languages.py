"""The native host with C++, Fortran and COBOL, whose run-time libraries keep streams and files of their own."""

import signal
from pathlib import Path

import pytest

from .native import compiled, in_cobol, native

# ---- C++


CPP = """#include <iostream>
#include <iterator>
#include <string>
struct Global {{ Global() {{ std::clog << "made "; }} ~Global() {{ std::clog << "gone"; }} }} global;
static int count;
int main() {{
    std::ios::sync_with_stdio({sync});
    std::string first{{std::istreambuf_iterator<char>(std::cin), {{}}}};
    std::cout << ++count << first;
    {more}
    return 0;
}}
"""


@pytest.mark.needs("g++")
@pytest.mark.parametrize("sync", ["true", "false"])
def test_cpp_streams_are_fresh_and_constructors_run_once(tmp_path: Path, sync: str) -> None:
    source = CPP.format(sync=sync, more="std::cin.get(); std::cout << std::cin.eof();")
    with native(compiled(tmp_path, source, ".cpp"), b"abc") as program:
        assert program.response() == (b"1abc1", True)
        assert program.call(body=b"de") == (b"2de1", True)
        assert program.call() == (b"31", True)
        assert program.call(body=b"f") == (b"4f1", True)
        assert program.end() == 0
        assert program.stderr() == "made gone"


@pytest.mark.needs("g++")
@pytest.mark.parametrize("sync", ["true", "false"])
def test_P9_cpp_forgets_what_a_call_left_unread(tmp_path: Path, sync: str) -> None:
    source = CPP.format(sync=sync, more="").replace(
        "std::string first{std::istreambuf_iterator<char>(std::cin), {}}",
        "std::string first; std::cin >> first",
    )
    with native(compiled(tmp_path, source, ".cpp"), b"abc secret") as program:
        assert program.response() == (b"1abc", True)
        assert program.call(body=b"de secret") == (b"2de", True)
        assert program.call(body=b"f") == (b"3f", True)
        assert program.call() == (b"4", True)


@pytest.mark.needs("g++")
def test_an_exception_that_nobody_catches_aborts_with_its_text(tmp_path: Path) -> None:
    source = CPP.format(sync="true", more='if (count == 2) throw std::string("oh");')
    with native(compiled(tmp_path, source, ".cpp")) as program:
        assert program.response().marked
        assert not program.call().marked
        assert program.process.wait(30) == -signal.SIGABRT
        assert "terminate called after throwing" in program.stderr()


REDIRECTED = """#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

static int count;

int main() {
    std::string line;
    std::getline(std::cin, line);
    std::cout << ++count << line;
    std::ofstream file("aside");
    std::istringstream other("other");
    std::cout.rdbuf(file.rdbuf());
    std::cin.rdbuf(other.rdbuf());
    std::cout << "aside" << std::flush;
}
"""


@pytest.mark.needs("g++")
def test_B1_a_buffer_that_a_cpp_program_gave_a_standard_stream_is_gone_with_the_call(tmp_path: Path) -> None:
    with native(compiled(tmp_path, REDIRECTED, ".cpp"), b"one") as program:
        assert program.response() == (b"1one", True)
        assert program.call(body=b"two") == (b"2two", True)
        assert program.call() == (b"3", True)
        assert program.end() == 0
        assert program.stderr() == ""
    assert (tmp_path / "aside").read_text() == "aside"


# ---- Fortran


FORTRAN = """program counter
  implicit none
  integer, save :: n = 0
  integer :: status
  character(len=20) :: line
  n = n + 1
  line = ''
  read (*, '(a)', iostat=status) line
  print '(i0, a, i0)', n, trim(line), status
  if (line == 'stop') stop
end program
"""


@pytest.mark.needs("gfortran")
def test_fortran_keeps_its_storage_and_reads_each_body_anew(tmp_path: Path) -> None:
    with native(compiled(tmp_path, FORTRAN, ".f90"), b"one\nsecret\n") as program:
        assert program.response() == (b"1one0\n", True)
        assert program.call(body=b"two\nsecret\n") == (b"2two0\n", True)
        assert program.call() == (b"3-1\n", True)
        assert program.call(body=b"four") == (b"4four0\n", True)
        assert program.call(body=b"stop") == (b"5stop0\n", False)
        assert program.process.wait(30) == 0
        assert program.stderr() == ""


@pytest.mark.needs("gfortran")
def test_what_fortran_writes_to_files_is_there_after_every_call(tmp_path: Path) -> None:
    source = (
        "program units\n  integer, save :: n = 0\n  n = n + 1\n"
        "  if (n == 1) open (unit=7, file='written', action='write')\n"
        "  write (7, '(i0)') n\nend program\n"
    )
    with native(compiled(tmp_path, source, ".f90")) as program:
        assert program.response().marked
        assert (tmp_path / "written").read_text() == "1\n"
        assert program.call().marked
        assert (tmp_path / "written").read_text() == "1\n2\n"


@pytest.mark.needs("gfortran")
@pytest.mark.parametrize(
    "statement", ["close (6)", "open (unit=6, file='aside')", "close (6); close (5); close (0)"]
)
def test_B1_the_standard_units_of_fortran_are_open_again_in_the_next_call(
    tmp_path: Path, statement: str
) -> None:
    source = (
        "program units\n  integer :: n = 0\n  character(9) :: line = ''\n  n = n + 1\n"
        "  read (*, '(a)', iostat=i) line\n  print '(a, i0)', trim(line), n\n"
        f"  write (0, '(i0)') n\n  if (n < 3) then\n    {statement}\n  end if\nend program\n"
    )
    with native(compiled(tmp_path, source, ".f90"), b"a") as program:
        assert program.response() == (b"a1\n", True)
        for call in (2, 3, 4, 5):
            assert program.call(body=b"b") == (b"b%d\n" % call, True)
        assert program.end() == 0
        assert program.stderr().split()[-3:] == ["3", "4", "5"]


# ---- COBOL


@pytest.mark.needs("cobc")
@pytest.mark.parametrize("end", ["goback", "exit program"])
def test_B2_working_storage_stays_and_goback_and_exit_program_return(tmp_path: Path, end: str) -> None:
    with in_cobol(tmp_path, f"add 1 to n display n no advancing {end}") as program:
        assert program.response() == (b"0001", True)
        assert [program.call().output for _ in range(2)] == [b"0002", b"0003"]
        assert program.end() == 0
        assert program.stderr() == ""


@pytest.mark.needs("cobc")
@pytest.mark.parametrize("name", ["1st-try", "Mixed-Case", "loud"])
def test_a_program_id_is_the_files_name_as_written_or_in_other_case(tmp_path: Path, name: str) -> None:
    with in_cobol(tmp_path, "display 'here' no advancing goback", name=name) as program:
        assert program.response() == (b"here", True)
    other = (tmp_path / f"{name}.so").rename(tmp_path / f"{name.swapcase() if name == 'loud' else name}.so")
    with native(other) as program:
        assert program.response() == (b"here", True)


@pytest.mark.needs("cobc")
def test_B1_accept_reads_each_body_anew(tmp_path: Path) -> None:
    with in_cobol(
        tmp_path,
        "move spaces to line-in accept line-in display line-in no advancing goback",
        "01 line-in pic x(3).",
    ) as program:
        assert program.response() == (b"   ", True)
        assert program.call(body=b"one\nsecret") == (b"one", True)
        assert program.call(body=b"two") == (b"two", True)
        assert program.call() == (b"   ", True)


@pytest.mark.needs("cobc")
@pytest.mark.parametrize(("end", "status"), [("stop run", 0), ("stop run returning 5", 5)])
def test_P2_stop_run_ends_the_session_after_a_complete_response(tmp_path: Path, end: str, status: int) -> None:
    with in_cobol(tmp_path, f"add 1 to n display n no advancing if n = 2 {end} end-if goback") as program:
        assert program.response() == (b"0001", True)
        assert program.call() == (b"0002", False)
        assert program.process.wait(30) == status


@pytest.mark.needs("cobc")
def test_P1_a_return_code_that_a_call_left_behind_ends_no_session(tmp_path: Path) -> None:
    statements = 'call "SYSTEM" using "exit 1" add return-code to n display n no advancing goback'
    with in_cobol(tmp_path, statements) as program:
        assert program.response() == (b"0256", True)
        assert program.call() == (b"0512", True)


@pytest.mark.needs("cobc")
def test_the_other_programs_of_a_cobol_file_can_be_called(tmp_path: Path) -> None:
    text = "identification division.\nprogram-id. {}.\nprocedure division.\n{} goback.\nend program {}.\n"
    programs = [("first", 'call "other-one" end-call'), ("other-one", "display 'other' no advancing")]
    source = "".join(text.format(name, statements, name) for name, statements in programs)
    with native(compiled(tmp_path, source, ".cob", "first")) as program:
        assert program.response() == (b"other", True)
        assert program.call() == (b"other", True)


@pytest.mark.needs("cobc")
def test_P8_files_of_a_cobol_program_are_closed_at_the_end(tmp_path: Path) -> None:
    source = (
        "identification division.\nprogram-id. files.\n"
        "environment division.\ninput-output section.\nfile-control.\n"
        f"select notes assign to '{tmp_path}/notes' organization sequential.\n"
        "data division.\nfile section.\nfd notes.\n01 note pic x(4).\n"
        "working-storage section.\n01 n pic 9(4) value 0.\n"
        "procedure division.\nadd 1 to n if n = 1 open output notes end-if move n to note write note goback.\n"
    )
    with native(compiled(tmp_path, source, ".cob", "files")) as program:
        assert program.response().marked and program.call().marked
        assert program.end() == 0
        assert "implicit CLOSE of notes" in program.stderr()
    assert (tmp_path / "notes").read_bytes() == b"00010002"


@pytest.mark.needs("cobc")
def test_an_error_at_run_time_is_told_and_ends_the_session(tmp_path: Path) -> None:
    with in_cobol(tmp_path, 'display "page" no advancing call "nowhere" end-call goback') as program:
        assert program.response() == (b"page", False)
        assert program.process.wait(30) == 1
        assert "nowhere" in program.stderr()


@pytest.mark.needs("cobc")
def test_a_crash_of_a_cobol_program_is_told_with_its_signal(tmp_path: Path) -> None:
    with in_cobol(
        tmp_path, 'add 1 to n if n = 2 call "raise" using by value 11 end-call end-if goback'
    ) as program:
        assert program.response().marked
        assert program.call() == (b"", False)
        assert program.process.wait(30) != 0
        assert "SIGSEGV" in program.stderr()
