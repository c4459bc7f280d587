"""The perl host and CGI.pm: programs that were written for one request each just work, call after call."""

import subprocess
from pathlib import Path

import pytest

from .pipes import HELPERS, Program
from .test_perl_host import STRICT, perl

pytestmark = pytest.mark.needs("perl")
POST = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module", autouse=True)
def _cgi_pm() -> None:
    if subprocess.run(["perl", "-MCGI", "-e", "1"], capture_output=True, check=False).returncode:
        pytest.skip("not installed here: CGI.pm (libcgi-pm-perl)")


def uploaded(text: str) -> tuple[dict[str, str], bytes]:
    """The variables and the body of a form with one file."""
    part = f'--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n{text}\r\n--B--\r\n'
    return {"CONTENT_TYPE": "multipart/form-data; boundary=B"}, part.encode()


STYLES = {
    "functions": "use CGI qw(:standard); print header('text/plain'), scalar param('a') // 'none';",
    "object": "use CGI; my $q = CGI->new; print $q->header('text/plain'), scalar $q->param('a') // 'none';",
    "object used by subs": "use CGI; my $q = CGI->new; page(); sub page { print $q->header('text/plain'), "
    "scalar $q->param('a') // 'none' }",
    "package variable": "use CGI; our $q = new CGI; "
    "print $q->header('text/plain'), scalar $q->param('a') // 'none';",
    "two objects": "use CGI; CGI->new; my $q = CGI->new; "
    "print $q->header('text/plain'), scalar $q->param('a') // 'none';",
    "loaded late": "require CGI; my $q = CGI->new; "
    "print $q->header('text/plain'), scalar $q->param('a') // 'none';",
    "with errors to the browser": "use CGI::Carp qw(fatalsToBrowser); use CGI qw(:standard); "
    "print header('text/plain'), scalar param('a') // 'none';",
    "ends by exit": "use CGI qw(:standard); print header('text/plain'), scalar param('a') // 'none'; exit;",
}


@pytest.mark.parametrize("source", STYLES.values(), ids=STYLES.keys())
def test_parameters_are_those_of_the_present_request(tmp_path: Path, source: str) -> None:
    head = b"Content-Type: text/plain; charset=ISO-8859-1\r\n\r\n"
    with perl(tmp_path, STRICT + source, {"QUERY_STRING": "a=1"}) as program:
        assert program.response() == (head + b"1", True)
        assert program.call({"QUERY_STRING": "a=2"}) == (head + b"2", True)
        assert program.call(POST, b"a=3&b=4") == (head + b"3", True)
        assert program.call() == (head + b"none", True)
        assert program.end() == 0
        assert program.stderr() == ""


def test_pragmas_of_the_use_statement_hold_in_every_call(tmp_path: Path) -> None:
    source = "use CGI qw(-utf8 -nosticky); print length CGI->new->param('a'), $CGI::NOSTICKY;"
    with perl(tmp_path, source, {"QUERY_STRING": "a=%C3%A4"}) as program:
        assert program.response().output == b"11"
        assert program.call({"QUERY_STRING": "a=%C3%A4%C3%A4"}).output == b"21"


def test_self_url_and_path_info_are_those_of_the_present_request(tmp_path: Path) -> None:
    source = "use CGI; my $q = CGI->new; print $q->self_url, ' ', $q->path_info;"
    with perl(tmp_path, source, {"SERVER_NAME": "here", "QUERY_STRING": "a=1"}) as program:
        assert program.response().output == b"http://here/cgi-bin/program?a=1 "
        variables = {"SERVER_NAME": "here", "QUERY_STRING": "b=2", "PATH_INFO": "/handle"}
        assert program.call(variables).output == b"http://here/cgi-bin/program/handle?b=2 /handle"


def test_uploads_are_read_and_their_files_go_with_the_call(tmp_path: Path) -> None:
    source = STRICT + (
        "use CGI; my $q = CGI->new; my $file = $q->upload('file'); sub name { $q->param('file') }\n"
        "print name(), ' ', scalar(my @files = glob '$ENV{TMPDIR}/*'), ' ', <$file>;"
    )
    (tmp_path / "files").mkdir()
    first, body = uploaded("one")
    lasting = {"TMPDIR": str(tmp_path / "files")}
    with perl(
        tmp_path, source.replace("$ENV{TMPDIR}", lasting["TMPDIR"]), {**first, **lasting}, body
    ) as program:
        assert program.response() == (b"a.txt 1 one", True)
        for text in ("two", "three" * 20000):
            assert not list((tmp_path / "files").iterdir())
            later, body = uploaded(text)
            assert program.call({**later, **lasting}, body) == (f"a.txt 1 {text}".encode(), True)
        assert not list((tmp_path / "files").iterdir())


def test_an_error_that_is_shown_to_the_browser_ends_a_whole_page_and_the_session(tmp_path: Path) -> None:
    source = (
        "use CGI::Carp 'fatalsToBrowser'; print qq(Content-type: text/plain\\n\\n); die 'oh' if $main::n++;"
    )
    with perl(tmp_path, source) as program:
        assert program.response().marked
        output, marked = program.call()
        assert b"oh at" in output and b"Software error" in output and marked
        assert program.process.wait(30) == 255
        assert "oh at" in program.stderr()


def test_a_loop_with_the_library_gets_the_present_requests_parameters(tmp_path: Path) -> None:
    (tmp_path / "loop.pl").write_text(
        "use lib $ENV{HTSESSION_LIB}; use HTSession; use CGI;\n"
        "while (HTSession::accept()) { print CGI->new->param('a'), CGI::param('a') }"
    )
    with Program(["perl", tmp_path / "loop.pl"], {"QUERY_STRING": "a=1"}) as program:
        assert program.response() == (b"11", True)
        assert program.call({"QUERY_STRING": "a=2"}) == (b"22", True)
        assert program.call(POST, b"a=3") == (b"33", True)
    assert (HELPERS / "HTSession.pm").is_file()
