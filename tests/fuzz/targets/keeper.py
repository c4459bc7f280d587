"""Messages of a front that was taken over, and what it writes into the shared table: they may cost that front
its life, never the keeper's."""

from __future__ import annotations

import os
from functools import cache

from gateway.logs.error import ErrorLog
from tests.fuzz.keeper_world import KeeperWorld, played
from tests.fuzz.target import Target

_MOST_LINES = 12


@cache
def _log() -> ErrorLog:
    return ErrorLog(os.devnull)


def check(data: bytes) -> None:
    """A line is a message of the front with the number before it, or an event of the world outside.

    Nothing is raised, no descriptor stays open, and every place in the table is free in the end.
    """
    _log()
    before = len(os.listdir("/proc/self/fd"))
    with played():
        world = KeeperWorld(_log())
        for line in data.split(b"\n")[:_MOST_LINES]:
            _play(world, line)
        world.time()
        world.close()
    assert len(os.listdir("/proc/self/fd")) == before, "a descriptor stays open"


def _play(world: KeeperWorld, line: bytes) -> None:
    number = line[0] if line else 0
    if line[1:2] == b"{":
        world.say(number, line[1:])
    elif line.endswith(b"reap"):
        world.reap(number, number << 8 if number % 2 else number % 64)  # an exit status, or a signal
    elif line.endswith(b"table"):
        world.write(number, line[1 : -len(b"table")])
    elif line.endswith(b"lost"):
        world.lose(number)
    elif line.endswith(b"time"):
        world.time()
    elif line.endswith(b"hup"):
        world.keeper.reload()


_RECIPE = (
    b'0{"kind":"recipe","number":7,"argv":["a"],"directory":"/","about":{"host":"","cgi_name":"/a","shared":false},'
    b'"grace":2.0,"identity":null,"limits":[["cpu",1,2]]}\0A\0b\0'
)
_AGAIN = b'0{"kind":"start","tag":1,"recipe":7,"words":["w"],"mark":"m","body":false,"brief":false}\0C\0d\0'
_START = _RECIPE + b"\n" + _AGAIN
_BRIEF = _START.replace(b'"brief":false', b'"brief":true')
_ENDING = (
    b'{"at":1.0,"host":"","cgi_name":"/a","handle":"a...","user":"","reason":"ended","text":"HTS006","requests":1,'
    b'"began":1.0,"id":"1","bytes_in":0,"bytes_out":0,"busy":0.1}'
)
_ACCOUNT = b'0{"kind":"account","id":1,"slot":0,"last":true,"ending":%b}' % _ENDING
_CLAIM = (
    b'0{"kind":"claim","tag":2,"id":1,"key":"00112233445566778899aabbccddeeff","slot":0,"common":null,'
    b'"newcomer":true,"limit":5}'
)
_RETIRE = b'0{"kind":"retire","key":"00112233445566778899aabbccddeeff","at":1.0,"timeout":1.0,"reason":3}'
_WARM = (
    b'0{"kind":"prepare","id":"g","argv":["a"],"identity":null,"limits":[],"count":2}\0',
    b'0{"kind":"start_warm","tag":3,"group":"g","about":{"host":"","cgi_name":"/a","shared":false},"grace":1.0}',
)
SEEDS = [
    b"\n".join([_START, _CLAIM, _ACCOUNT, b'0{"kind":"end","id":1,"how":"eof"}', b"0time", b"0reap"]),
    b"\n".join([_START, b"0hup", b'1{"kind":"ready"}', b'0{"kind":"give","id":1}', b'0{"kind":"released"}']),
    b"\n".join([_START, _RETIRE, b"0lost", b"0reap", b'0{"kind":"ready"}']),
    b"\n".join([*_WARM, b"0time", b"0reap", b"0lost"]),
    b"\n".join([_BRIEF, _BRIEF, b"0reap", b"0time", b"0reap", _BRIEF, b"0lost", b"0time", b"0reap"]),
    b"\n".join([_START.replace(b"false", b"true", 1), _CLAIM.replace(b'"slot":0', b'"slot":null'),
                b'0{"kind":"leave","id":1,"slot":4}', b'0{"kind":"want","id":1}', b"0reap"]),
    b"\n".join([_START, b"0\xff\xff\xff\xff\xff\xff\xff\xff\xfftable", _CLAIM, b"1" + b"\xff" * 120 + b"table",
                b"5" + b"\xff" * 99 + b"table", b"0lost", b"0reap"]),
    b'0{"kind":"hello","version":5}\n0{"kind":"refuse","text":"no"}\n0{"kind":"pong"}\n0{"kind":"finished"}',
]  # fmt: skip
WORDS = [
    b"\n", b"0", b"1", _RECIPE, _AGAIN, _ACCOUNT, _CLAIM, _RETIRE, *_WARM, _ENDING, b"null", b"true",
    b"1e999", b"-1",
    b"[]", b"{}",
    b'""', b'"\\ud800"', b'"\\u0000"', b"NaN", b"99999999999999999999", b'"id":', b'"slot":', b'"about":',
    b'"grace":',
    b'"tag":', b'"reason":', b'"kind":"', b"0lost", b"0reap", b"0time", b"0hup",
    b"1table", b"5\xfftable", b'0{"kind":"ready"}', b",",
    b"[" * 40,
]  # fmt: skip
TARGET = Target("messages to the keeper", check, SEEDS, WORDS, longest=2048)
