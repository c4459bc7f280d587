"""HTTimeout (spec 1, H7), ready-made handles (H11), and handles that nobody else gets to see (W3)."""

from __future__ import annotations

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, own_program, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway, wait_for

TIMES = """
PersistentCGITimeout 300ms
MaxPersistentCGITimeout 90
MaxPersistentCGI 200
PersistentCGIQueue 1
<Location /cgi-bin/small>
    LimitRequestBody 4
</Location>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(
        TIMES + '<Directory "cgi-bin/capped">\nMaxPersistentCGITimeout 400ms\n</Directory>\n'
    )
    gateway.program("capped/child", CHILD_TEXT)
    return gateway


def _times_out(gateway: Gateway, program: str, seconds: str) -> None:
    gateway.wait_log(f"HTS002 timed out after {seconds} s: {program} ")


def test_H7_without_the_header_the_default_counts(gateway: Gateway) -> None:
    program = own_program(gateway)
    start_session(gateway, new_handle(), program=program)
    _times_out(gateway, program, "0.3")


def test_H7_the_header_is_minutes_and_does_not_stick_to_later_responses(gateway: Gateway) -> None:
    program, handle, other = own_program(gateway), new_handle(), own_program(gateway)
    url = start_session(gateway, handle, "timeout=1&", program=program)
    start_session(gateway, new_handle(), program=other)
    _times_out(gateway, other, "0.3")
    assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=2 ")
    _times_out(gateway, program, "0.3")


@pytest.mark.parametrize("minutes", ["1", "007", "9" * 1000])
def test_H7_the_time_is_capped(gateway: Gateway, minutes: str) -> None:
    program = own_program(gateway, "capped/")
    start_session(gateway, new_handle(), f"timeout={minutes}&", program=program)
    _times_out(gateway, program, "0.4")


@pytest.mark.parametrize("minutes", ["-1", "1.5", "soon", "0x10", "1+minute", ""])
def test_H7_a_malformed_time_is_ignored(gateway: Gateway, minutes: str) -> None:
    program = own_program(gateway)
    start_session(gateway, new_handle(), f"timeout={minutes}&", program=program)
    gateway.wait_log(f"HTS008 HTTimeout is not a whole number of minutes: {program}")
    _times_out(gateway, program, "0.3")


def test_H7_a_time_before_the_handle_does_not_count(gateway: Gateway) -> None:
    program, handle = own_program(gateway), new_handle()
    gateway.get(f"{program}?timeout=1&handle={handle}")
    gateway.wait_log(f"HTS010 HTTimeout without an Accept-HTSession before it: {program}")
    _times_out(gateway, program, "0.3")


def test_H6_of_two_times_the_first_wins(gateway: Gateway) -> None:
    program, other = own_program(gateway), own_program(gateway)
    url = start_session(gateway, new_handle(), "timeout=1&timeout=0&", program=program)
    start_session(gateway, new_handle(), program=other)
    _times_out(gateway, other, "0.3")
    assert gateway.get(f"{url}?count").text.startswith("count=2 ")
    gateway.wait_log(f"HTS010 two different HTTimeout headers: {program}")


@pytest.mark.parametrize("later", [False, True])
def test_H7_zero_ends_the_session_after_the_response(gateway: Gateway, later: bool) -> None:
    program, old, last = own_program(gateway), new_handle(), new_handle()
    start = start_session(gateway, old, "timeout=1&", program=program) if later else program
    assert gateway.get(f"{start}?handle={last}&timeout=0&count").text.startswith(f"count={1 + later} ")
    gateway.wait_log(f"HTS006 ended by the program .HTTimeout 0.: {program} ")
    gone = gateway.get(f"{program}/{last}")
    assert (gone.status, gone.header("x-htsession-ended")) == (410, "ended")
    if later:
        assert gateway.get(f"{program}/{old}").header("x-htsession-ended") == "ended"


def _offers(text: str) -> list[str]:
    return [line.partition("=")[2] for line in text.splitlines()]


def test_H11_a_ready_made_handle_is_offered_fresh_for_every_call(gateway: Gateway) -> None:
    query = "handle=@&timeout=1&env=HTSESSION_NEXT_HANDLE&env=QZHBNEXT_SESSION_HANDLE"
    url, seen = "/cgi-bin/child", set()
    for _ in range(3):
        offered, same = _offers(gateway.get(f"{url}?{query}").text)
        assert offered == same
        seen.add(offered)
        url = f"/cgi-bin/child/{offered}"
    assert len(seen) == 3
    assert gateway.get(f"{url}?echo=alive").text == "alive"


def test_H11_a_handle_of_ours_is_known_to_be_gone_when_the_memory_has_forgotten_it(serve: Serve) -> None:
    gateway = serve()
    offered = _offers(gateway.get("/cgi-bin/child?handle=@&env=HTSESSION_NEXT_HANDLE").text)[0]
    gateway.stop()
    gateway.start()
    gone = gateway.get(f"/cgi-bin/child/{offered}/rest")
    assert (gone.status, gone.header("x-htsession-ended")) == (410, "ended")
    forged = ("A" if offered[0] != "A" else "B") + offered[1:]
    assert gateway.get(f"/cgi-bin/child/{forged}?count").text.startswith("count=1 ")


def test_W3_pages_that_carry_a_handle_are_neither_kept_nor_told_to_others(gateway: Gateway) -> None:
    handle = new_handle()
    first = gateway.get(f"/cgi-bin/child?handle={handle}&timeout=1")
    later = gateway.get(f"/cgi-bin/child/{handle}?handle={handle}&timeout=1")
    for answer in (first, later):
        assert answer.header("referrer-policy") == "same-origin"
        assert answer.header("cache-control") == "no-store"
    plain = gateway.get("/cgi-bin/child?echo=plain")
    assert plain.header("referrer-policy") is None
    assert plain.header("cache-control") is None


def test_W3_what_the_program_set_stays(gateway: Gateway) -> None:
    own = "header=Referrer-Policy:+no-referrer&header=cache-CONTROL:+max-age%3D1"
    answer = gateway.get(f"/cgi-bin/child?handle={new_handle()}&{own}")
    found = [value for name, value in answer.fields if name in ("referrer-policy", "cache-control")]
    assert sorted(found) == ["max-age=1", "no-referrer"]


def test_W3_handles_are_masked_in_the_whole_error_log(serve: Serve) -> None:
    gateway = serve(TIMES)
    gateway.program("small", CHILD_TEXT)
    gate, folder = Gate(gateway.folder), gateway.cgi_bin

    def session(program: str = "/cgi-bin/child") -> str:
        return start_session(gateway, f"secret-{new_handle()}", "timeout=1&", program=program)

    refer = {"Referer": f"http://localhost{session()}"}
    for query in ("exit=3", "kill=KILL", "raw=nonsense%0A%0A", "late=x", "timeout=0", "echo=bye", "handle=a/b"):
        url = session()
        own = url.rpartition("/")[2]
        gateway.get(f"{url}?{query}" if query != "late=x" else f"{url}?handle={own}&timeout=1&{query}", **refer)
        gateway.get(url, **refer)
    taken = session()
    gateway.get(f"/cgi-bin/child?handle={taken.rpartition('/')[2]}")
    gateway.get(f"/cgi-bin/child/{taken.rpartition('/')[2]}-x?handle={taken.rpartition('/')[2]}-x")
    gateway.get(f"/cgi-bin/child?handle={taken.rpartition('/')[2]}%0D&handle=bad%01handle")
    assert gateway.post(session("/cgi-bin/small"), b"12345").status == 413
    loop = session()
    assert gateway.get(f"{loop}?handle={loop.rpartition('/')[2]}&again={loop}").status == 500
    busy = session()
    running = Client(gateway, f"{busy}?{gate.wait}")
    waiting = Client(gateway, busy)
    assert gateway.get(busy).status == 503
    gate.open()
    assert [running.answer().status, waiting.answer().status] == [200, 410]
    timed_out = start_session(gateway, f"secret-{new_handle()}", program=own_program(gateway))
    gateway.wait_log("HTS002 .* /cgi-bin/child-handle-")
    assert gateway.get(timed_out, **refer).status == 410
    removed = session("/cgi-bin/small")
    (folder / "small").unlink()
    gateway.get(removed)
    gateway.reload()
    assert gateway.get(removed).status == 410
    wait_for("the old front to go", lambda: len(gateway.fronts()) == 1)
    assert "secr…" in gateway.log
    assert [line for line in gateway.log.splitlines() if "secret-" in line] == []
