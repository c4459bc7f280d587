"""The answer to a retired handle (R4): what happened, when, what is not lost, where to go on."""

import time

from gateway.errors import GatewayError
from gateway.keeper.reasons import Reason
from gateway.keeper.table import Entry
from gateway.web.pages import Page

RETRY_AFTER = 30  # seconds, for `limit`

_HEADINGS = {
    Reason.TIMED_OUT: "This session timed out",
    Reason.ENDED: "This session has ended",
    Reason.CLOSED: "This session has ended",
    Reason.STOPPING: "This session has ended",
    Reason.UNSEEN: "This session has ended",
    Reason.CRASHED: "This session was ended by an error",
    Reason.REPLACED: "This page is out of date: a newer page of this session exists",
    Reason.PROTOCOL: "This session was ended by an error",
    Reason.STOPPED: "This session was interrupted",
    Reason.LIMIT: "This session could not be kept: too many are open",
}
_STORIES = {
    Reason.TIMED_OUT: "Nobody called it for {minutes}, so it timed out after {minutes} and was closed.",
    Reason.ENDED: "Its program closed it, as it does when its work is done.",
    Reason.CLOSED: "The administrator of this server closed it.",
    Reason.STOPPING: "The server is being stopped, and closed it.",
    Reason.UNSEEN: "The connection ended before its first page had arrived whole, so it was closed.",
    Reason.CRASHED: "Its program stopped unexpectedly. The administrator finds the reason in the error log.",
    Reason.REPLACED: "You came here by an older page, perhaps with the back button. The session itself "
    "went on: use the newest page that you have of it, which also tells whether it has ended since.",
    Reason.PROTOCOL: "Its program and the server misunderstood each other. The reason is in the error log.",
    Reason.STOPPED: "The server had to start anew in the middle of a request of this session.",
    Reason.LIMIT: "The page before this one was delivered whole, but the server keeps only so many sessions at "
    "a time. Please try again in a moment.",
}
_NOT_LOST = (
    "What was finished before is finished: nothing that you were told was saved is lost.",
    "What was still open in the session was not carried out by halves.",
    "What you typed into a form is usually still there: go back in your browser and copy it before you start "
    "anew.",
)


class RetiredHandle(GatewayError):
    """410 with the reason (`limit`: 503); `entry` None when only the MAC tells that it was ours (H11)."""

    title = "Gone"
    level = "info"

    def __init__(self, entry: Entry | None, fresh_start: str) -> None:
        self.reason = Reason(entry.reason) if entry is not None else Reason.ENDED
        headers = [(b"x-htsession-ended", self.reason.word.encode())]
        if self.reason is Reason.LIMIT:
            headers.append((b"retry-after", b"%d" % RETRY_AFTER))
        super().__init__(headers=tuple(headers))
        self.entry, self.fresh_start = entry, fresh_start

    @property
    def page(self) -> Page:
        """What the client sees."""
        limit = self.reason is Reason.LIMIT
        minutes = _minutes(self.entry.timeout if self.entry is not None else 0)
        return Page(
            503 if limit else 410,
            "Service Unavailable" if limit else "Gone",
            _HEADINGS[self.reason],
            [_STORIES[self.reason].format(minutes=minutes), *self._when()],
            () if self.reason in (Reason.REPLACED, Reason.LIMIT) else _NOT_LOST,
            self.fresh_start,
            "Start a new session" if self.reason is Reason.REPLACED else "Start again",
            {"reason": self.reason.word} | self._facts(),
        )

    def _age(self) -> float | None:
        return None if self.entry is None else max(0.0, time.monotonic() - self.entry.at)

    def _when(self) -> list[str]:
        age = self._age()
        return [] if age is None else [f"That was {_minutes(age)} ago, at {_clock(time.time() - age)}."]

    def _facts(self) -> dict[str, str]:
        age = self._age()
        return {} if age is None else {"ended": _clock(time.time() - age)}


def _minutes(seconds: float) -> str:
    count, unit = (round(seconds / 60), "minute") if seconds >= 60 else (round(seconds), "second")
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _clock(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(moment))
