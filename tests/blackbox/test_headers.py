"""The headers of persistence (spec 1, H1 to H9)."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, own_program, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway, wait_for

OURS = ("accept-htsession", "httimeout")


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared("PersistentCGITimeout 90\nMaxPersistentCGI 200\n")


def _goes_on(gateway: Gateway, url: str, count: int = 2) -> None:
    assert gateway.get(f"{url}?handle={url.rpartition('/')[2]}&count").text.startswith(f"count={count} ")


def _is_fresh(gateway: Gateway, url: str) -> None:
    answer = gateway.get(f"{url}?count")
    assert (answer.status, answer.text.startswith("count=1 ")) == (200, True)


def _pid(answer: Answer) -> int:
    found = re.search(r"pid=(\d+)", answer.text)
    assert found is not None, answer
    return int(found[1])


@pytest.mark.parametrize(
    "name", ["Accept-HTSession", "accept-htsession", "ACCEPT-HTSESSION", "aCCEPT-htSession"]
)
def test_H1_the_header_counts_in_any_letter_case(gateway: Gateway, name: str) -> None:
    handle = new_handle()
    answer = gateway.get(f"/cgi-bin/child?header={name}:+{handle}&stay&count")
    assert answer.text.startswith("count=1 ")
    _goes_on(gateway, f"/cgi-bin/child/{handle}")


def test_H1_a_handle_that_is_not_first_is_honoured_and_remarked_once_per_program(gateway: Gateway) -> None:
    program, remark = own_program(gateway), "HTS010 Accept-HTSession is not the first header: "
    for _ in range(2):
        handle = new_handle()
        assert gateway.get(f"{program}?header=X-First:+1&handle={handle}").header("x-first") == "1"
        _goes_on(gateway, f"{program}/{handle}")
    assert gateway.log.count(remark + program) == 1


@pytest.mark.parametrize(
    "query",
    [
        "handle={0}&timeout=1",
        "handle={0}&timeout=0",
        "handle={0}&timeout=nonsense",
        "handle=not/a/handle&timeout=1",
        "timeout=1&handle={0}",
        "handle={0}&handle=other&timeout=1&timeout=2",
        "handle={0}&timeout=1&status=500+Oops",
        "handle={0}&timeout=1&header=Location:+http://example.org/",
        "handle={0}&timeout=1&echo=bye&exit=0",
        "header=Accept-HTSession:+{0}&header=HTTimeout:+1",
    ],
)
def test_H2_neither_header_reaches_the_client(gateway: Gateway, query: str) -> None:
    answer = gateway.get("/cgi-bin/child?" + query.format(new_handle()))
    assert answer.status in (200, 302, 500)
    assert not [name for name, _ in answer.fields if name in OURS]


def test_H2_nor_from_a_session_at_work_nor_with_HEAD(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    for method in ("GET", "HEAD"):
        answer = gateway.request(method, f"{url}?handle={handle}&timeout=1")
        assert not [name for name, _ in answer.fields if name in OURS]


@pytest.mark.parametrize("handle", ["...", "a", ".x", "A-Za.z_0~9!$&'()*+,;=:@" * 5, "x" * 128])
def test_H3_every_handle_of_the_grammar_reaches_its_session(gateway: Gateway, handle: str) -> None:
    query = f"handle={quote(handle, safe='')}&count"
    assert gateway.get(f"/cgi-bin/child?{query}").text.startswith("count=1 ")
    assert gateway.get(f"/cgi-bin/child/{handle}?{query}").text.startswith("count=2 ")
    assert gateway.get(f"/cgi-bin/child/{quote(handle, safe='')}?{query}").text.startswith("count=3 ")


@pytest.mark.parametrize(
    "handle", ["", "..", ".", "x" * 129, "a/b", "a\\b", "a b", "a%41", "ä", 'a"b', "a#b", "a?b"]
)
def test_H3_another_handle_is_not_honoured(gateway: Gateway, handle: str) -> None:
    program = own_program(gateway)
    answer = gateway.get(f"{program}?handle={quote(handle, safe='')}&count")
    assert answer.text.startswith("count=1 ")
    gateway.wait_log(f"HTS004 not a handle .*: {program} ")
    wait_for("the program to end", lambda: _pid(answer) not in gateway.instances())


def test_H4_a_handle_that_is_taken_ends_the_newcomer_and_leaves_the_older_alone(gateway: Gateway) -> None:
    program, handle = own_program(gateway), new_handle()
    url = start_session(gateway, handle, program=program)
    newcomer = gateway.get(f"{program}?handle={handle}&count")
    assert newcomer.text.startswith("count=1 ")
    gateway.wait_log(f"HTS001 the handle is not unique: {program} ")
    wait_for("the newcomer to end", lambda: _pid(newcomer) not in gateway.instances())
    _goes_on(gateway, url)


def test_H4_a_session_that_asks_for_the_handle_of_another_loses_its_own(gateway: Gateway) -> None:
    theirs, own = new_handle(), new_handle()
    other, mine = start_session(gateway, theirs), start_session(gateway, own)
    assert gateway.get(f"{mine}?handle={theirs}&count").text.startswith("count=2 ")
    gone = gateway.get(mine)
    assert (gone.status, gone.header("x-htsession-ended")) == (410, "ended")
    _goes_on(gateway, other)


def test_H4_a_retired_handle_may_be_issued_again_and_is_then_forgotten(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    gateway.get(f"{url}?echo=bye")
    assert gateway.get(url).status == 410
    start_session(gateway, handle)
    _goes_on(gateway, url)


def test_H5_the_same_handle_again_keeps_the_session(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    for count in (2, 3, 4):
        _goes_on(gateway, url, count)


def test_H5_a_new_handle_replaces_the_old(gateway: Gateway) -> None:
    old, new = start_session(gateway, new_handle()), new_handle()
    assert gateway.get(f"{old}?handle={new}&count").text.startswith("count=2 ")
    gone = gateway.get(old)
    assert (gone.status, gone.header("x-htsession-ended")) == (410, "replaced")
    assert "a newer page of this session exists" in gone.text
    _goes_on(gateway, f"/cgi-bin/child/{new}", 3)


def test_H5_new_handle_is_live_before_the_first_byte_and_the_old_waits(gateway: Gateway) -> None:
    old, new, gate = start_session(gateway, new_handle()), new_handle(), Gate(gateway.folder)
    slow = Client(gateway, f"{old}?handle={new}&echo=first&flush&{gate.wait}&echo=last")
    slow.until(b"first")
    late = Client(gateway, old)
    quick = Client(gateway, f"/cgi-bin/child/{new}?handle={new}&count")
    gate.open()
    assert quick.answer().text.startswith("count=3 ")
    answer = late.answer()
    assert (answer.status, answer.header("x-htsession-ended")) == (410, "replaced")
    slow.until(b"last")


def test_H6_two_equal_headers_are_one(gateway: Gateway) -> None:
    program, handle = own_program(gateway), new_handle()
    gateway.get(f"{program}?handle={handle}&handle={handle}&timeout=1&timeout=1")
    _goes_on(gateway, f"{program}/{handle}")
    assert not re.search(rf"HTS0(08|10) .*: {program}\b", gateway.log)


def test_H6_of_two_different_handles_the_first_wins(gateway: Gateway) -> None:
    program, first, second = own_program(gateway), new_handle(), new_handle()
    gateway.get(f"{program}?handle={first}&handle={second}")
    gateway.wait_log(f"HTS010 two different Accept-HTSession headers: {program}")
    _is_fresh(gateway, f"{program}/{second}")
    _goes_on(gateway, f"{program}/{first}")


def test_H6_values_are_trimmed(gateway: Gateway) -> None:
    handle = new_handle()
    gateway.get(f"/cgi-bin/child?header=Accept-HTSession:+%09+{handle}+%09&stay")
    _goes_on(gateway, f"/cgi-bin/child/{handle}")


def test_H8_a_response_without_the_header_ends_the_session(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    last = gateway.get(f"{url}?count")
    assert last.text.startswith("count=2 ")
    gateway.wait_log(r"\[cgi:info\].* HTS006 ended by the program: /cgi-bin/child hand…")
    wait_for("the program to end", lambda: _pid(last) not in gateway.instances())
    gone = gateway.get(url)
    assert (gone.status, gone.header("x-htsession-ended")) == (410, "ended")


@pytest.mark.parametrize("status", ["201 Created", "404 Not Found", "500 Oops", "303 See Other"])
def test_H9_the_headers_are_independent_of_the_status(gateway: Gateway, status: str) -> None:
    handle = new_handle()
    answer = gateway.get(f"/cgi-bin/child?handle={handle}&status={quote(status)}")
    assert answer.status == int(status[:3])
    _goes_on(gateway, f"/cgi-bin/child/{handle}")


def test_H9_a_redirect_to_the_new_handle(gateway: Gateway) -> None:
    old, new = start_session(gateway, new_handle()), new_handle()
    target = f"/cgi-bin/child/{new}/step"
    answer = gateway.get(f"{old}?handle={new}&status=302+Found&header=Location:+{target}")
    assert (answer.status, answer.header("location")) == (302, target)
    assert gateway.get(f"{target}?handle={new}&env=PATH_INFO").text == f"PATH_INFO=/{new}/step\n"


@pytest.mark.parametrize("started", [False, True])
def test_H9_a_local_redirect_registers_the_session_first(gateway: Gateway, started: bool) -> None:
    url = start_session(gateway, new_handle()) if started else "/cgi-bin/child"
    new = new_handle()
    target = quote(f"/cgi-bin/child/{new}?handle={new}&count", safe="")
    answer = gateway.get(f"{url}?handle={new}&header=Location:+{target}")
    assert (answer.status, answer.text.split()[0]) == (200, f"count={2 + started}")
    _goes_on(gateway, f"/cgi-bin/child/{new}", 3 + started)
