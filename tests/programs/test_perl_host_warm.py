"""A warm perl host: it makes processes for its keeper, in which a script sees what it sees in a cold one."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gateway.protocol import scgi

from .pipes import BOUND, HELPERS, MARK, PERL_HOST, request
from .test_perl_host import STRICT, perl

pytestmark = pytest.mark.needs("perl")
START = "import os, sys; os.dup2({0}, 3); os.close({0}); os.execvp('perl', ['perl', sys.argv[1]])"
END = b"\4%s\n" % MARK.encode()


class Warm:
    """A warm host; this process is its keeper."""

    def __init__(self, **more: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(BOUND)
        environment = {"PATH": os.environ["PATH"], "HTSESSION_LIB": str(HELPERS), "HTSESSION_WARM": "3"} | more
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START.format(theirs.fileno()), PERL_HOST], env=environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
            )  # fmt: skip

    def start(self, errors: Path) -> "Session":
        """A process that waits for its first request."""
        (output, theirs), (reader, requests) = os.pipe2(os.O_DIRECT), os.pipe()
        log = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        socket.send_fds(self._control, [MARK.encode()], [theirs, log, reader])
        for descriptor in (theirs, log, reader):
            os.close(descriptor)
        return Session(int(self._control.recv(64)), output, requests)

    def close(self) -> int:
        """The end of the keeper's socket; the exit status of the host."""
        self._control.close()
        return self.process.wait(BOUND)


class Session:
    """A child of this process, made by the warm host."""

    def __init__(self, pid: int, output: int, requests: int) -> None:
        self.pid, self._output, self._requests = pid, output, requests

    def ask(self, script: Path, variables: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        """Send a request."""
        pairs = {os.fsencode(name): os.fsencode(value) for name, value in request(variables, body).items()}
        pairs[b"SCRIPT_FILENAME"] = os.fsencode(script)
        os.write(self._requests, scgi.encode(pairs, len(body), MARK.encode()) + body)

    def call(
        self, script: Path, variables: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[str, bool]:
        """What the script answers, and whether the end mark came."""
        self.ask(script, variables, body)
        output = b""
        while not output.endswith(END) and (part := self.read()):
            output += part
        return output.removesuffix(END).decode(), output.endswith(END)

    def read(self) -> bytes:
        """What was put on standard output in one write."""
        return os.read(self._output, 1 << 16)

    def close(self) -> None:
        """End of file on the request pipe."""
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1

    def end(self) -> int:
        """End of file on the request pipe, and nobody who reads; the exit status."""
        self.close()
        os.close(self._output)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    host = Warm()
    yield host
    assert host.close() == 0


def written(folder: Path, source: str) -> Path:
    """A script; messages go to `errors` beside it."""
    (folder / "script.pl").write_text(source)
    return folder / "script.pl"


def test_P11_a_session_begins_with_a_frame_and_goes_on_as_a_cold_one(warm: Warm, tmp_path: Path) -> None:
    source = (
        STRICT
        + "our $count; $count++; my $x = $count; sub x { $x } print x(), <STDIN>; END { print STDERR 'end' }"
    )
    script, session = written(tmp_path, source), warm.start(tmp_path / "errors")
    assert session.call(script, body=b"one") == ("1one", True)
    assert session.call(script) == ("2", True)
    assert session.call(script, body=b"three") == ("3three", True)
    assert session.end() == 0
    assert (tmp_path / "errors").read_text() == "end"


PAGES = {
    "plain": "print 'page'",
    "a form": "my $form = <STDIN>; print 'page'",
    "text": "binmode $_, ':utf8' for *STDIN, *STDOUT; print 'page'",
    "text by a pragma": "use open qw(:std :utf8); print 'page'",
    "another handle that is gone": "open my $own, '<', $0; my $line = <$own>; print 'page'",
    "a subroutine": "use CGI; my $form = CGI->new; my $text = 'page'; sub show { print $text } show()",
}


@pytest.mark.parametrize("source", PAGES.values(), ids=PAGES.keys())
def test_P1_page_and_end_mark_come_in_one_write(warm: Warm, tmp_path: Path, source: str) -> None:
    script, session = written(tmp_path, source), warm.start(tmp_path / "errors")
    for body in (b"", b"", b"text", b""):
        session.ask(script, body=body)
        assert session.read() == b"page" + END
    assert session.end() == 0


def test_P1_the_end_mark_comes_behind_what_any_handle_holds(warm: Warm, tmp_path: Path) -> None:
    source = (
        "print 'a'; our $b; $b or open $b, '>&', \\*STDOUT; print $b 'b';\n"
        "open STDERR, '>&', $b; print STDERR 'c'"
    )
    script, session = written(tmp_path, source), warm.start(tmp_path / "errors")
    for _ in range(3):
        text, marked = session.call(script)
        assert (sorted(text), marked) == (["a", "b", "c"], True)
    assert session.end() == 0


def test_a_process_is_the_keepers_child_with_a_session_and_descriptors_of_its_own(
    warm: Warm, tmp_path: Path
) -> None:
    source = """use POSIX (); opendir my $d, '/proc/self/fd';
print join ' ', $$, getppid(), POSIX::getpgrp(), sort(keys %ENV),
    map { readlink "/proc/self/fd/$_" or () } 0, 4 .. 99;"""
    script, session = written(tmp_path, source), warm.start(tmp_path / "errors")
    words = session.call(script)[0].split()
    assert words[:3] == [str(session.pid), str(os.getpid()), str(session.pid)]
    assert os.getsid(session.pid) == session.pid
    assert "socket" not in "".join(words) and "HTSESSION_WARM" not in words and "HTSESSION_FIRST" not in words
    assert Path(f"/proc/{session.pid}/comm").read_text() == "script.pl\n"
    assert session.end() == 0


def test_a_host_keeps_its_own_descriptors_and_those_of_no_process(warm: Warm, tmp_path: Path) -> None:
    told = Path(f"/proc/{warm.process.pid}/fd")
    assert warm.start(tmp_path / "errors").end() == 0  # the host has begun
    before = {name: os.readlink(told / name) for name in os.listdir(told)}
    sessions = [warm.start(tmp_path / "errors") for _ in range(3)]
    assert {name: os.readlink(told / name) for name in os.listdir(told)} == before
    assert before["0"] == "/dev/null"
    assert [session.end() for session in sessions] == [0, 0, 0]


def test_random_numbers_differ_between_sessions(warm: Warm, tmp_path: Path) -> None:
    script = written(tmp_path, "print int rand 1e15")
    sessions = [warm.start(tmp_path / "errors") for _ in range(3)]
    assert len({session.call(script)[0] for session in sessions}) == 3
    assert [session.end() for session in sessions] == [0, 0, 0]


def test_a_process_that_gets_no_request_ends_in_silence(warm: Warm, tmp_path: Path) -> None:
    assert warm.start(tmp_path / "errors").end() == 0
    assert (tmp_path / "errors").read_text() == ""


def test_an_error_is_told_to_the_error_log_of_the_session(warm: Warm, tmp_path: Path) -> None:
    script, session = written(tmp_path, "print 'page';\ndie 'trouble'"), warm.start(tmp_path / "errors")
    assert session.call(script) == ("page", False)
    assert session.end() == 255
    assert (tmp_path / "errors").read_text() == f"trouble at {script} line 2.\n"


LOADING = {
    "standard": "use CGI; print CGI->can('new') ? 'yes' : 'no', $INC{'HTML/Entities.pm'} // 'not';",
    "order": "use CGI::Carp; use CGI qw(:standard); print escapeHTML('<'), h1('x'), !!CGI::Carp->can('warn');",
    "own": "use lib '.'; use CGI; print CGI->new, CGI->can('param') ? 'left' : 'clean', $INC{'CGI.pm'};",
    "own of a late place": "unshift @INC, '.'; require CGI; print CGI->new, !!CGI->can('param');",
    "own part": "use lib '.'; use HTML::Entities; print HTML::Entities->new, !!HTML::Entities->can('decode');",
    "neighbour": "use lib 'lib'; use CGI::Mine; use CGI; print CGI::Mine->new, CGI->can('new') ? 'yes' : 'no';",
    "set before": "BEGIN { $CGI::POST_MAX = 7 } use CGI; print $CGI::POST_MAX;",
    "not asked for": "print CGI->can('new') ? 'there' : 'not', $INC{'CGI.pm'} // $INC{'Carp.pm'} // 0;",
    "files": "use CGI; print join ' ', sort grep { !/^warnings/ } keys %INC;",
    "Carp": "use Carp; print !!Carp->can('croak'), !!CGI->can('new'); eval { croak('x') }; print $@;",
    "settings": "print $^W, $|, $SIG{__DIE__} // 0, $0, ' ', __FILE__, ' ', scalar caller, scalar @ARGV;",
    "places": "print join ' ', grep { !ref } @INC;",
}


@pytest.mark.parametrize("source", LOADING.values(), ids=LOADING.keys())
def test_modules_are_found_warm_as_they_are_cold(warm: Warm, tmp_path: Path, source: str) -> None:
    (tmp_path / "CGI.pm").write_text("package CGI; sub new { 'own ' } 1;")
    (tmp_path / "HTML").mkdir()
    (tmp_path / "HTML" / "Entities.pm").write_text("package HTML::Entities; sub new { 'own ' } 1;")
    (tmp_path / "lib" / "CGI").mkdir(parents=True)
    (tmp_path / "lib" / "CGI" / "Mine.pm").write_text("package CGI::Mine; sub new { 'mine ' } 1;")
    with perl(tmp_path, source) as program:
        cold = program.response()
    session = warm.start(tmp_path / "errors")
    assert session.call(tmp_path / "script.pl") == (cold.output.decode(), True)
    assert session.call(tmp_path / "script.pl")[1]
    assert session.end() == 0


LEAVING = {
    "an object": (
        "package Own; sub DESTROY { main::left('gone') } package main; our $kept = bless [], 'Own';",
        "gone",
    ),
    "an object of a module": ("use lib '.'; use Mine; our $kept = Mine->new;", "gone"),
    "an END block": ("END { left('end') }", "end"),
    "a file": ("open our $kept, '>', 'left'; END { print $kept 'late' }", "late"),
    "a file that a block holds": ("{ open my $kept, '>', 'left'; sub END { print $kept 'late' } }", "late"),
    "a program that is waited for": ("open our $kept, '|-', 'cat > left'; END { print $kept 'late' }", "late"),
}
LEFT = "sub left { open my $file, '>>', 'left'; print $file @_ }\n"


@pytest.mark.parametrize(("source", "left"), LEAVING.values(), ids=LEAVING.keys())
def test_a_program_leaves_behind_what_it_would_leave_cold(
    warm: Warm, tmp_path: Path, source: str, left: str
) -> None:
    (tmp_path / "Mine.pm").write_text(
        "package Mine; sub new { bless [] } sub DESTROY { main::left('gone') } 1;"
    )
    with perl(tmp_path, LEFT + source) as program:
        assert program.response().marked
        assert program.end() == 0
    assert (tmp_path / "left").read_text() == left
    (tmp_path / "left").unlink()
    session = warm.start(tmp_path / "errors")
    assert session.call(tmp_path / "script.pl") == ("", True)
    assert session.end() == 0
    assert (tmp_path / "left").read_text() == left


def test_modules_that_PERL5OPT_loads_end_as_they_would_cold(tmp_path: Path) -> None:
    (tmp_path / "Early.pm").write_text("package Early; END { print STDERR 'end' } 1;")
    host = Warm(PERL5LIB=str(tmp_path), PERL5OPT="-MEarly")
    session = host.start(tmp_path / "errors")
    assert session.call(written(tmp_path, "print 'page'")) == ("page", True)
    assert session.end() == 0
    assert (tmp_path / "errors").read_text() == "end"
    host.close()


def test_what_an_END_block_prints_goes_out(warm: Warm, tmp_path: Path) -> None:
    session = warm.start(tmp_path / "errors")
    assert session.call(written(tmp_path, "print 'page'; END { print 'late' }")) == ("page", True)
    session.close()
    assert session.read() == b"late"
    assert session.end() == 0


@pytest.mark.parametrize("modules", ["", "use POSIX; use Carp; use Time::Local; use Cwd; use List::Util;"])
@pytest.mark.parametrize(("said", "left"), [("", False), ("# bless", True)])
def test_a_program_that_shows_no_objects_ends_without_a_search_for_any(
    warm: Warm, tmp_path: Path, modules: str, said: str, left: bool
) -> None:
    hidden = "*{'DEST' . 'ROY'} = sub { left('gone') }; our $kept = eval 'bl' . 'ess []';"
    session = warm.start(tmp_path / "errors")
    assert session.call(written(tmp_path, f"{modules}{LEFT}{hidden}{said}")) == ("", True)
    assert session.end() == 0
    assert (tmp_path / "left").exists() is left


def test_a_host_goes_on_after_a_session_was_killed(warm: Warm, tmp_path: Path) -> None:
    session = warm.start(tmp_path / "errors")
    os.kill(session.pid, signal.SIGKILL)
    assert session.end() == -signal.SIGKILL
    other = warm.start(tmp_path / "errors")
    assert other.call(written(tmp_path, "print 'page'")) == ("page", True)
    assert other.end() == 0
