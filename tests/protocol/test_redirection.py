"""The variables of a request that came out of another one (as Apache names them)."""

from gateway.protocol.environ import Variables, message_variables
from gateway.protocol.redirection import Redirection, redirect_variables
from tests.protocol.test_environ import FIXED, request


def given(before: Variables, **more: bytes) -> Variables:
    return redirect_variables(before, status=404, url=b"/gone", query=b"q=1", **more)


def test_the_first_requests_variables_get_one_more_prefix() -> None:
    first = given({b"MINE": b"x", b"REMOTE_USER": b"anna", b"REQUEST_METHOD": b"POST"})
    assert first == {
        b"REDIRECT_MINE": b"x",
        b"REDIRECT_REMOTE_USER": b"anna",
        b"REDIRECT_REQUEST_METHOD": b"POST",
        b"REDIRECT_STATUS": b"404",
        b"REDIRECT_URL": b"/gone",
        b"REDIRECT_QUERY_STRING": b"q=1",
    }
    second = given(first)
    assert second[b"REDIRECT_REDIRECT_STATUS"] == b"404" and second[b"REDIRECT_REDIRECT_MINE"] == b"x"


def test_headers_and_handles_are_not_handed_on() -> None:
    found = given({b"HTTP_COOKIE": b"a", b"HTSESSION_HANDLE": b"b", b"QZHBNEXT_SESSION_HANDLE": b"c"})
    assert set(found) == {b"REDIRECT_STATUS", b"REDIRECT_URL", b"REDIRECT_QUERY_STRING"}


def test_notes_say_why() -> None:
    assert given({}, notes=b"why")[b"REDIRECT_ERROR_NOTES"] == b"why"


def test_REQUEST_URI_stays_what_the_client_asked_for() -> None:
    came_by = Redirection(404, b"/first?a", {b"REDIRECT_STATUS": b"404"})
    found = message_variables(request(came_by=came_by), FIXED, path_info=b"", content_length=None)
    assert (found[b"REQUEST_URI"], found[b"REDIRECT_STATUS"]) == (b"/first?a", b"404")


def test_SetEnv_wins_over_a_variable_of_the_first_request() -> None:
    came_by = Redirection(404, b"/", {b"REDIRECT_STATUS": b"404"})
    fixed = FIXED | {b"REDIRECT_STATUS": b"200"}
    found = message_variables(request(came_by=came_by), fixed, path_info=b"", content_length=None)
    assert b"REDIRECT_STATUS" not in found


def test_headers_that_the_answer_has_itself_are_not_doubled_but_cookies_add_up() -> None:
    came_by = Redirection(200, b"/", {}, ((b"set-cookie", b"a=b"), (b"x-own", b"1"), (b"allow", b"GET")))
    assert came_by.missing_in([b"set-cookie", b"x-own"]) == [(b"set-cookie", b"a=b"), (b"allow", b"GET")]
