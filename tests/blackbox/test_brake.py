"""Who is above a limit and asks on and on is answered later (429); others, and living sessions, are not."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway, wait_for
from tests.blackbox.proc import descriptors
from tests.blackbox.raw import Raw

pytestmark = pytest.mark.running

CHILD = "/cgi-bin/child"
GUESSER, OTHER = "192.0.2.1", "192.0.2.2"
MANY = 200  # answers, which take some seconds
MEANWHILE = 100  # requests, each of which gives the gateway time to read those of others
DIRECTIVES = "RemoteIPHeader X-Client\nRemoteIPTrustedProxy 127.0.0.1\nPersistentCGIClientRate 1/minute 3\n"

Guess = Callable[..., list[Raw]]


@pytest.fixture
def guess() -> Iterator[Guess]:
    """Refused requests, on a connection each."""
    with ExitStack() as stack:

        def begin(gateway: Gateway, count: int, *lines: str, version: str = "1.1") -> list[Raw]:
            head = [f"GET {CHILD} HTTP/{version}", "Host: x", f"X-Client: {GUESSER}", *lines]
            clients = [stack.enter_context(Raw(gateway)) for _ in range(count)]
            for client in clients:
                client.send(("\r\n".join(head) + "\r\n\r\n").encode())
            return clients

        yield begin


def session(gateway: Gateway, client: str) -> str:
    """A living session of a client, by its URL."""
    handle = new_handle()
    assert gateway.get(f"{CHILD}?handle={handle}", X_Client=client).status == 200
    return f"{CHILD}/{handle}?handle={handle}&count"


def reach(gateway: Gateway) -> str:
    """Have the guesser use up what it may begin; a session of its."""
    own, _, _ = (session(gateway, GUESSER) for _ in range(3))
    return own


def meanwhile(gateway: Gateway, url: str, client: str) -> None:
    """The living session of a client goes on."""
    first = gateway.get(url, X_Client=client).number("count")
    for number in range(1, MEANWHILE):
        assert gateway.get(url, X_Client=client).number("count") == first + number


def unanswered(clients: list[Raw]) -> int:
    there, _, _ = select.select([client.sock for client in clients], [], [], 0)
    return len(clients) - len(there)


def check_refusal(answer: Answer) -> None:
    assert answer.status == 429 and 0 < int(answer.header("retry-after") or 0) <= 60


def test_who_asks_on_and_on_is_answered_later_and_others_meanwhile(serve: Serve, guess: Guess) -> None:
    gateway = serve(DIRECTIVES)
    own, others = reach(gateway), session(gateway, OTHER)
    clients = guess(gateway, MANY)
    meanwhile(gateway, others, OTHER)
    assert unanswered(clients), "others need not wait for them"
    meanwhile(gateway, own, GUESSER)
    assert unanswered(clients), "living sessions always pass"
    first = next(client for client in clients if select.select([client.sock], [], [], 0)[0])
    answer = first.answer()
    check_refusal(answer)
    assert answer.header("connection") is None, "the connection stays"
    reached = [line for line in gateway.log.splitlines() if "HTS003 PersistentCGIClientRate is reached" in line]
    assert len(reached) == 1


def test_a_single_refusal_does_not_wait_for_those_of_others(serve: Serve, guess: Guess) -> None:
    gateway = serve(DIRECTIVES)
    reach(gateway)
    [session(gateway, OTHER) for _ in range(3)]
    clients = guess(gateway, MANY)
    check_refusal(gateway.get(CHILD, X_Client=OTHER))
    assert unanswered(clients)


def test_looked_up_handles_too(serve: Serve) -> None:
    gateway = serve(f"{DIRECTIVES}PersistentCGILookupLimit 1")
    url, others = session(gateway, GUESSER), session(gateway, OTHER)
    assert gateway.get(f"{url}&echo=bye", X_Client=GUESSER).status == 200
    over = url.partition("?")[0]
    wait_for("the end", lambda: gateway.get(over, X_Client="192.0.2.3").status == 410)
    with ExitStack() as stack:
        clients = [stack.enter_context(Raw(gateway)) for _ in range(MANY)]
        for client in clients:
            client.send(f"GET {over} HTTP/1.1\r\nHost: x\r\nX-Client: {GUESSER}\r\n\r\n".encode())
        meanwhile(gateway, others, OTHER)
        assert unanswered(clients)


def test_those_that_leave_take_nobodys_place(serve: Serve, guess: Guess) -> None:
    gateway = serve(f"{DIRECTIVES}MaxConnections {MANY * 8}")
    reach(gateway)
    others = session(gateway, OTHER)
    front = gateway.fronts()[0]
    before = len(descriptors(front))
    clients = guess(gateway, MANY)
    meanwhile(gateway, others, OTHER)
    assert unanswered(clients) and len(descriptors(front)) > before
    for client in clients:
        client.sock.close()
    wait_for("their connections to be closed", lambda: len(descriptors(front)) <= before)
    for answer in [client.answer() for client in guess(gateway, 2)]:
        check_refusal(answer)
        assert answer.header("connection") is None, "there is room to wait again"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_waits_is_answered_when_the_front_leaves(
    serve: Serve, guess: Guess, number: signal.Signals
) -> None:
    gateway = serve(f"{DIRECTIVES}GracefulShutdownTimeout 1")
    reach(gateway)
    others = session(gateway, OTHER)
    clients = guess(gateway, MANY)
    meanwhile(gateway, others, OTHER)
    front = gateway.fronts()[0]
    assert unanswered(clients)
    os.kill(gateway.keeper, number)
    for client in clients:
        check_refusal(client.answer())
        assert client.rest() == b""
    if number == signal.SIGTERM:
        assert gateway.wait_exit() == 0
    else:
        wait_for("the old front to leave", lambda: front not in gateway.fronts())


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_beyond_the_bound_the_answer_comes_at_once_and_the_connection_ends(
    serve: Serve, guess: Guess, version: str
) -> None:
    gateway = serve(f"{DIRECTIVES}MaxConnections 80")
    reach(gateway)
    closed = 0
    for client in guess(gateway, 60, "Connection: keep-alive", version=version):
        answer = client.answer()
        check_refusal(answer)
        said = [value for name, value in answer.fields if name == "connection"]
        if said == ["close"]:
            closed += 1
            assert client.rest() == b""
        else:
            assert said == ([] if version == "1.1" else ["keep-alive"])
    assert closed
