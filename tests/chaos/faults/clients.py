"""Clients that are slow, or leave, in every phase of a request; their sessions must go on (R7)."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.blackbox.harness import wait_for
from tests.blackbox.raw import Raw
from tests.chaos.book import Rules, Visitor
from tests.chaos.faults.fault import Fault
from tests.chaos.load import FILL
from tests.chaos.scene import Scene

_BODY = b"b" * 3000
_DEPARTURES = 10
_LONG_FOR_A_PAGE = 0.005  # seconds


def _connected(scene: Scene, visitor: Visitor) -> None:
    with scene.connect() as client:
        scene.reset(client)


def _in_the_head(scene: Scene, visitor: Visitor) -> None:
    with scene.connect() as client:
        head = _head(visitor, "GET", 0)
        client.send(head[: scene.chance.randrange(1, len(head) - 1)])
        scene.reset(client)


def _in_the_body(scene: Scene, visitor: Visitor) -> None:
    """It has been spooled only: the program knows nothing of it (B3)."""
    with scene.connect() as client:
        client.send(_head(visitor, "POST", len(_BODY)) + _BODY[: scene.chance.randrange(len(_BODY))])
        scene.reset(client)


def _sent(scene: Scene, visitor: Visitor) -> None:
    with scene.connect() as client:
        client.send(_head(visitor, "POST", len(_BODY)) + _BODY)
        scene.reset(client)
    _lost_page(scene, visitor)


def _while(where: str) -> Callable[[Scene, Visitor], None]:
    def leave(scene: Scene, visitor: Visitor) -> None:
        with scene.connect() as client:
            go = scene.begin(client, visitor, where)
            scene.reset(client)
            go.touch()
        _lost_page(scene, visitor)

    return leave


def _in_the_page(scene: Scene, visitor: Visitor) -> None:
    with scene.connect() as client:
        scene.send(client, visitor.target(fill=50 * FILL))
        assert client.sock.recv(1000)
        scene.reset(client)
    _lost_page(scene, visitor)


def _drips(scene: Scene, visitor: Visitor) -> None:
    """A head and a body that come in many pieces."""
    data = _head(visitor, "POST", len(_BODY)) + _BODY
    with scene.connect() as client:
        for start in range(0, len(data), 50):
            client.send(data[start : start + 50])
            scene.load.more(1)
        _judge(scene, client, visitor, body=_BODY)


def _takes_slowly(scene: Scene, visitor: Visitor) -> None:
    """A long page that is not read for a while: the others are served meanwhile."""
    with scene.connect() as client:
        scene.send(client, visitor.target(fill=20 * FILL))
        scene.load.more(50)
        _judge(scene, client, visitor, fill=20 * FILL)


def _half_closed(scene: Scene, visitor: Visitor) -> None:
    """It says that it will send nothing more; whether it is still there is not known then."""
    with scene.connect() as client:
        scene.send(client, visitor.target())
        client.sock.shutdown(1)
        client.rest()
    _lost_page(scene, visitor)


def _at_any_moment(scene: Scene, visitor: Visitor) -> None:
    """While its request, its page or a question about its new handle is on the way, as chance wants."""
    with scene.connect() as client:
        scene.send(client, visitor.target())
        time.sleep(scene.chance.uniform(0, _LONG_FOR_A_PAGE))
        scene.reset(client)
    _lost_page(scene, visitor)


def _judge(scene: Scene, client: Raw, visitor: Visitor, *, body: bytes = b"", fill: int = 0) -> None:
    if scene.judge(client, visitor, body=body, fill=fill) != 200:
        scene.fail("wrong", "a slow client was not served")


def _head(visitor: Visitor, method: str, length: int) -> bytes:
    line = f"{method} {visitor.target()} HTTP/1.1"
    return f"{line}\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()


def _lost_page(scene: Scene, visitor: Visitor) -> None:
    """The request may have been carried out."""
    visitor.cuts += 1


PHASES = (_connected, _in_the_head, _in_the_body, _sent, _while("running"), _while("header"), _while("body"),
          _in_the_page, _drips, _takes_slowly, _half_closed)  # fmt: skip


def _phase(scene: Scene) -> None:
    visitor = scene.draw_instance()
    PHASES[scene.turn % len(PHASES)](scene, visitor)
    _goes_on(scene, visitor)


def _while_two_fronts_serve(scene: Scene) -> None:
    with scene.two_fronts():
        for _ in range(_DEPARTURES):
            visitor = scene.draw_instance(rotates=True)
            _at_any_moment(scene, visitor)
            _goes_on(scene, visitor)


def _goes_on(scene: Scene, visitor: Visitor) -> None:
    scene.load.give_back(visitor)
    serial = visitor.serial
    wait_for("its next request", lambda: visitor.serial > serial + 1 or not visitor.count, 60)


FAULTS = (
    Fault(
        "clients",
        "clients that are slow or vanish, in eleven phases in turn",
        _phase,
        Rules(),
        110,
        smoke=len(PHASES),
    ),
    Fault(
        "clients-reload", "ten clients that vanish while two fronts serve", _while_two_fronts_serve, Rules(), 20
    ),
)
