"""The perl host: what stays between two calls, what does not, and how a session ends."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from .pipes import MARK, PERL_HOST, Program, hosted

pytestmark = pytest.mark.needs("perl")

STRICT = "use strict; use warnings;\n"
HEAD = 'print "Content-Type: text/plain\\n\\n";\n'
COUNTER = STRICT + "our $count; $count++;\n" + HEAD + "print $count;\n"


def perl(
    folder: Path,
    source: str,
    variables: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    ahead: bool = False,
) -> Program:
    """`source` as a script under the perl host."""
    return hosted(folder, source, variables, body, ahead, host=PERL_HOST)


def test_B2_package_variables_stay(tmp_path: Path) -> None:
    with perl(tmp_path, COUNTER) as program:
        assert program.response().body == "1"
        assert [program.call().body for _ in range(3)] == ["2", "3", "4"]
        assert program.end() == 0
        assert program.stderr() == ""


LEXICALS = (
    STRICT
    + """my @rows; my %seen; my $text; my $query = $ENV{QUERY_STRING};
sub add { push @rows, $query; $seen{$query}++; $text .= "x" }
sub show { return join ",", @rows, sort(keys %seen), $text, $query }
add(); add();
print show(), " ", join ",", @rows, %seen, $text;
"""
)


def test_my_variables_of_the_file_are_new_in_every_call_for_its_named_subs_too(tmp_path: Path) -> None:
    with perl(tmp_path, LEXICALS, {"QUERY_STRING": "a"}) as program:
        assert program.response() == (b"a,a,a,xx,a a,a,a,2,xx", True)
        for query in ("b", "c", "d"):
            answer = f"{query},{query},{query},xx,{query} {query},{query},{query},2,xx"
            assert program.call({"QUERY_STRING": query}) == (answer.encode(), True)
        assert program.end() == 0
        assert program.stderr() == ""


@pytest.mark.parametrize("leave", ["exit", "sub bye { exit } bye()", "eval { exit; }", "for (1, 2) { exit }"])
def test_my_variables_are_shared_again_after_an_exit(tmp_path: Path, leave: str) -> None:
    with perl(tmp_path, LEXICALS + leave, {"QUERY_STRING": "a"}) as program:
        program.response()
        assert program.call({"QUERY_STRING": "b"}) == (b"b,b,b,xx,b b,b,b,2,xx", True)
        assert program.call({"QUERY_STRING": "c"}) == (b"c,c,c,xx,c c,c,c,2,xx", True)
        assert program.end() == 0


def test_a_my_variable_that_somebody_keeps_belongs_to_its_keeper(tmp_path: Path) -> None:
    source = """my %row = (n => ++$main::n); my $note = "n$main::n";
push @main::rows, \\%row; push @main::subs, sub { $note };
print join(",", map { $_->{n} } @main::rows), " ", join(",", map { $_->() } @main::subs), " $row{n}";"""
    with perl(tmp_path, source) as program:
        assert program.response().output == b"1 n1 1"
        assert program.call().output == b"1,2 n1,n2 2"
        assert program.call().output == b"1,2,3 n1,n2,n3 3"


def test_a_named_sub_keeps_a_my_variable_that_somebody_keeps(tmp_path: Path) -> None:
    source = """my @rows = (++$main::n); $main::first ||= \\@rows;
sub rows { "@rows" } print rows(), "|@rows|@$main::first";"""
    with perl(tmp_path, source) as program:
        assert program.response().output == b"1|1|1"
        assert program.call().output == b"1|2|1"


def test_a_block_of_its_own_around_a_sub_makes_a_static_variable(tmp_path: Path) -> None:
    source = "{ my $n = 10; sub next_number { return ++$n } }\nuse feature 'state'; state $s = 5; $s++;\n"
    with perl(tmp_path, source + "print next_number(), $s;") as program:
        assert [program.response().output, program.call().output, program.call().output] == [
            b"116", b"127", b"138",
        ]  # fmt: skip


def test_what_BEGIN_puts_into_a_my_variable_stays(tmp_path: Path) -> None:
    source = """my ($dir, @list, %map); BEGIN { $dir = "lib"; @list = (1, 2); %map = (a => 1) }
sub dir { $dir } print dir(), "@list", %map; $dir .= "x"; push @list, 3; $map{b} = 2;"""
    with perl(tmp_path, source) as program:
        assert [program.response().output, program.call().output, program.call().output] == [b"lib1 2a1"] * 3


def test_a_my_variable_that_is_itself_an_object_does_no_harm(tmp_path: Path) -> None:
    source = "my %self = (n => ++$main::n); bless \\%self, 'Thing'; sub n { $self{n} } print n(), $self{n};"
    with perl(tmp_path, source) as program:
        assert program.response().marked
        assert [program.call().output[-1:] for _ in range(3)] == [b"2", b"3", b"4"]
        assert program.end() == 0
        assert program.stderr() == ""


def test_objects_of_a_call_are_destroyed_before_its_response_ends(tmp_path: Path) -> None:
    source = (
        "package Thing; sub new { bless [] } sub DESTROY { print 'gone' }\n"
        "package main; my $thing = Thing->new; sub thing { $thing } print 'page ';"
    )
    with perl(tmp_path, source) as program:
        assert program.response() == (b"page gone", True)
        assert program.call() == (b"page gone", True)


def test_the_script_is_the_main_program(tmp_path: Path) -> None:
    source = """use FindBin; use Cwd;
print join "|", scalar(caller) ? "called" : "main", __PACKAGE__, __LINE__,
    $0 eq __FILE__ ? "file" : "$0 " . __FILE__,
    $FindBin::Bin eq getcwd() ? "here" : "elsewhere", scalar(@ARGV), shift // "none", $^S // "compiling";"""
    with perl(tmp_path, source) as program:
        assert program.response().output == b"main|main|2|file|here|0|none|0"
        assert program.call().output == b"main|main|2|file|here|0|none|0"
        assert program.process.args[2] == tmp_path / "script.pl"  # type: ignore[index]


def test_a_scripts_name_may_hold_anything(tmp_path: Path) -> None:
    script = tmp_path / '1"\n2.pl'
    script.write_text("print 'page', __LINE__;")
    with Program(["perl", PERL_HOST, script]) as program:
        assert program.response() == (b"page1", True)
        assert program.call() == (b"page1", True)


def test_a_file_that_changed_does_not_change_a_living_session(tmp_path: Path) -> None:
    with perl(tmp_path, "print 'old', <DATA>;\n__END__\ndata") as program:
        assert program.response().output == b"olddata"
        (tmp_path / "script.pl").write_text("print 'new';\n__END__\nother")
        assert program.call().output == b"olddata"


def test_BEGIN_and_INIT_run_once_END_when_the_session_ends(tmp_path: Path) -> None:
    source = "BEGIN { print 'b' } INIT { print 'i' } print 'page'; END { print STDERR 'end' }"
    with perl(tmp_path, source) as program:
        assert program.response() == (b"bipage", True)
        assert program.call() == (b"page", True)
        assert program.stderr() == ""
        assert program.end() == 0
        assert program.stderr() == "end"
        assert program.response() == (b"", False)


SHOW = (
    "print join ',', map({ defined $ENV{$_} ? qq($_=$ENV{$_}) : () } qw(%s)), $ENV{HTSESSION_END};"
    "$ENV{MINE} = 'kept';"
)


def test_B1_B2_server_variables_go_and_the_programs_own_stay(tmp_path: Path) -> None:
    source = SHOW % "HTTP_COOKIE CONTENT_LENGTH CONTENT_TYPE SCGI HTTP_ACCEPT HTSESSION_FIRST MINE"
    first = {"HTTP_COOKIE": "a=1", "CONTENT_TYPE": "text/x"}
    with perl(tmp_path, source, first, b"abc") as program:
        assert (
            program.response().output == f"HTTP_COOKIE=a=1,CONTENT_LENGTH=3,CONTENT_TYPE=text/x,{MARK}".encode()
        )
        assert (
            program.call({"HTTP_ACCEPT": "\udcff=\n"}).output
            == b"HTTP_ACCEPT=\xff=\n,MINE=kept,%s" % MARK.encode()
        )
        assert program.call().output == f"MINE=kept,{MARK}".encode()


def test_B1_server_variables_that_the_program_changed_are_the_servers_again(tmp_path: Path) -> None:
    source = """system 'echo $QUERY_STRING $HTTP_A $HTTP_B';
print join ' ', @ENV{qw(QUERY_STRING HTTP_A HTTP_B)};
$ENV{QUERY_STRING} .= 'x'; delete $ENV{HTTP_A}; $ENV{HTTP_B} = undef; $ENV{HTTP_C} = 'own'"""
    request = {"QUERY_STRING": "q", "HTTP_A": "a", "HTTP_B": "b"}
    with perl(tmp_path, source, request) as program:
        assert program.response().output == b"q a b\nq a b"
        for changed in ({}, {}, {"HTTP_B": "c"}, {"HTTP_C": "c"}, {}):
            values = {**request, **changed}
            line = " ".join(values[name] for name in request).encode()
            assert program.call(dict(reversed(values.items()))).output == line + b"\n" + line


def test_B1_a_variable_that_the_program_set_goes_with_the_request_that_brings_it_too(tmp_path: Path) -> None:
    with perl(tmp_path, "print $ENV{HTTP_A} // '-', $ENV{HTTP_B} // '-'; $ENV{HTTP_A} = 'a'") as program:
        program.response()
        assert program.call({"HTTP_A": "a"}).output == b"a-"
        assert program.call({"HTTP_B": "b"}).output == b"-b"


@pytest.mark.parametrize(
    "end", ["exit", "exit 0", "exit(0) if 1", "1 ? exit : 0", "sub f { exit } f()", "eval { exit }"]
)
def test_exit_with_success_ends_the_response_not_the_process(tmp_path: Path, end: str) -> None:
    with perl(tmp_path, f"print 'page';\n{end};\nprint 'never';") as program:
        assert program.response() == (b"page", True)
        assert program.call() == (b"page", True)
        assert program.end() == 0
        assert program.stderr() == ""


@pytest.mark.parametrize(
    "end", ["my @a = sort { exit } 1, 2;", "$SIG{USR1} = sub { exit }; kill USR1 => $$; 1;"]
)
def test_an_exit_from_where_perl_cannot_jump_ends_the_session_after_a_whole_response(
    tmp_path: Path, end: str
) -> None:
    with perl(tmp_path, f"my $x = 1; sub x {{ $x }} print 'page';\n{end}\nprint 'never';") as program:
        assert program.response() == (b"page", True)
        assert program.process.wait(30) == 0
        assert program.stderr() == ""


def test_the_age_of_files_counts_from_the_call(tmp_path: Path) -> None:
    source = "print $^T > 1e9 ? 'now' : 'then', -M $0 < 1 ? ' new' : ' old';\n$^T = 86400;"
    with perl(tmp_path, source) as program:
        for answer in (program.response(), program.call()):
            assert answer == (b"now new", True)


def test_a_page_that_ends_with_another_status_is_whole_and_the_process_is_over(tmp_path: Path) -> None:
    with perl(tmp_path, "END { print ' and last' }\nprint 'page';\nexit 3") as program:
        assert program.response() == (b"page and last", True)
        assert program.process.wait(30) == 3


@pytest.mark.parametrize(
    "error", ["die 'trouble'", "die {code => 1}", "Nothing->method", "my $x; @$x{1} = 1; undef->()"]
)
def test_P1_no_end_mark_after_an_uncaught_error_which_names_its_place(tmp_path: Path, error: str) -> None:
    with perl(tmp_path, COUNTER + f"{error} if $count == 2;") as program:
        assert program.response().marked
        assert program.call() == (b"Content-Type: text/plain\n\n2", False)
        assert program.process.wait(30) == 255
        assert "script.pl line 5" in program.stderr() or "HASH(" in program.stderr()
        assert "perl.pl" not in program.stderr()


def test_a_hook_of_the_script_sees_its_error(tmp_path: Path) -> None:
    source = "$SIG{__DIE__} = sub { print qq(sorry: @_); exit }; die 'no';"
    with perl(tmp_path, source) as program:
        output, marked = program.response()
        assert output.startswith(b"sorry: no at ") and marked


def test_hooks_and_punctuation_are_as_at_first_in_every_call(tmp_path: Path) -> None:
    source = """print defined $SIG{__WARN__} ? "hook" : "none", defined $/ ? "lines" : "all";
print "a", "b", "@{[1, 2]}";
my @w; sub w { scalar @w } $SIG{__WARN__} = sub { push @w, @_ }; warn "x"; print w();
undef $/; ($,, $\\, $") = ("-", "!", "+"); $0 = "renamed"; $@ = "left";
local ($/, $,) = ("x", "y"); local $SIG{__WARN__} = sub { @w };"""
    with perl(tmp_path, source) as program:
        assert program.response() == (b"nonelinesab1 21", True)
        assert program.call() == (b"nonelinesab1 21", True)
        assert program.stderr() == ""


def test_a_pattern_that_matches_once_does_so_in_every_call(tmp_path: Path) -> None:
    with perl(tmp_path, "for (1, 2) { print 'once' if m?.? }") as program:
        assert program.response() == (b"once", True)
        assert program.call() == (b"once", True)


@pytest.mark.parametrize(
    ("switches", "warned"), [("-w", True), ("-wT", True), ("-T -w", True), ("-T", False), ("", False)]
)
def test_the_switches_of_the_first_line_count_but_for_taint(
    tmp_path: Path, switches: str, warned: bool
) -> None:
    with perl(tmp_path, f"#!/usr/bin/perl {switches}\nmy $x; print 'a' . $x;") as program:
        assert program.response() == (b"a", True)
        assert program.call() == (b"a", True)
        assert (program.stderr().count("uninitialized") == 2) is warned


def test_a_syntax_error_is_reported_with_its_line(tmp_path: Path) -> None:
    with perl(tmp_path, "print 'x';\nif if\n") as program:
        assert program.response() == (b"", False)
        assert program.process.wait(30) == 255
        assert "script.pl line 2" in program.stderr()


def test_modules_beside_the_script_and_the_helper_library_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "Beside.pm").write_text("package Beside; our @visits; 1;")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "CGI.pm").write_text("package CGI; sub new { 'own' } 1;")
    source = "use lib 'lib'; use Beside; use CGI; use HTSession;\n"
    source += "push @Beside::visits, HTSession::handle(); print CGI->new, qq(@Beside::visits);"
    with perl(tmp_path, source) as program:
        assert program.response().output == b"ownoffered-handle"
        assert program.call({"HTSESSION_HANDLE": "h"}).output == b"ownoffered-handle h"


def test_P7_a_request_with_another_mark_is_not_answered(tmp_path: Path) -> None:
    with perl(tmp_path, COUNTER) as program:
        program.response()
        assert program.call(mark="f" * 32) == (b"", False)
        assert program.process.wait(30) == 1
        assert "HTS011" in program.stderr() and "end mark" in program.stderr()


@pytest.mark.parametrize(
    "rubbish", [b"x", b"12", b"9999999999999:", b"5:a\0b\0c,", b"4:a\0b\0;", b"4:a\0b\0,", b":,"]
)
def test_P7_rubbish_on_the_request_pipe_is_not_answered(tmp_path: Path, rubbish: bytes) -> None:
    with perl(tmp_path, COUNTER) as program:
        program.response()
        program.send(rubbish)
        program.close()
        assert program.response() == (b"", False)
        assert program.process.wait(30) == 1
        assert program.stderr().startswith("HTS011")


def test_P11_the_first_request_may_come_as_a_frame(tmp_path: Path) -> None:
    source = "BEGIN { $main::compiled = $ENV{QUERY_STRING} }" + COUNTER + "print $main::compiled, <STDIN>;"
    with perl(tmp_path, source, ahead=True) as program:
        assert program.call({"QUERY_STRING": "q"}, body=b"hello").body == "1qhello"
        assert program.call().body == "2q"


def test_a_host_that_gets_no_request_ends_in_silence(tmp_path: Path) -> None:
    with perl(tmp_path, "print 'never'", ahead=True) as program:
        assert program.end() == 0
        assert program.response() == (b"", False)
        assert program.stderr() == ""


def test_the_host_explains_how_it_is_started(tmp_path: Path) -> None:
    with Program(["perl", PERL_HOST]) as program:
        assert program.process.wait(30) == 1
        assert program.stderr().startswith("usage: perl.pl SCRIPT")
    with Program(["perl", PERL_HOST, tmp_path / "none.pl"]) as program:
        assert program.process.wait(30) == 2
        assert "none.pl" in program.stderr()
