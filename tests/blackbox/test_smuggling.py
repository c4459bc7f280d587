"""Requests that two readers could take for different ones are refused, and nothing behind them is answered."""

from __future__ import annotations

import pytest

from tests.blackbox.clients import Gate
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.blackbox.raw import Raw, exchange

HIDDEN = b"GET /cgi-bin/child?echo=hidden HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /cgi-bin/child?body HTTP/1.1\r\nHost: x\r\n"
GET = b"GET /cgi-bin/child?echo=seen HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared()


def _refused(gateway: Gateway, data: bytes, status: int = 400) -> None:
    """Answered by a page of ours with this status; closed; what is hidden behind is never answered."""
    answer, rest = exchange(gateway, data + HIDDEN)
    assert (answer.status, answer.header("connection")) == (status, "close"), answer
    assert (answer.header("content-type") or "").startswith("text/html")
    assert answer.header("server") == "persistent-cgi"
    assert answer.header("date") is not None
    assert f"<title>{status} " in answer.text
    assert rest == b""


FRAMING = {
    "length and chunked": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two different lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "the same length twice": b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": b"Content-Length: 5, 5\r\n\r\nhello",
    "a length with a sign": b"Content-Length: +5\r\n\r\nhello",
    "a negative length": b"Content-Length: -5\r\n\r\nhello",
    "a length with a blank": b"Content-Length: 5 0\r\n\r\nhello",
    "a hexadecimal length": b"Content-Length: 0x5\r\n\r\nhello",
    "an empty length": b"Content-Length:\r\n\r\nhello",
    "an endless length": b"Content-Length: " + b"9" * 30 + b"\r\n\r\nhello",
    "a length behind zeros": b"Content-Length: " + b"0" * 30 + b"5\r\n\r\nhello",
    "a length behind thousands of zeros": b"Content-Length: " + b"0" * 5000 + b"5\r\n\r\nhello",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, chunked": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an empty coding": b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "a folded coding": b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a coding behind a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a tab before the colon": b"Content-Length\t: 5\r\n\r\nhello",
}


@pytest.mark.parametrize("headers", FRAMING.values(), ids=FRAMING)
def test_a_body_of_unclear_length_is_refused(gateway: Gateway, headers: bytes) -> None:
    _refused(gateway, POST + headers)


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"xchunked", b"chunk ed", b"identity"])
def test_a_coding_that_is_not_chunked_is_501(gateway: Gateway, coding: bytes) -> None:
    _refused(gateway, POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n", 501)


def test_chunked_from_HTTP_1_0_is_refused(gateway: Gateway) -> None:
    head = b"POST /cgi-bin/child HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n"
    _refused(gateway, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b" \tCHUNKED"])
def test_chunked_in_any_letter_case_is_chunked(gateway: Gateway, value: bytes) -> None:
    with Raw(gateway) as client:
        client.send(POST + b"Transfer-Encoding:" + value + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        assert client.answer().text == "hello"


def test_blanks_around_a_value_do_not_count(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        client.send(POST + b"Content-Length: \t5 \t\r\n\r\nhello")
        assert client.answer().text == "hello"


HEADS = {
    "a folded header": b"X-A: b\r\n c\r\n\r\n",
    "a blank before the first header": b"",
    "a bare LF in the head": b"X-A: b\nX-C: d\r\n\r\n",
    "a bare CR in the head": b"X-A: b\rX-C: d\r\n\r\n",
    "an empty line of LF": b"X-A: b\r\n\n",
    "NUL in a value": b"X-A: a\0b\r\n\r\n",
    "a control character in a value": b"X-A: a\x01b\r\n\r\n",
    "DEL in a value": b"X-A: a\x7fb\r\n\r\n",
    "NUL in a name": b"X\0A: b\r\n\r\n",
    "a control character in a name": b"X\x01A: b\r\n\r\n",
    "a blank in a name": b"X A: b\r\n\r\n",
    "8 bits in a name": b"X\xe4: b\r\n\r\n",
    "a header without a name": b": b\r\n\r\n",
    "a header without a colon": b"X-A\r\n\r\n",
    "a second Host": b"Host: y\r\n\r\n",
}


@pytest.mark.parametrize("rest", HEADS.values(), ids=HEADS)
def test_a_malformed_head_is_refused(gateway: Gateway, rest: bytes) -> None:
    _refused(gateway, GET + rest if rest else GET.replace(b"Host", b" Host") + b"\r\n")


CHUNKS = {
    "a size too large": b"fffffffffffffffff\r\nhello",
    "a negative size": b"-5\r\nhello",
    "a size with a sign": b"+5\r\nhello",
    "a size with 0x": b"0x5\r\nhello",
    "a blank behind the size": b"5 \r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello",
    "a size that is no number": b"G\r\nhello",
    "a chunk without its end": b"5\r\nhelloXX0\r\n\r\n",
    "lines that end with LF": b"5\nhello\n0\n\n",
    "a size behind a bare CR": b"5\rX\nhello",
    "LF in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "NUL in an extension": b"5;\0\r\nhello\r\n0\r\n\r\n",
    "a quoted line end in an extension": b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n',
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
def test_a_malformed_chunk_is_refused_and_starts_no_program(gateway: Gateway, chunks: bytes) -> None:
    trace = Gate(gateway.folder)
    head = POST.replace(b"?body", b"?" + trace.touch.encode())
    _refused(gateway, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert not trace.is_open


def test_chunk_extensions_and_trailers_are_read_away(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        chunks = b'5;name=value;q="quoted \\" text"\r\nhello\r\n0\r\nX-Trailer: 1\r\nHost: other\r\n\r\n'
        client.send(POST.replace(b"?body", b"?body&environ") + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        answer = client.answer()
        assert answer.text.startswith("hello")
        assert "HTTP_X_TRAILER" not in answer.text
        assert "HTTP_HOST=x\n" in answer.text
        assert client.request("GET /cgi-bin/child?echo=next").text == "next"


def test_garbage_behind_the_last_chunk_is_refused_after_the_answer(gateway: Gateway) -> None:
    answer, rest = exchange(
        gateway, POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\x01garbage\r\n\r\n" + HIDDEN
    )
    assert answer.text == "hello"
    assert rest.startswith(b"HTTP/1.1 400 ")
    assert b"hidden" not in rest


def test_a_refused_request_waits_for_the_answers_before_it(gateway: Gateway) -> None:
    gate = Gate(gateway.folder)
    with Raw(gateway) as client:
        slow = f"GET /cgi-bin/child?echo=first&flush&{gate.wait}&echo=last HTTP/1.1\r\nHost: x\r\n\r\n"
        client.send(slow.encode() + GET + b"X A: b\r\n\r\n" + HIDDEN)
        assert client.line().startswith(b"HTTP/1.1 200 ")
        gate.open()
        rest = client.rest()
        assert rest.index(b"last") < rest.index(b"HTTP/1.1 400 ")
        assert b"hidden" not in rest


@pytest.mark.parametrize("lines", [b"\r\n", b"\r\n\r\n", b"\n"])
def test_blank_lines_before_a_request_do_not_count(gateway: Gateway, lines: bytes) -> None:
    with Raw(gateway) as client:
        client.send(lines + GET + b"\r\n")
        assert client.answer().text == "seen"


HOSTS = [b"a b", b"a/b", b"a@b", b"a?b", b"a,b", b"a:b", b"[::1", b"a:1:2", b"<a>", b"a" * 300, b"\xe4"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_malformed_Host_is_refused(gateway: Gateway, host: bytes) -> None:
    _refused(gateway, GET.replace(b"Host: x", b"Host: " + host) + b"\r\n")


@pytest.mark.parametrize(
    "host", [b"a", b"A-b.c_d.", b"127.0.0.1:80", b"[::1]:8080", b"[::ffff:1.2.3.4]", b"a:", b""]
)
def test_any_Host_that_can_be_one_is_taken(gateway: Gateway, host: bytes) -> None:
    with Raw(gateway) as client:
        client.send(GET.replace(b"Host: x", b"Host: " + host) + b"\r\n")
        assert client.answer().text == "seen"


def test_HTTP_1_1_without_Host_is_refused(gateway: Gateway) -> None:
    _refused(gateway, GET.replace(b"Host: x\r\n", b"") + b"\r\n")


def test_HTTP_1_0_without_Host_is_served(gateway: Gateway) -> None:
    answer, rest = exchange(gateway, b"GET /cgi-bin/child?echo=seen HTTP/1.0\r\n\r\n")
    assert (answer.text, rest) == ("seen", b"")


LINES = {
    "HTTP/2.0": (b"GET / HTTP/2.0", 505),
    "HTTP/0.9 with headers": (b"GET /", 505),
    "a made-up HTTP/0.9": (b"GET / HTTP/0.9", 505),
    "HTTP/1.2": (b"GET / HTTP/1.2", 400),
    "http in small letters": (b"GET / http/1.1", 400),
    "a blank in the target": (b"GET /a b HTTP/1.1", 400),
    "a tab behind the method": (b"GET\t/ HTTP/1.1", 400),
    "a tab behind the target": (b"GET /\tHTTP/1.1", 400),
    "a blank behind the version": (b"GET / HTTP/1.1 ", 400),
    "a blank before the method": (b" GET / HTTP/1.1", 400),
    "a control character in the target": (b"GET /\x01 HTTP/1.1", 400),
    "NUL in the target": (b"GET /\0 HTTP/1.1", 400),
    "8 bits in the target": (b"GET /\xe4 HTTP/1.1", 400),
    "a target of an authority": (b"GET localhost:80 HTTP/1.1", 400),
    "a target of a query": (b"GET ?a HTTP/1.1", 400),
    "a target of another scheme": (b"GET ftp://x/ HTTP/1.1", 400),
    "a target with a user": (b"GET http://me@x/ HTTP/1.1", 400),
    "a target without a host": (b"GET http:///a HTTP/1.1", 400),
    "a star for GET": (b"GET * HTTP/1.1", 400),
    "an unknown method": (b"FROB / HTTP/1.1", 501),
    "a method in small letters": (b"get / HTTP/1.1", 501),
    "an over-long method": (b"A" * 9000 + b" / HTTP/1.1", 400),
    "CONNECT": (b"CONNECT localhost:80 HTTP/1.1", 405),
    "TRACE": (b"TRACE /cgi-bin/child?environ HTTP/1.1", 405),
    "the beginning of HTTP/2": (b"PRI * HTTP/2.0", 400),
    "the beginning of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
}


@pytest.mark.parametrize(("line", "status"), LINES.values(), ids=LINES)
def test_a_request_line_that_is_not_served_is_refused(gateway: Gateway, line: bytes, status: int) -> None:
    _refused(gateway, line + b"\r\nHost: x\r\n\r\n", status)


def test_405_says_which_methods_there_are(gateway: Gateway) -> None:
    answer, _ = exchange(gateway, b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "GET, HEAD, POST" in (answer.header("allow") or "")


def test_OPTIONS_star_says_which_methods_there_are(gateway: Gateway) -> None:
    answer, _ = exchange(gateway, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 200
    assert "GET, HEAD, POST" in (answer.header("allow") or "")


def test_OPTIONS_of_a_path_is_the_programs_business(gateway: Gateway) -> None:
    answer = gateway.request("OPTIONS", "/cgi-bin/child?env=REQUEST_METHOD")
    assert answer.text == "REQUEST_METHOD=OPTIONS\n"


def test_the_host_of_an_absolute_target_wins(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        target = "http://other.example:81/cgi-bin/child?env=HTTP_HOST&env=SERVER_NAME&env=REQUEST_URI"
        text = client.request(f"GET {target}").text
        assert "HTTP_HOST=other.example:81\nSERVER_NAME=other.example\nREQUEST_URI=/cgi-bin/child?" in text


def test_an_absolute_target_without_a_path_is_the_root(gateway: Gateway) -> None:
    (gateway.htdocs / "index.html").write_text("the root")
    with Raw(gateway) as client:
        assert client.request("GET http://localhost").text == "the root"


@pytest.mark.parametrize(
    "header", ["Expect: 200-ok", "Expect: 100-continue, x", "Expect: 100-continue\r\nExpect: x"]
)
def test_another_expectation_is_417(gateway: Gateway, header: str) -> None:
    _refused(gateway, GET + header.encode() + b"\r\n\r\n", 417)


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


def test_an_upgrade_is_not_taken_and_the_request_answered(gateway: Gateway) -> None:
    answer, rest = exchange(gateway, GET + UPGRADE + b"\r\n" + HIDDEN)
    assert (answer.status, answer.text, answer.header("connection"), rest) == (200, "seen", "close", b"")


@pytest.mark.parametrize(
    "body", [b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]
)
def test_a_body_with_an_upgrade_is_a_body(gateway: Gateway, body: bytes) -> None:
    for cut in (0, 8, len(body)):
        with Raw(gateway) as client:
            head = POST + UPGRADE
            client.send(head + body[:cut])
            client.send(body[cut:] + HIDDEN)
            assert client.answer().text == "hello"
            assert client.rest() == b""


def test_the_error_page_has_the_form_that_is_asked_for(gateway: Gateway) -> None:
    answer, _ = exchange(gateway, GET + b"Accept: application/json\r\nHost: y\r\n\r\n")
    assert answer.header("content-type") == "application/json"
