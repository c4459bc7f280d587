"""The perl host: standard input, output and error of every call, DATA, and processes that a script starts."""

from hashlib import sha256
from pathlib import Path

import pytest

from .test_perl_host import STRICT, perl

pytestmark = pytest.mark.needs("perl")

LARGE = bytes(range(256)) * (8 << 12)  # 8 MiB
DIGEST = "use Digest::SHA; binmode STDIN; print Digest::SHA->new(256)->addfile(*STDIN)->hexdigest;"


@pytest.mark.parametrize("size", [1, 4096, 4097, 1 << 16, 8 << 20])
def test_B1_stdin_of_every_call_ends_after_the_body(tmp_path: Path, size: int) -> None:
    body, other = LARGE[:size], LARGE[:size][::-1]
    with perl(tmp_path, DIGEST, body=body) as program:
        assert program.response().output == sha256(body).hexdigest().encode()
        assert program.call(body=other).output == sha256(other).hexdigest().encode()
        assert program.call().output == sha256(b"").hexdigest().encode()


READERS = {
    "handle": "print scalar <STDIN>",
    "diamond": "print scalar <>",
    "read": "read STDIN, my $line, 4; print $line",
    "closed": "print scalar <STDIN>; close STDIN",
    "at its end": "print scalar <STDIN>; 1 while <STDIN>; print eof STDIN ? '' : 'more'",
    "with a layer": "binmode STDIN, ':crlf'; print scalar <STDIN>",
    "another handle": "open my $in, '<&', \\*STDIN; print scalar <$in>",
    "from elsewhere": "print scalar <STDIN>; open STDIN, '<', '/dev/zero'",
    "in memory": "print scalar <STDIN>; open STDIN, '<', \\'text'",
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())
def test_B1_stdin_is_fresh_in_every_call(tmp_path: Path, read: str) -> None:
    with perl(tmp_path, read, body=b"one\nrest\n") as program:
        assert program.response() == (b"one\n", True)
        assert program.call(body=b"two\nrest\n") == (b"two\n", True)
        assert program.call(body=b"tre\n") == (b"tre\n", True)
        assert program.end() == 0
        assert program.stderr() == ""


SLURP = "my $body = do { local $/; <STDIN> }; print defined $body ? \"[$body]\" : 'undefined'"


def test_B1_the_whole_of_an_empty_stdin_is_an_empty_text_in_every_call(tmp_path: Path) -> None:
    with perl(tmp_path, SLURP) as program:
        assert program.response() == (b"[]", True)
        for body in (b"", b"", b"one", b"", b""):
            assert program.call(body=body) == (b"[%s]" % body, True)
        assert program.end() == 0
        assert program.stderr() == ""


RUN = {
    "system": "system 'cat';",
    "backticks": "print `cat`;",
    "pipe": "open my $out, '|-', 'cat' or die; print $out <STDIN>; close $out;",
    "fork": "my $pid = fork; if (!$pid) { exec 'cat' } waitpid $pid, 0;",
}


@pytest.mark.parametrize("run", RUN.values(), ids=RUN.keys())
def test_a_subprocess_reads_the_body_and_writes_the_output_in_its_turn(tmp_path: Path, run: str) -> None:
    with perl(tmp_path, f"print qq(head\\n); {run} print 'tail'", body=b"one\n") as program:
        assert program.response() == (b"head\none\ntail", True)
        assert program.call(body=b"two\n") == (b"head\ntwo\ntail", True)
        assert program.call() == (b"head\ntail", True)


@pytest.mark.parametrize("read", ["", "read STDIN, my $x, 1;", "sysread STDIN, my $x, 1;", "close STDIN;"])
def test_P9_a_body_that_is_not_read_is_dropped(tmp_path: Path, read: str) -> None:
    with perl(tmp_path, f"{read} print 'done'", body=LARGE) as program:
        assert program.response() == (b"done", True)
        assert program.call(body=LARGE) == (b"done", True)
        assert program.call(body=b"x") == (b"done", True)


def test_P1_output_is_exact_marks_of_others_included(tmp_path: Path) -> None:
    data = bytes(range(256)) + b"\4" + b"0" * 32 + b"\n\4"
    with perl(tmp_path, f"print pack('H*', '{data.hex()}') x 2") as program:
        assert program.response() == (data * 2, True)
        assert program.call() == (data * 2, True)


WRITERS = {
    "print": "print 'x'",
    "system call": "syswrite STDOUT, 'x'",
    "at once": "$| = 1; print 'x'",
    "line end": "$\\ = 'x'; print ''",
    "layer": "binmode STDOUT, ':utf8'; print 'x'",
    "other handle selected": "print 'x'; open our $null, '>', '/dev/null'; select $null; print 'y'",
    "handle of the first call": "open OUT, '>&STDOUT' if !$main::n++; print OUT 'x'",
    "closed": "print 'x'; close STDOUT",
    "to a file": "print 'x'; open STDOUT, '>', '/dev/null'; print 'y'",
    "in memory": "print 'x'; close STDOUT; open STDOUT, '>', \\my $text; print 'y'",
    "through a filter": "print 'x'; open STDOUT, '|-', 'tr y x >/dev/null'; print 'y'",
    "filtered": "open STDOUT, '|-', 'tr y x'; print 'y'",
    "tied": "package T; sub TIEHANDLE { bless [] } sub PRINT { syswrite STDERR, '' } package main; "
    "print 'x'; tie *STDOUT, 'T'; print 'y'",
    "local": "print 'x'; open local *STDOUT, '>', '/dev/null'; print 'y'",
    "not blocking": "use IO::Handle; STDOUT->blocking(0); print 'x'",
    "format": "our $x = 'x'; format STDOUT_TOP =\n.\nformat STDOUT =\n@*\n$x\n.\n"
    "open my $o, '>', \\my $t; select $o; $~ = 'STDOUT'; write; close $o; select STDOUT; chomp $t; print $t",
    "exit": "print 'x'; exit",
    "stderr as stdout": "open STDERR, '>&', \\*STDOUT; print STDERR 'x'",
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_P1_whatever_was_written_comes_before_the_mark_in_every_call(tmp_path: Path, write: str) -> None:
    with perl(tmp_path, write) as program:
        assert program.response() == (b"x", True)
        assert program.call() == (b"x", True)
        assert program.call() == (b"x", True)
        assert program.end() == 0
        assert program.stderr() == ""


CHANGES = {
    "closed": "close $_ for *STDIN, *STDOUT, *STDERR",
    "descriptors closed": "POSIX::close($_) for 0 .. 2",
    "output closed": "close STDOUT",
    "input closed and another one in its place": "close STDIN; open our $file, '<', '/dev/zero'",
    "to files": "open STDIN, '<', '/dev/zero'; open $_, '>', 'aside' for *STDOUT, *STDERR; print 'x'",
    "opened by the system": "sysopen STDIN, '/dev/zero', 0; sysopen $_, 'aside', 1 | 64 for *STDOUT, *STDERR",
    "other descriptors": "open my $file, '+<', '/dev/zero' or die; POSIX::dup2(fileno $file, $_) for 0 .. 2",
    "to where they were": "open STDIN, '<', '/dev/null'; open $_, '>>&', $_ for *STDOUT, *STDERR",
    "each other": "close STDIN; open STDIN, '>&', \\*STDERR; open STDERR, '>&', \\*STDOUT",
    "in memory": "my $text = 'text'; close $_, open $_, '+<', \\$text for *STDIN, *STDOUT, *STDERR",
    "tied": "tie *$_, 'T' for qw(STDIN STDOUT STDERR); print 'x'",
    "text": "binmode $_, ':utf8' for *STDIN, *STDOUT, *STDERR",
    "lines": "binmode $_, ':crlf' for *STDIN, *STDOUT, *STDERR",
    "two-byte characters": "binmode $_, ':encoding(UTF-16LE)' for *STDIN, *STDOUT, *STDERR",
    "no buffer": "$| = 1; select STDERR; $| = 1",
    "given back": "STDIN->ungetc(65)",
    "read": "1 while <STDIN>",
    "other handles": "open OTHER, '>', 'aside'; *STDOUT = *OTHER",
    "page": "$- = 3; $% = 2",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_B1_streams_are_as_at_first_whatever_the_call_before_did_to_them(tmp_path: Path, change: str) -> None:
    source = (
        "use POSIX (); use IO::Handle; sub T::TIEHANDLE { bless [], 'T' } sub T::PRINT { }\n"
        "print join '|', scalar(<STDIN>) // 'end', $|, $-, $%, qq(\\xe4\\n),\n"
        "    map { join ' ', fileno $_, PerlIO::get_layers($_), tied *$_ ? 'tied' : () }\n"
        "    *STDIN, *STDOUT, *STDERR;\n"
        f"STDOUT->flush; print STDERR 'note'; STDERR->flush; {change}"
    )
    expected = b"%s|0|0|0|\xe4\n|0 unix perlio|1 unix perlio|2 unix perlio"
    with perl(tmp_path, source, body=b"one\nrest") as program:
        assert program.response() == (expected % b"one\n", True)
        for body in (b"two\nrest", b"", b"", b"three\nrest"):
            assert program.call(body=body) == (expected % (body.removesuffix(b"rest") or b"end"), True)
        assert program.end() == 0
        assert program.stderr() == "note" * 5


def test_what_other_handles_hold_is_written_before_the_response_ends(tmp_path: Path) -> None:
    with perl(tmp_path, "our $log; $log or open $log, '>', 'log'; print $log 'x'; print 'page'") as program:
        assert program.response() == (b"page", True)
        for count in (2, 3):
            assert program.call() == (b"page", True)
            assert (tmp_path / "log").read_text() == "x" * count


def test_warnings_are_written_at_once_after_a_call_that_closed_their_stream(tmp_path: Path) -> None:
    with perl(tmp_path, "print STDERR 'note'; print -s STDERR; close STDERR") as program:
        assert program.response() == (b"4", True)
        assert program.call() == (b"8", True)
        assert program.call() == (b"12", True)


UTF8 = {
    "open": "use open qw(:std :encoding(UTF-8));",
    "binmode": "binmode $_, ':encoding(UTF-8)' for *STDIN, *STDOUT;",
    "once": "BEGIN { binmode $_, ':utf8' for *STDIN, *STDOUT }",
}


@pytest.mark.parametrize("setting", UTF8.values(), ids=UTF8.keys())
def test_layers_are_those_of_the_first_call_in_every_call(tmp_path: Path, setting: str) -> None:
    source = STRICT + f"use utf8; {setting} my $text = <STDIN> // ''; print length $text, '€', $text;"
    with perl(tmp_path, source, body="äö".encode()) as program:
        assert program.response().output.decode() == "2€äö"
        assert program.call(body="ü".encode()).output.decode() == "1€ü"
        assert program.call().output.decode() == "0€"
        assert program.stderr() == ""


def test_huge_output_streams(tmp_path: Path) -> None:
    with perl(tmp_path, "print qq(0123456789abcde\\n) x 8192 for 1 .. 64") as program:
        assert program.response() == (b"0123456789abcde\n" * 524288, True)
        assert program.call() == (b"0123456789abcde\n" * 524288, True)


@pytest.mark.parametrize("end", ["", "exit", "exit 1", "die 'in the child'", "require POSIX; POSIX::_exit(0)"])
def test_P1_a_forked_child_that_ends_writes_no_mark(tmp_path: Path, end: str) -> None:
    source = f"my $pid = fork; if (!$pid) {{ close STDERR; {end} }} else {{ waitpid $pid, 0; print 'parent' }}"
    with perl(tmp_path, source) as program:
        assert program.response() == (b"parent", True)
        assert program.call() == (b"parent", True)
        assert program.end() == 0


def test_B1_stderr_is_the_error_log_again_in_the_next_call(tmp_path: Path) -> None:
    with perl(tmp_path, "print STDERR qq(note\\n); close STDERR; open my $x, '<', '/dev/null'") as program:
        program.response()
        assert program.call().marked
        assert program.end() == 0
        assert program.stderr() == "note\nnote\n"


def test_the_request_pipe_is_not_inherited_by_subprocesses(tmp_path: Path) -> None:
    test = "test -e /proc/self/fd/$HTSESSION_FD && echo open || echo closed; ls /proc/self/fd | wc -l"
    with perl(tmp_path, f"system q({test})") as program:
        assert program.response().output == b"closed\n4\n"
        assert program.call().output == b"closed\n4\n"


def test_a_looping_script_may_run_under_the_host_too(tmp_path: Path) -> None:
    source = "use HTSession; my $n = 0; while (HTSession::accept()) { print $n++, $ENV{HTTP_X} // '' }"
    with perl(tmp_path, source) as program:
        assert program.response() == (b"0", True)
        assert program.call({"HTTP_X": "y"}) == (b"1y", True)
        assert program.end() == 0
        assert program.response() == (b"", False)
        assert program.stderr() == ""


DATA = {
    "end": "print <DATA>;\n__END__\none\ntwo\n",
    "data": "print <DATA>;\n__DATA__\none\ntwo\n",
    "after documentation": "print <DATA>;\n\n=pod\n\n__END__\n\n=cut\n\n__END__\none\ntwo\n",
    "of a package": "package Mine; print <DATA>;\n__DATA__\none\ntwo\n",
    "of main": "package Mine; print <main::DATA>;\n__END__\none\ntwo\n",
    "read to a place and back": "my $at = tell DATA; 1 while <DATA>; seek DATA, $at, 0; print <DATA>;\n"
    "__END__\none\ntwo\n",
    "lines of DOS": "print map { tr/\\r//dr } <DATA>;\r\n__END__\r\none\r\ntwo\r\n",
}


@pytest.mark.parametrize("source", DATA.values(), ids=DATA.keys())
def test_DATA_is_there_in_every_call(tmp_path: Path, source: str) -> None:
    with perl(tmp_path, source) as program:
        assert program.response() == (b"one\ntwo\n", True)
        assert program.call() == (b"one\ntwo\n", True)


ENDINGS = [
    "print 'x'",
    "print 'x' # comment",
    "print 'x';\n\n=head1 Name\n\nIt's open",
    "print 'x';\n\x1a",
    "{ print 'x' }",
]


@pytest.mark.parametrize("source", ENDINGS)
def test_a_script_may_end_in_any_way(tmp_path: Path, source: str) -> None:
    with perl(tmp_path, source) as program:
        assert program.response() == (b"x", True)
        assert program.call() == (b"x", True)


def test_open_handles_stay(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("one\ntwo\nthree\n")
    source = (
        "our $file; $file or open $file, '<', 'lines'; open(F, 'lines') if !$main::n++;\n"
        "print scalar <$file>, scalar <F>"
    )
    with perl(tmp_path, source) as program:
        assert program.response().output == b"one\none\n"
        assert program.call().output == b"two\ntwo\n"
