"""One request at a time per instance, the others in a queue (spec 1, R5)."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from functools import partial

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import stopped
from tests.blackbox.raw import Raw

DIRECTIVES = """
PersistentCGITimeout 90
MaxPersistentCGI 100
PersistentCGIQueue 3
<Directory "cgi-bin/impatient">
    PersistentCGIQueueTimeout 300ms
</Directory>
<Directory "cgi-bin/alone">
    PersistentCGIQueue 0
</Directory>
<Directory "cgi-bin/shared">
    PersistentCGIShared On
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    for folder in ("impatient", "alone", "shared"):
        gateway.program(f"{folder}/child", CHILD_TEXT)
    return gateway


def test_R5_requests_are_served_one_at_a_time_in_order_of_arrival(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle)
    queries = [f"handle={handle}&count&echo={number}" for number in range(3)]
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}&count")
    waiting = [Client(gateway, f"{url}?{query}") for query in queries]
    gate.open()
    texts = [client.answer().text for client in (running, *waiting)]
    assert [text.split()[0] for text in texts] == ["count=2", "count=3", "count=4", "count=5"]
    assert [text.splitlines()[-1] for text in texts[1:]] == ["0", "1", "2"]


def test_R5_requests_that_the_front_hears_of_together_are_served_in_order(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    request = f"GET {url}?handle={handle}&count HTTP/1.1\r\nHost: x\r\n%s\r\n".encode()
    front = gateway.fronts()[-1]
    with ExitStack() as stack:
        clients = [stack.enter_context(Raw(gateway)) for _ in range(4)]
        for client in clients:
            assert client.request(f"GET {url}?handle={handle}").status == 200
        os.kill(front, signal.SIGSTOP)
        try:
            wait_for("the front to stop", partial(stopped, front))
            for client, lines in zip(clients, (b"Connection: close\r\n", b"", b"", b""), strict=True):
                client.send(request % lines)
        finally:
            os.kill(front, signal.SIGCONT)
        assert [client.answer().number("count") for client in clients] == [6, 7, 8, 9]


@pytest.mark.parametrize("folder", ["", "shared/"])
def test_R5_who_waits_for_a_program_that_exits_after_its_end_mark_is_answered_at_once(
    gateway: Gateway, folder: str
) -> None:
    """Its end of file comes when the next request has been handed out and has not begun."""
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle, program=f"/cgi-bin/{folder}child")
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}&echo=last&mark&exit=1")
    waiting = Client(gateway, f"{url}?handle={handle}&count")
    gate.open()
    assert running.answer().body.endswith(b"last")
    assert waiting.answer().status in (410, 502)
    assert gateway.get(url).status == 410


def test_R5_a_full_queue_is_503_with_Retry_After_at_once(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle)
    query = f"{url}?handle={handle}&count"
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}&count")
    waiting = [Client(gateway, query) for _ in range(3)]
    refused = gateway.get(query)
    assert refused.status == 503
    assert int(refused.header("retry-after") or 0) > 0
    gateway.wait_log("/cgi-bin/child: the queue is full")
    gate.open()
    assert [client.answer().status for client in (running, *waiting)] == [200] * 4
    assert gateway.get(query).text.startswith("count=6 ")


def test_R5_a_queue_of_length_0_lets_nobody_wait(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle, program="/cgi-bin/alone/child")
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}&count")
    assert gateway.get(f"{url}?handle={handle}").status == 503
    gate.open()
    assert running.answer().text.startswith("count=2 ")


def test_R5_who_waits_too_long_gets_503_and_the_session_goes_on(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle, program="/cgi-bin/impatient/child")
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}&count")
    refused = gateway.get(f"{url}?handle={handle}&count")
    assert refused.status == 503
    assert int(refused.header("retry-after") or 0) > 0
    gateway.wait_log("/cgi-bin/impatient/child: waited 0.3 s")
    gate.open()
    assert running.answer().text.startswith("count=2 ")
    assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=3 ")


def test_R5_who_leaves_while_waiting_is_not_served(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle)
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}&count")
    waiting = [Client(gateway, f"{url}?handle={handle}&count") for _ in range(3)]
    waiting.pop(1).leave()
    waiting.append(Client(gateway, f"{url}?handle={handle}&count"))
    gate.open()
    counts = [client.answer().text.split()[0] for client in (running, *waiting)]
    assert counts == ["count=2", "count=3", "count=4", "count=5"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("handle=new-{own}", "replaced"),
        ("echo=bye", "ended"),
        ("exit=3", "crashed"),
        ("raw=x%0A%0A", "crashed"),
    ],
)
def test_R5_the_handle_is_checked_again_after_waiting(gateway: Gateway, query: str, reason: str) -> None:
    own, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, own)
    running = Client(gateway, f"{url}?{gate.wait}&{query.format(own=own)}")
    waiting = [Client(gateway, f"{url}?count") for _ in range(2)]
    gate.open()
    running.answer()
    for client in waiting:
        answer = client.answer()
        assert (answer.status, answer.header("x-htsession-ended")) == (410, reason)


def test_R5_requests_by_the_handle_of_a_first_response_wait_for_its_end(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    first = Client(gateway, f"/cgi-bin/child?handle={handle}&echo=begun&flush&{gate.wait}&count")
    first.until(b"begun")
    second = Client(gateway, f"/cgi-bin/child/{handle}?handle={handle}&count")
    gate.open()
    first.until(b"count=1 ")
    assert second.answer().text.startswith("count=2 ")


def test_R5_sessions_do_not_wait_for_each_other(gateway: Gateway) -> None:
    gate, other = Gate(gateway.folder), new_handle()
    running = Client(gateway, f"{start_session(gateway, new_handle())}?{gate.wait}&count")
    assert gateway.get(f"{start_session(gateway, other)}?handle={other}&count").text.startswith("count=2 ")
    gate.open()
    assert running.answer().text.startswith("count=2 ")
