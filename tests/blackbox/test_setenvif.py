"""SetEnvIf and BrowserMatch reach programs, sessions and logs, and nothing else."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for

DIRECTIVES = """\
SetEnv FIXED server
SetEnvIf X-Mark "^(.)(.*)$" MARK=$2$1 FIXED=client
SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1
SetEnvIf X-Forwarded-Proto ^https$ HTTPS=on
SetEnvIf Request_Method . REQUEST_METHOD=OTHER SERVER_PORT=1
BrowserMatch Robot robot
SetEnvIf Request_URI "^/quiet" quiet
SetEnvIf Request_URI "^/cgi-bin/child/a b" decoded
SetEnvIf Request_URI "(?:refused|child/)(.*)" REFUSED=$1
<Location /cgi-bin/child/inner>
  SetEnvIf Remote_Addr ^127 inner
</Location>
ErrorDocument 404 "/cgi-bin/child?env=REDIRECT_MARK"
CustomLog logs/access.log "%U %{MARK}e" env=!quiet
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(DIRECTIVES)


def test_a_header_gives_programs_a_variable(gateway: Gateway) -> None:
    query = "/cgi-bin/child?environ"
    lines = gateway.get(query, X_Mark="axyz", User_Agent="Robot/1").text.splitlines()
    assert {"MARK=xyza", "robot=1"} <= set(lines)
    lines = gateway.get(query).text.splitlines()
    assert not [line for line in lines if line.startswith(("MARK=", "robot="))]


def test_what_setenv_and_the_request_say_goes_before_it(gateway: Gateway) -> None:
    lines = gateway.get("/cgi-bin/child?environ", X_Mark="a").text.splitlines()
    assert {"FIXED=server", "REQUEST_METHOD=GET", f"SERVER_PORT={gateway.port}"} <= set(lines)


def test_the_known_idioms_for_authorization_and_https_work(gateway: Gateway) -> None:
    lines = gateway.get("/cgi-bin/child?environ", Authorization="Bearer x", X_Forwarded_Proto="https").text
    assert {"HTTP_AUTHORIZATION=Bearer x", "HTTPS=on"} <= set(lines.splitlines())


def test_the_path_is_decoded_and_sections_count(gateway: Gateway) -> None:
    assert "decoded=1" in gateway.get("/cgi-bin/child/a%20b?environ").text.splitlines()
    assert "inner=1" in gateway.get("/cgi-bin/child/inner?environ").text.splitlines()
    assert "inner=1" not in gateway.get("/cgi-bin/child?environ").text.splitlines()


def test_a_session_gets_them_anew_with_every_request(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?handle=anew&echo=x", X_Mark="one").status == 200
    url = "/cgi-bin/child/anew?handle=anew&environ"
    assert "MARK=" not in gateway.get(url).text
    assert "MARK=wot" in gateway.get(url, X_Mark="two").text.splitlines()
    assert "MARK=" not in gateway.get(url).text


def test_after_a_local_redirect_they_have_the_prefix_that_others_have(gateway: Gateway) -> None:
    url = "/cgi-bin/child?header=Location:+/cgi-bin/child%3Fenviron"
    assert "REDIRECT_MARK=wot" in gateway.get(url, X_Mark="two").text.splitlines()


def test_an_error_document_gets_them_too(gateway: Gateway) -> None:
    assert gateway.get("/missing/one", X_Mark="two").text.splitlines() == ["REDIRECT_MARK=wot"]


def test_a_nul_in_a_path_that_is_refused_reaches_no_program(gateway: Gateway) -> None:
    """No variable can have one; the program that answers is started all the same."""
    for path in ("/refused%00", "/cgi-bin/child/%00", "/refused%00?q"):
        answer = gateway.get(path, X_Mark="two")
        assert (answer.status, answer.text.splitlines()) == (404, ["REDIRECT_MARK=wot"])
    assert "Traceback" not in gateway.log


def test_a_log_can_depend_on_what_the_first_request_was(gateway: Gateway) -> None:
    gateway.get("/quiet/one")
    gateway.get("/loud/one", X_Mark="zA")
    log = gateway.folder / "logs" / "access.log"
    wait_for("the line", lambda: "/loud/one Az\n" in log.read_text())
    assert "/quiet" not in log.read_text()
