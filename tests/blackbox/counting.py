"""Sessions that count their calls, and a request that runs as long as the test wants."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for

CGI = "/cgi-bin/child"


class Slow:
    """A request that runs until `finish`; `begun` once the program has it."""

    def __init__(self, gateway: Gateway, pool: ThreadPoolExecutor, place: Path, url: str) -> None:
        self._begun, self._end = place / f"begun{id(self)}", place / f"end{id(self)}"
        command = f"touch={self._begun}&wait={self._end}"
        join = "&" if "?" in url else "?"
        self.answer: Future[Answer] = pool.submit(gateway.get, f"{url}{join}{command}")
        wait_for("the slow request to run", self._begun.exists)

    def finish(self) -> Answer:
        """Let it end; its answer."""
        self._end.touch()
        return self.answer.result(BOUND)

    def was_cut(self) -> bool:
        """Whether its answer was not whole in the end; of a killed front the client may have heard nothing."""
        try:
            return not self.answer.result(BOUND).whole
        except ConnectionError:  # as is http.client.RemoteDisconnected
            return True


def start(gateway: Gateway, handle: str, query: str = "count", program: str = CGI) -> None:
    assert gateway.get(f"{program}?handle={handle}&{query}").text.startswith("count=1 ")


def count(gateway: Gateway, handle: str) -> int:
    answer = gateway.get(f"{CGI}/{handle}?handle={handle}&count")
    assert answer.status == 200, answer
    return int(answer.text.split()[0].removeprefix("count="))


def ended(gateway: Gateway, handle: str, program: str = CGI) -> tuple[int, str | None]:
    answer = gateway.get(f"{program}/{handle}?handle={handle}")
    return answer.status, answer.header("x-htsession-ended")


def wait_drained(gateway: Gateway) -> None:
    wait_for("the old fronts to end", lambda: len(gateway.fronts()) == 1)
