"""A page that a script has ended is delivered whole, whatever its exit status; one in whose middle it dies is
cut."""

from __future__ import annotations

import subprocess

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

PYTHON = """
import atexit, os, sys
query = os.environ["QUERY_STRING"]
if query == "late":
    atexit.register(print, "last")
if query == "hook":
    sys.excepthook = lambda kind, error, trace: print("shown:", error)
if query == "before":
    sys.exit(3)
print("Content-Type: text/plain\\n\\nbegun", flush=True)
if query == "exit":
    sys.exit(3)
if query == "text":
    sys.exit("told to the log")
if query in ("die", "hook"):
    raise ValueError("oh")
"""
PERL = r"""
$| = 1;
my $query = $ENV{QUERY_STRING};
exit 3 if $query eq 'before';
print "Content-Type: text/plain\n\nbegun\n";
END { print "last\n" if $ENV{QUERY_STRING} =~ /exit|late/ }
exit 3 if $query eq 'exit';
if ($query eq 'fork') { fork or exit 4; wait; print $? >> 8 }
$SIG{__DIE__} = sub { print "shown: @_" } if $query eq 'hook';
die "oh\n" if $query eq 'die' || $query eq 'hook';
"""
CARP = "use CGI::Carp qw(fatalsToBrowser);\nprint qq(Content-Type: text/html\\n\\nbegun);\ndie 'oh';\n"
BROKEN = "use CGI::Carp qw(fatalsToBrowser);\nprint ( ;\n"
KINDS = "CGIActivationGroup python .py\nCGIActivationGroup perl .pl\n"


@pytest.fixture(scope="module", params=["", "StartCGI 1\n"], ids=["cold", "warm"])
def gateway(serve_shared: Serve, request: pytest.FixtureRequest) -> Gateway:
    programs = {"end.py": PYTHON, "end.pl": PERL, "carp.pl": CARP, "broken.pl": BROKEN}
    return serve_shared(KINDS + request.param, programs)


PAGES = [
    ("end.py?exit", "begun\n"),
    ("end.py?text", "begun\n"),
    ("end.py?hook", "begun\nshown: oh\n"),
    pytest.param("end.pl?exit", "begun\nlast\n", marks=pytest.mark.needs("perl")),
    pytest.param("end.pl?hook", "begun\nshown: oh\n", marks=pytest.mark.needs("perl")),
    pytest.param("end.pl?fork", "begun\n4", marks=pytest.mark.needs("perl")),
]


@pytest.mark.parametrize(("url", "page"), PAGES)
def test_a_page_is_whole(gateway: Gateway, url: str, page: str) -> None:
    answer = gateway.get(f"/cgi-bin/{url}")
    assert (answer.status, answer.text, answer.whole) == (200, page, True)
    if "text" in url:
        gateway.wait_log("told to the log")


@pytest.mark.parametrize("name", ["end.py", pytest.param("end.pl", marks=pytest.mark.needs("perl"))])
def test_a_page_in_whose_middle_a_script_dies_is_cut_and_no_page_is_502(gateway: Gateway, name: str) -> None:
    answer = gateway.get(f"/cgi-bin/{name}?die")
    assert (answer.status, answer.text, answer.whole) == (200, "begun\n", False)
    assert gateway.get(f"/cgi-bin/{name}?before").status == 502


@pytest.mark.parametrize("name", ["end.py", pytest.param("end.pl", marks=pytest.mark.needs("perl"))])
def test_what_a_script_prints_when_its_page_is_over_is_in_no_page_and_the_log_tells(
    gateway: Gateway, name: str
) -> None:
    answer = gateway.get(f"/cgi-bin/{name}?late")
    assert (answer.status, answer.text, answer.whole) == (200, "begun\n", True)
    gateway.wait_log(rf"/cgi-bin/{name}: 5 bytes of output belong to no page")


@pytest.fixture
def cgi_pm() -> None:
    if subprocess.run(["perl", "-MCGI::Carp", "-e", "1"], capture_output=True, check=False).returncode:
        pytest.skip("not installed here: CGI.pm (libcgi-pm-perl)")


@pytest.mark.needs("perl")
@pytest.mark.usefixtures("cgi_pm")
@pytest.mark.parametrize(("name", "status"), [("carp.pl", 200), ("broken.pl", 500)])
def test_what_CGI_Carp_shows_is_whole(gateway: Gateway, name: str, status: int) -> None:
    answer = gateway.get(f"/cgi-bin/{name}")
    assert (answer.status, answer.whole) == (status, True)
    assert "Software error" in answer.text
