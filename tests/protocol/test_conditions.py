"""Conditional requests (RFC 9110, section 13), decided for a response with validators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.conditions import Validators, outcome, without_content

OLD, SAME, NEW = (
    b"Thu, 01 Jan 2015 00:00:00 GMT",
    b"Fri, 01 Jan 2016 00:00:00 GMT",
    b"Sun, 01 Jan 2017 00:00:00 GMT",
)
BOTH = Validators(b'"a"', SAME)
WEAK = Validators(b'W/"a"', b"")


@pytest.mark.parametrize(
    ("validators", "condition", "status"),
    [
        (BOTH, {b"if-none-match": b'"a"'}, 304),
        (BOTH, {b"if-none-match": b'"x", W/"a"'}, 304),
        (BOTH, {b"if-none-match": b"*"}, 304),
        (BOTH, {b"if-none-match": b'"b"'}, 200),
        (BOTH, {b"if-none-match": b'"b"', b"if-modified-since": NEW}, 200),
        (WEAK, {b"if-none-match": b'"a"'}, 304),
        (BOTH, {b"if-modified-since": SAME}, 304),
        (BOTH, {b"if-modified-since": NEW}, 304),
        (BOTH, {b"if-modified-since": OLD}, 200),
        (BOTH, {b"if-modified-since": b"yesterday"}, 200),
        (WEAK, {b"if-modified-since": NEW}, 200),
        (BOTH, {b"if-match": b'"a"'}, 200),
        (BOTH, {b"if-match": b'"b", "a"'}, 200),
        (BOTH, {b"if-match": b"*"}, 200),
        (BOTH, {b"if-match": b'"b"'}, 412),
        (WEAK, {b"if-match": b'W/"a"'}, 412),
        (BOTH, {b"if-match": b'"a"', b"if-unmodified-since": OLD}, 200),
        (BOTH, {b"if-unmodified-since": OLD}, 412),
        (BOTH, {b"if-unmodified-since": SAME}, 200),
        (BOTH, {b"if-unmodified-since": b"0"}, 200),
        (BOTH, {b"range": b"bytes=0-1"}, 200),
        (BOTH, {}, 200),
    ],
)
def test_RFC9110_13_2_2_precedence(validators: Validators, condition: dict[bytes, bytes], status: int) -> None:
    assert outcome(validators, "GET", list(condition.items())) == status
    assert outcome(validators, "HEAD", list(condition.items())) == status


def test_a_request_that_has_acted_is_not_conditional() -> None:
    assert outcome(BOTH, "POST", [(b"if-match", b'"b"')]) == 200


def test_RFC9110_15_4_5_a_304_says_nothing_of_a_content() -> None:
    headers = [(b"content-type", b"a/b"), (b"content-length", b"4"), (b"etag", b'"a"'), (b"set-cookie", b"c=d")]
    assert without_content(headers) == headers[2:]


@given(st.binary(), st.binary(), st.binary(), st.sampled_from([b"if-match", b"if-modified-since", b"if-range"]))
def test_no_header_raises(etag: bytes, modified: bytes, value: bytes, name: bytes) -> None:
    assert outcome(Validators(etag, modified), "GET", [(name, value)]) in (200, 304, 412)
