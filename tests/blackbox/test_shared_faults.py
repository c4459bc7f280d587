"""Faults under load on one shared instance: no visitor sees another's, nobody is lost (S1 to S5)."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import descriptors
from tests.blackbox.test_fault_series import CLIENTS, PACE, Known, Load

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300), pytest.mark.needs("perl")]

FACES_AT_ONCE, FAULTS = 50, 7

VISITORS = """
PersistentCGIQueue 10
PersistentCGITimeout 700ms
MaxPersistentCGITimeout 5m
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""

FACES = r"""#!/usr/bin/perl
# One process for all: counts for each visitor, by handle. ?own=NAME begins, ?brief: no long time, ?bye ends.
use strict;
$| = 1;
open(my $requests, '<&=', $ENV{HTSESSION_FD}) or die;
my ($end, %call, %owner, %count, %over) = ($ENV{HTSESSION_END}, %ENV);
while (1) {
    my $note = '';
    for my $gone (split / /, $call{HTSESSION_ENDED} // '') {
        $note .= " unknown:$gone" unless delete $owner{$gone};
        $note .= " twice:$gone" if $over{$gone}++;
        delete $count{$gone};
    }
    my ($handle, $query) = ($call{HTSESSION_HANDLE}, $call{QUERY_STRING});
    if (!defined $handle) {
        $handle = $call{HTSESSION_NEXT_HANDLE};
        ($owner{$handle}) = $query =~ /own=(\w+)/;
    }
    $note .= " dead:$handle" if $over{$handle} || !defined $owner{$handle};
    my $number = ++$count{$handle};
    my $owner = $owner{$handle} // '';
    if ($query =~ /bye/) {
        delete $owner{$handle}; delete $count{$handle}; $over{$handle} = 1;
    } else {
        print "Accept-HTSession: $handle\n", $query =~ /brief/ ? '' : "HTTimeout: 5\n";
    }
    my $held = keys %owner;
    print "Content-Type: text/plain\n\n$number $handle $owner $held$note\n\4$end\n";
    my ($size, $frame, $byte) = ('', '', '');
    while (sysread($requests, $byte, 1) && $byte ne ':') { $size .= $byte }
    exit if $size eq '';
    while (length $frame <= $size) {
        sysread($requests, $frame, $size + 1 - length $frame, length $frame) or exit;
    }
    %call = split /\0/, substr($frame, 0, -2), -1;
    exit if $call{HTSESSION_END} ne $end;
}
"""


@dataclass
class Face(Known):
    """A visitor; `brief`: the next session clock is short; `bye`: this request ends the session."""

    brief: bool = False
    bye: bool = False

    @property
    def url(self) -> str:
        more = "&bye" if self.bye else "&brief" if self.brief else ""
        return f"/cgi-bin/shared/faces{'/' + self.handle if self.count else ''}?{self.query}{more}"


class Visitors(Load):
    """The load; some sessions end by their program, some by their clock. Faults come between two requests."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.faces = [Face(f"own=v{number}") for number in range(FACES_AT_ONCE)]
        self.sessions = [*self.faces]
        self.chance = random.Random(4)
        self.turns = [threading.Lock() for _ in range(CLIENTS)]

    def client(self, number: int) -> None:
        """One client, with every CLIENTS-th visitor."""
        while not self.over.is_set():
            for face in self.faces[number::CLIENTS]:
                with self.turns[number]:
                    self.face(face)
                if self.over.wait(PACE):
                    return

    @contextmanager
    def pause(self) -> Iterator[None]:
        """No request is under way meanwhile."""
        for turn in self.turns:
            turn.acquire()
        yield
        for turn in self.turns:
            turn.release()

    def face(self, face: Face) -> None:
        """One request, with which now and then the session ends, or is left to its clock."""
        if face.brief:
            face.brief = False
            face.lost()
        draw = self.chance.random()
        face.bye, face.brief = face.count > 2 and draw < 0.1, 0.1 < draw < 0.2
        self.visit(face)
        if face.bye:
            self.figures["bye"] += 1
            face.bye = False
            face.lost()

    def _counted(self, session: Known, *words: str) -> None:
        count, handle, owner, held, *notes = words
        mine = session.handle in ("", handle) and session.query == f"own={owner}"
        if notes or not mine or not 1 <= int(held) <= 1000:
            self.wrong.append(f"{session} {words}")
        self.figures["held"] = int(held)
        super()._counted(session, count, handle)


def series(gateway: Gateway, fault: Callable[[Visitors], None]) -> None:
    """Visitors of one shared instance while this happens again and again; then everybody leaves."""
    load = Visitors(gateway)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.client, number) for number in range(CLIENTS)]
        try:
            load.wait_visits(FACES_AT_ONCE)
            (instance,) = gateway.instances()
            for _ in range(FAULTS):
                load.wait_visits(15)
                fault(load)
            wait_for("ends by the clock", lambda: "HTS002 " in gateway.log or load.wrong)
            load.wait_visits(FACES_AT_ONCE)
        finally:
            load.over.set()
        for client in clients:
            client.result()
    print(dict(load.figures))
    assert load.wrong == []
    assert load.figures["cut"] == load.figures["refused"] == load.figures["lost in flight"] == 0
    assert load.figures["bye"] > 0
    assert gateway.instances() == [instance], "one process from the first request to the last"
    for face in load.faces:
        face.bye = face.count > 0 and not face.brief
        if face.bye:
            assert gateway.get(face.url).status == 200
    wait_for("the last session to end", lambda: not gateway.instances())
    wait_for("one front", lambda: len(gateway.fronts()) == 1)
    wait_for("every pipe to be closed", lambda: not to_programs(gateway))
    assert "Traceback" not in gateway.log


def to_programs(gateway: Gateway) -> set[str]:
    """Pipes of which the front and the keeper hold an end each: those of programs."""
    front, keeper = ({*descriptors(pid).values()} for pid in (gateway.fronts()[-1], gateway.keeper))
    return {name for name in front & keeper if name.startswith("pipe:")} - outside(gateway)


def outside(gateway: Gateway) -> set[str]:
    """Pipes that the gateway was started with."""
    return {name for number, name in descriptors(gateway.keeper).items() if number < 3}


def test_reloads_lose_no_session_of_a_shared_instance(serve: Serve) -> None:
    gateway = serve(VISITORS, {"shared/faces": FACES})
    series(gateway, lambda load: gateway.reload())


def test_kills_of_the_front_between_two_requests_lose_no_session_of_a_shared_instance(serve: Serve) -> None:
    gateway = serve(VISITORS, {"shared/faces": FACES})

    def kill(load: Visitors) -> None:
        with load.pause():
            gateway.kill_front()

    series(gateway, kill)
