"""The environment of a request, one fact per test, named after its section or rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import __version__
from gateway.protocol.environ import (
    Request,
    UniqueIds,
    Variables,
    fixed_variables,
    message_variables,
    request_variables,
    session_variables,
)

FIXED = fixed_variables(
    script_name=b"/cgi-bin/counter.py",
    script_filename=b"/srv/cgi-bin/counter.py",
    document_root=b"/srv/htdocs/",
)


def request(**changes: Any) -> Request:
    usual: dict[str, Any] = {
        "method": "GET",
        "raw_path": b"/cgi-bin/counter.py",
        "query": b"",
        "http_version": "1.1",
        "headers": [],
        "client": ("192.0.2.7", 4711),
        "server": ("192.0.2.1", 8080),
        "scheme": "http",
        "unique_id": b"one",
    }
    return Request(**(usual | changes))


def variables(
    *headers: tuple[bytes, bytes],
    fixed: Variables = FIXED,
    path_info: bytes = b"",
    content_length: int | None = None,
    **changes: Any,
) -> Variables:
    asked = request(headers=headers, **changes)
    message = message_variables(asked, fixed, path_info=path_info, content_length=content_length)
    return request_variables(asked, fixed, message)


def test_RFC3875_4_1_a_plain_GET_has_these_variables_and_no_others() -> None:
    assert variables() == {
        b"DOCUMENT_ROOT": b"/srv/htdocs/",
        b"GATEWAY_INTERFACE": b"CGI/1.1",
        b"QUERY_STRING": b"",
        b"REMOTE_ADDR": b"192.0.2.7",
        b"REMOTE_PORT": b"4711",
        b"REQUEST_METHOD": b"GET",
        b"REQUEST_SCHEME": b"http",
        b"REQUEST_URI": b"/cgi-bin/counter.py",
        b"SCRIPT_FILENAME": b"/srv/cgi-bin/counter.py",
        b"SCRIPT_NAME": b"/cgi-bin/counter.py",
        b"SERVER_ADDR": b"192.0.2.1",
        b"SERVER_NAME": b"192.0.2.1",
        b"SERVER_PORT": b"8080",
        b"SERVER_PROTOCOL": b"HTTP/1.1",
        b"SERVER_SOFTWARE": b"persistent-cgi/" + __version__.encode(),
        b"UNIQUE_ID": b"one",
    }


def test_the_fixed_part_is_not_changed() -> None:
    before = dict(FIXED)
    variables((b"host", b"a"), path_info=b"/x", content_length=1)
    assert before == FIXED


def test_RFC3875_4_1_1_auth_type_and_4_1_11_remote_user() -> None:
    found = message_variables(
        request(), FIXED, path_info=b"", content_length=None, remote_user=b"ada", auth_type=b"Basic"
    )
    assert (found[b"REMOTE_USER"], found[b"AUTH_TYPE"]) == (b"ada", b"Basic")


def test_RFC3875_4_1_2_content_length_only_with_a_body() -> None:
    assert variables(content_length=0)[b"CONTENT_LENGTH"] == b"0"
    assert b"CONTENT_LENGTH" not in variables((b"content-length", b"5"))


def test_RFC3875_4_1_3_content_type() -> None:
    found = variables((b"content-type", b"text/plain"))
    assert found[b"CONTENT_TYPE"] == b"text/plain"
    assert b"HTTP_CONTENT_TYPE" not in found


def test_RFC3875_4_1_5_path_info_is_absent_when_empty() -> None:
    assert variables(path_info=b"/8f3a/rest")[b"PATH_INFO"] == b"/8f3a/rest"
    assert b"PATH_INFO" not in variables()


def test_RFC3875_4_1_6_path_translated_goes_with_path_info() -> None:
    assert variables(path_info=b"/a/b")[b"PATH_TRANSLATED"] == b"/srv/htdocs/a/b"
    assert b"PATH_TRANSLATED" not in variables()


def test_RFC3875_4_1_6_path_translated_follows_the_aliases() -> None:
    found = message_variables(
        request(), FIXED, path_info=b"/x/y", content_length=None, translate=lambda path: b"/alias" + path[2:]
    )
    assert found[b"PATH_TRANSLATED"] == b"/alias/y"


def test_RFC3875_4_1_7_query_and_raw_request_uri() -> None:
    found = variables(raw_path=b"/cgi-bin/a%20b//x", query=b"x=%41&y")
    assert found[b"QUERY_STRING"] == b"x=%41&y"
    assert found[b"REQUEST_URI"] == b"/cgi-bin/a%20b//x?x=%41&y"


def test_RFC3875_4_1_8_a_unix_socket_has_no_addresses() -> None:
    found = variables(client=None, server=None)
    assert (found[b"REMOTE_ADDR"], found[b"SERVER_ADDR"]) == (b"unix:", b"")
    assert (found[b"SERVER_NAME"], found[b"SERVER_PORT"]) == (b"localhost", b"80")
    assert b"REMOTE_PORT" not in found


def test_RFC3875_4_1_9_names_are_not_looked_up() -> None:
    assert not {b"REMOTE_HOST", b"REMOTE_IDENT"} & set(variables())


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"www.example.org", b"www.example.org"),
        (b"www.example.org:81", b"www.example.org"),
        (b"[2001:db8::1]:81", b"[2001:db8::1]"),
        (b"", b"192.0.2.1"),
        (b"<script>", b"192.0.2.1"),
        (b"a/b", b"192.0.2.1"),
    ],
)
def test_RFC3875_4_1_14_server_name_is_the_host_header_s_when_well_formed(host: bytes, name: bytes) -> None:
    assert variables((b"host", host))[b"SERVER_NAME"] == name


def test_RFC3875_4_1_14_a_configured_server_name_wins() -> None:
    fixed = FIXED | {b"SERVER_NAME": b"configured.example"}
    assert variables((b"host", b"other.example"), fixed=fixed)[b"SERVER_NAME"] == b"configured.example"


def test_RFC3875_4_1_14_a_local_IPv6_address_is_in_brackets() -> None:
    assert variables(server=("2001:db8::1", 80))[b"SERVER_NAME"] == b"[2001:db8::1]"


def test_RFC3875_4_1_15_server_port_is_the_real_one() -> None:
    assert variables((b"host", b"a:9"))[b"SERVER_PORT"] == b"8080"
    assert variables(server=None, scheme="https")[b"SERVER_PORT"] == b"443"


def test_https_is_told() -> None:
    found = variables(scheme="https")
    assert (found[b"HTTPS"], found[b"REQUEST_SCHEME"]) == (b"on", b"https")
    assert b"HTTPS" not in variables()


def test_RFC3875_4_1_18_headers_become_variables() -> None:
    found = variables((b"x-a-b", b"1"), (b"connection", b"keep-alive"), (b"host", b"h"))
    assert (found[b"HTTP_X_A_B"], found[b"HTTP_CONNECTION"], found[b"HTTP_HOST"]) == (b"1", b"keep-alive", b"h")


def test_RFC3875_4_1_18_repeated_headers_are_joined() -> None:
    found = variables((b"accept", b"a"), (b"cookie", b"x=1"), (b"accept", b"b"), (b"cookie", b"y=2"))
    assert (found[b"HTTP_ACCEPT"], found[b"HTTP_COOKIE"]) == (b"a, b", b"x=1; y=2")


@pytest.mark.parametrize(
    "name", [b"authorization", b"proxy-authorization", b"proxy", b"content-length", b"transfer-encoding"]
)
def test_RFC3875_9_2_withheld_headers(name: bytes) -> None:
    assert b"HTTP_" + name.upper().replace(b"-", b"_") not in variables((name, b"x"))


@pytest.mark.parametrize("name", [b"x_a", b"x.a", b"x" * 80 + b"_a"])
def test_names_that_could_pose_as_another_header_s_are_dropped(name: bytes) -> None:
    assert variables((name, b"x")) == variables()


def test_long_header_names_are_passed_like_short_ones() -> None:
    assert variables((b"x-" + b"a" * 200, b"1"))[b"HTTP_X_" + b"A" * 200] == b"1"


def test_SetEnv_wins_over_a_header_of_the_same_spelling() -> None:
    fixed = FIXED | {b"HTTP_X_ROLE": b"set"}
    assert variables((b"x-role", b"forged"), fixed=fixed)[b"HTTP_X_ROLE"] == b"set"


def test_optional_fixed_variables() -> None:
    found = fixed_variables(
        script_name=b"/s",
        script_filename=b"/f",
        document_root=b"/d",
        server_name=b"n",
        server_admin=b"a@example.org",
        context_prefix=b"/cgi-bin/",
        context_document_root=b"/srv/cgi-bin/",
    )
    assert (found[b"SERVER_NAME"], found[b"SERVER_ADMIN"]) == (b"n", b"a@example.org")
    assert (found[b"CONTEXT_PREFIX"], found[b"CONTEXT_DOCUMENT_ROOT"]) == (b"/cgi-bin/", b"/srv/cgi-bin/")


def test_unique_ids_differ() -> None:
    ids, others = UniqueIds(b"seed"), UniqueIds(b"else")
    assert len({ids.next(), ids.next(), others.next()}) == 3


ALWAYS = {
    b"HTSESSION_NEXT_HANDLE": b"next",
    b"QZHBNEXT_SESSION_HANDLE": b"next",
    b"HTSESSION_TIMEOUT": b"300",
    b"HTSESSION_MAX_TIMEOUT": b"1800",
}


def test_R8_a_fresh_start_has_limits_and_a_next_handle_only() -> None:
    assert session_variables(timeout=300, max_timeout=1800.0, next_handle=b"next") == ALWAYS


@pytest.mark.parametrize("rest", [b"", b"/rest"])
def test_R8_a_call_by_handle_has_the_handle_and_what_follows(rest: bytes) -> None:
    found = session_variables(timeout=300, max_timeout=1800, next_handle=b"next", handle=b"8f3a", rest=rest)
    assert found == ALWAYS | {b"HTSESSION_HANDLE": b"8f3a", b"HTSESSION_PATH_INFO": rest}


def test_R6_a_previous_handle_is_stale_and_names_the_current_one() -> None:
    found = session_variables(
        timeout=300, max_timeout=1800, next_handle=b"next", handle=b"old", current_handle=b"new"
    )
    assert (found[b"HTSESSION_HANDLE"], found[b"HTSESSION_CURRENT_HANDLE"]) == (b"old", b"new")
    assert found[b"HTSESSION_STALE"] == b"1"


def test_R7_a_lost_page_is_asked_for_again() -> None:
    found = session_variables(timeout=300, max_timeout=1800, next_handle=b"next", handle=b"a", retry=True)
    assert found[b"HTSESSION_RETRY"] == b"1"
    assert b"HTSESSION_STALE" not in found


def test_R4_a_start_instead_of_an_ended_session_says_so() -> None:
    found = session_variables(timeout=300, max_timeout=1800, next_handle=b"next", expired=True)
    assert found == ALWAYS | {b"HTSESSION_STATUS": b"expired"}


token = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.!", min_size=1, max_size=12).map(str.encode)
value = st.binary(max_size=20)


@given(st.lists(st.tuples(token, value), max_size=8))
def test_headers_only_add_HTTP_variables(headers: list[tuple[bytes, bytes]]) -> None:
    added = set(variables(*headers)) - set(variables())
    assert all(name.startswith(b"HTTP_") or name == b"CONTENT_TYPE" for name in added)
