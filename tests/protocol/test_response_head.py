"""Header blocks of programs, one fact per test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.events import Advice
from gateway.protocol.head import MalformedHead, parse_head, parse_minutes


def headers_of(block: bytes) -> list[tuple[bytes, bytes]]:
    return list(parse_head(block + b"\n").headers)


def advice_of(*lines: bytes) -> Advice:
    return parse_head(b"\n".join(lines) + b"\n\n").advice


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_RFC3875_6_3_lines_end_with_LF_or_CRLF(end: bytes) -> None:
    assert headers_of(b"X-A: 1" + end + b"X-B: 2\n") == [(b"x-a", b"1"), (b"x-b", b"2")]


def test_RFC3875_6_3_names_in_any_case_and_blanks_around_values() -> None:
    assert headers_of(b"cOnTeNt-tYpE: \t text/html \t\n") == [(b"content-type", b"text/html")]


def test_RFC9112_5_2_continuation_lines_are_joined_with_one_space() -> None:
    assert headers_of(b"X-A: one\n\t  two\r\n three\n") == [(b"x-a", b"one two three")]


def test_RFC9110_5_3_repeated_headers_stay_apart_in_order() -> None:
    block = b"Set-Cookie: a=1\nX: y\nSet-Cookie: b=2\n"
    assert headers_of(block) == [(b"set-cookie", b"a=1"), (b"x", b"y"), (b"set-cookie", b"b=2")]


def test_RFC3875_6_3_3_status_is_200_unless_given() -> None:
    assert parse_head(b"X: y\n\n").status == 200
    assert parse_head(b"Status: 404 Not Found\n\n").status == 404
    assert parse_head(b"status:  503\n\n").status == 503
    assert parse_head(b"Status: 201 Created\nX: y\n\n").headers == [(b"x", b"y")]


@pytest.mark.parametrize(
    "status",
    [
        b"",
        b"OK",
        b"20",
        b"2000",
        b"099",
        b"100",
        b"101 Switching",
        b"600",
        b"-200",
        b"200OK",
        b"200abc",
        b"199",
    ],
)
def test_RFC3875_6_3_3_bogus_status_is_refused(status: bytes) -> None:
    with pytest.raises(MalformedHead, match="expected Status: 200 to 599"):
        parse_head(b"Status: " + status + b"\n\n")


def test_a_stated_status_is_told_apart_from_the_default() -> None:
    assert parse_head(b"Status: 200\n\n").stated and not parse_head(b"X: y\n\n").stated


def test_only_a_200_with_validators_is_conditional() -> None:
    assert parse_head(b'ETag: "a"\nLast-Modified: b\n\n').validators == (b'"a"', b"b")
    for block in (b"X: y\n\n", b'Status: 404\nETag: "a"\n\n', b'Location: /x\nETag: "a"\n\n'):
        assert parse_head(block).validators is None


@pytest.mark.parametrize("target", [b"/elsewhere?x=1", b"/"])
def test_RFC3875_6_2_2_local_path_is_a_local_redirect(target: bytes) -> None:
    head = parse_head(b"Location: " + target + b"\nSet-Cookie: a=1\nContent-Length: 9\n\n")
    assert (head.local_redirect, head.location, head.status) == (target, None, 200)
    assert head.headers == [(b"set-cookie", b"a=1")]
    assert head.content_length is None


@pytest.mark.parametrize("target", [b"http://example.org/", b"//example.org/x", b"other.html"])
def test_RFC3875_6_2_3_other_locations_are_client_redirects(target: bytes) -> None:
    head = parse_head(b"Location: " + target + b"\n\n")
    assert (head.local_redirect, head.location, head.status) == (None, target, 302)
    assert head.headers == [(b"location", target)]


@pytest.mark.parametrize("status", [201, 302, 307])
def test_RFC3875_6_2_4_location_beside_a_status_goes_to_the_client(status: int) -> None:
    head = parse_head(b"Status: %d X\nLocation: /new\n\n" % status)
    assert (head.local_redirect, head.location, head.status) == (None, b"/new", status)


def test_RFC3875_6_2_2_empty_location_is_refused() -> None:
    with pytest.raises(MalformedHead, match="expected a URL or a path after Location:"):
        parse_head(b"Location:\n\n")


@pytest.mark.parametrize("name", [b"Status", b"Location", b"Content-Length"])
def test_RFC3875_6_3_at_most_one_value(name: bytes) -> None:
    parse_head(b"%b: 200\n%b: 200\n\n" % (name, name.upper()))
    with pytest.raises(MalformedHead, match="found two that differ"):
        parse_head(b"%b: 200\n%b: 201\n\n" % (name, name))


def test_of_several_content_types_the_last_one_counts() -> None:
    head = parse_head(b"Content-Type: text/plain\nX-A: 1\nCONTENT-TYPE: text/html\n\n")
    assert head.headers == [(b"x-a", b"1"), (b"content-type", b"text/html")]


@pytest.mark.parametrize("length", [b"", b"-1", b"+1", b"1,1", b"0x10", b"9" * 5000])
def test_P4_content_length_is_a_number(length: bytes) -> None:
    with pytest.raises(MalformedHead, match="expected a number of bytes after Content-Length:"):
        parse_head(b"Content-Length: " + length + b"\n\n")


def test_RFC9110_8_6_no_length_beside_204() -> None:
    head = parse_head(b"Status: 204 No Content\nContent-Length: 0\n\n")
    assert (head.content_length, head.headers) == (None, [])


DROPPED = (
    "Status Transfer-Encoding Connection Keep-Alive Proxy-Authenticate Proxy-X TE Trailer Upgrade Date Server"
)


@pytest.mark.parametrize("name", DROPPED.encode().split())
def test_RFC3875_6_3_4_what_the_server_decides_is_dropped(name: bytes) -> None:
    assert headers_of(b"X: y\n" + name + b": 200\n") == [(b"x", b"y")]


@pytest.mark.parametrize(
    "line", [b"no colon", b": no name", b"two words: x", b"blank : x", b" folded: first", b"\xc3\xa4: x"]
)
def test_RFC9110_5_1_names_are_tokens(line: bytes) -> None:
    with pytest.raises(MalformedHead, match="expected a header"):
        parse_head(line + b"\n\n")


@pytest.mark.parametrize("value", [b"a\0b", b"a\rSet-Cookie: x", b"a\x1b[0m", b"\x7f", b"a\x04", b"a\r\r\n b"])
def test_RFC9110_5_5_control_characters_are_refused(value: bytes) -> None:
    with pytest.raises(MalformedHead, match="without control characters, found 'X-Bad: "):
        parse_head(b"X-Good: 1\r\nX-Bad: " + value + b"\n\n")


def test_the_reason_shows_60_bytes_escaped() -> None:
    with pytest.raises(MalformedHead) as caught:
        parse_head(b"\xff" + b"x" * 100 + b"\n\n")
    assert str(caught.value) == "expected a header line 'Name: value', found '\\xff" + "x" * 59 + "'…"


def test_H1_recognised_in_any_case_anywhere_in_the_block() -> None:
    advice = advice_of(b"X: y", b"ACCEPT-htsession: abc", b"hTTimeout: 5")
    assert (advice.handle, advice.timeout) == (b"abc", b"5")
    assert advice.complaints == ("Accept-HTSession is not the first header",)
    assert advice_of(b"Accept-HTSession: abc", b"X: y").complaints == ()


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found", b"500 Error"])
def test_H2_gateway_headers_never_reach_the_client(status: bytes) -> None:
    assert headers_of(b"HTTimeout: 1\nAccept-HTSession: a\nHTTimeout: 2\nStatus: " + status + b"\nX: y\n") == [
        (b"x", b"y")
    ]


def test_H6_equal_headers_are_fine_else_the_first_wins() -> None:
    assert advice_of(b"Accept-HTSession: a", b"Accept-HTSession:  a ").complaints == ()
    advice = advice_of(b"Accept-HTSession: a", b"Accept-HTSession: b", b"Accept-HTSession: c")
    assert advice == Advice(b"a", None, ("two different Accept-HTSession headers",))
    advice = advice_of(b"Accept-HTSession: a", b"HTTimeout: 1", b"HTTimeout: 2")
    assert advice == Advice(b"a", b"1", ("two different HTTimeout headers",))


def test_H6_values_are_trimmed_of_blanks() -> None:
    assert advice_of(b"Accept-HTSession: \t a b \t", b"HTTimeout:\t7 ") == Advice(b"a b", b"7")


def test_H7_timeout_counts_only_after_accept_htsession() -> None:
    complaint = "HTTimeout without an Accept-HTSession before it"
    assert advice_of(b"HTTimeout: 5") == Advice(None, None, (complaint,))
    advice = advice_of(b"HTTimeout: 5", b"Accept-HTSession: a", b"HTTimeout: 6")
    assert (advice.handle, advice.timeout) == (b"a", b"6")
    assert complaint in advice.complaints


def test_H8_absent_headers_give_no_advice() -> None:
    assert advice_of(b"X: y") == Advice(None, None, ())
    assert advice_of(b"Accept-HTSession:").handle == b""


@pytest.mark.parametrize(
    ("raw", "minutes"),
    [
        (b"0", 0),
        (b"10", 10),
        (b"007", 7),
        (b"000", 0),
        (b"9" * 10, 10**9),
        (b"9" * 5000, 10**9),
        (b"0" * 5000 + b"3", 3),
    ],
)
def test_H7_minutes_are_a_decimal_integer_of_any_length(raw: bytes, minutes: int) -> None:
    assert parse_minutes(raw) == minutes


@pytest.mark.parametrize("raw", [b"", b"-1", b"+1", b"1.5", b"10 min", b"0x1", "٣".encode(), b"1_0"])
def test_H7_malformed_minutes_are_told(raw: bytes) -> None:
    assert parse_minutes(raw) is None


lines = st.lists(
    st.sampled_from([b"A: b", b" fold", b"Status: ", b"200", b"Location: /", b"\r", b"\0", b":"])
    | st.binary(max_size=9)
)


@given(lines.map(b"\n".join))
def test_random_blocks_raise_nothing_but_MalformedHead(block: bytes) -> None:
    try:
        head = parse_head(block + b"\n\n")
    except MalformedHead:
        return
    assert 200 <= head.status <= 599
    assert not any(b"\n" in text or b"\r" in text or b"\0" in text for pair in head.headers for text in pair)
