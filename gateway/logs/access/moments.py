"""The time of a request in an access log: `%t` and its forms (Apache: mod_log_config)."""

import time
from collections.abc import Callable
from functools import lru_cache

Moment = Callable[[float], str]  # seconds since 1970 -> text

_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECONDS_KEPT = 8
_NUMBERS: dict[str, Moment] = {
    "sec": lambda now: str(_micro(now) // 1_000_000),
    "msec": lambda now: str(_micro(now) // 1_000),
    "usec": lambda now: str(_micro(now)),
    "msec_frac": lambda now: f"{_micro(now) // 1_000 % 1_000:03d}",
    "usec_frac": lambda now: f"{_micro(now) % 1_000_000:06d}",
}


def _micro(now: float) -> int:
    """The one rounding of a time: all forms of it agree."""
    return int(now * 1e6)


def moment(form: str) -> Moment:
    """`form` is what stood in the braces, without `begin:` or `end:`; empty is the common log format's."""
    return _NUMBERS.get(form) or _by_second(form)


def _by_second(form: str) -> Moment:
    @lru_cache(maxsize=_SECONDS_KEPT)
    def of_second(second: int) -> str:
        return time.strftime(form, time.localtime(second)) if form else _common(second)

    return lambda now: of_second(_micro(now) // 1_000_000)


def _common(second: int) -> str:
    """`[10/Oct/2000:13:55:36 -0700]`, whatever the locale."""
    whole = time.localtime(second)
    sign, minutes = "-" if whole.tm_gmtoff < 0 else "+", abs(whole.tm_gmtoff) // 60
    return (
        f"[{whole.tm_mday:02d}/{_MONTHS[whole.tm_mon]}/{whole.tm_year}:{whole.tm_hour:02d}:{whole.tm_min:02d}:"
        f"{whole.tm_sec:02d} {sign}{minutes // 60:02d}{minutes % 60:02d}]"
    )


@lru_cache(maxsize=_SECONDS_KEPT)
def _offset(second: int) -> tuple[str, str]:
    text = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(second))
    return text[:-5], f"{text[-5:-2]}:{text[-2:]}"


def iso(now: float) -> str:
    """RFC 3339 with microseconds, in local time."""
    second, micro = divmod(_micro(now), 1_000_000)
    before, offset = _offset(second)
    return f"{before}.{micro:06d}{offset}"
