"""Answers of the gateway's own: which form is chosen, and what each form holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import Busy, NotFound
from gateway.keeper.reasons import BY_OTHERS, Reason
from gateway.keeper.table import Entry
from gateway.web.pages import Page, of_error, preferred, render
from gateway.web.retired import RetiredHandle

KINDS = ("text/html", "text/plain", "application/json")
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
PAGE = Page(
    410,
    "Gone",
    "It's <over> & done",
    ["First.", "Second <b>."],
    ["kept & safe"],
    "/cgi-bin/a%20%22b%22",
    "Start again",
    {"reason": "ended"},
)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        (CHROME, "text/html"),
        ("text/html", "text/html"),
        ("text/plain", "text/plain"),
        ("text/*", "text/html"),
        ("application/json", "application/json"),
        ("application/*", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/json, text/html", "text/html"),
        ("application/json, */*", "application/json"),
        ("application/json, text/plain, */*", "text/plain"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/html;q=0.5, application/json;q=0.4", "text/html"),
        ("text/html;q=0, */*", "text/plain"),
        ("text/*;q=0.1, application/json;q=0.2", "application/json"),
        ("text/html;q=0.1, */*;q=0.9", "text/plain"),
        ("text/html ; q=0.3 , text/plain ;q=0.7", "text/plain"),
        ("text/html;q=nonsense, text/plain;q=0.1", "text/plain"),
        ("text/html;level=1;q=0.1, text/plain;q=0.2", "text/plain"),
        ("text/plain;Q=0.2, application/json;q=0.4", "application/json"),
        ("text/html;q=, application/json", "application/json"),
        (",,,", "text/html"),
        ("image/png", "text/html"),
    ],
)
def test_RFC_9110_12_5_1_the_preferred_form(accept: str, kind: str) -> None:
    assert preferred(accept) == kind


@given(st.text(alphabet="texhmlplainjsoc/*;q=0.51, \t", max_size=60) | st.text(max_size=30))
@example("text/html;q=nan, application/json")
@example("text/html;q=inf, application/json;q=-1")
def test_every_accept_header_gets_one_of_the_three_forms(accept: str) -> None:
    assert preferred(accept) in KINDS


@given(st.permutations([("text/html", 1), ("text/plain", 2), ("application/json", 3)]), st.integers(0, 3))
def test_the_order_of_the_header_does_not_matter(ranges: list[tuple[str, int]], shift: int) -> None:
    accept = ", ".join(f"{kind};q=0.{(weight + shift) % 4 + 1}" for kind, weight in ranges)
    weights = {kind: (weight + shift) % 4 + 1 for kind, weight in ranges}
    assert weights[preferred(accept)] == max(weights.values())


def test_html_is_escaped_and_complete_in_itself() -> None:
    response = render(PAGE, "text/html")
    text = bytes(response.body).decode()
    assert response.status_code == 410
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "It&#39;s &lt;over&gt; &amp; done" in text
    assert "<p>Second &lt;b&gt;.</p>" in text
    assert "<li>kept &amp; safe</li>" in text
    assert '<a class="go" href="/cgi-bin/a%20%22b%22">Start again</a>' in text
    assert "<script" not in text


def test_plain_text_holds_the_same() -> None:
    response = render(PAGE, "text/plain")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert bytes(response.body).decode().splitlines() == [
        "410 Gone",
        "",
        "It's <over> & done",
        "First.",
        "Second <b>.",
        "- kept & safe",
        "Start again: /cgi-bin/a%20%22b%22",
    ]


def test_json_holds_the_facts() -> None:
    response = render(PAGE, "application/json")
    assert response.headers["content-type"] == "application/json"
    assert json.loads(bytes(response.body)) == {
        "status": 410,
        "title": "Gone",
        "message": "It's <over> & done",
        "reason": "ended",
        "link": "/cgi-bin/a%20%22b%22",
    }


@pytest.mark.parametrize("accept", KINDS)
def test_an_error_without_more_to_say(accept: str) -> None:
    response = render(of_error(NotFound("a text for the log alone")), accept)
    text = bytes(response.body).decode()
    assert response.status_code == 404
    assert NotFound.text in text
    assert "log alone" not in text
    assert "Start" not in text


@pytest.mark.parametrize("accept", KINDS)
def test_headers_of_the_error_go_with_every_form_and_nothing_is_stored(accept: str) -> None:
    error = Busy(retry_after=7)
    response = render(of_error(error), accept, error.headers)
    assert response.headers["retry-after"] == "7"
    assert response.headers["cache-control"] == "no-store"
    assert render(PAGE, accept, ((b"cache-control", b"private"),)).headers["cache-control"] == "private"


@pytest.mark.parametrize("reason", sorted(BY_OTHERS))
def test_what_others_than_the_program_ended_has_the_reason_ended_and_words_of_its_own(reason: Reason) -> None:
    text = " ".join(RetiredHandle(Entry(bytes(16), 0.0, 60.0, reason), "/a").page.paragraphs)
    assert reason.word == "ended"
    assert "program closed it" not in text
    own = {
        Reason.STOPPING: "server is being stopped",
        Reason.CLOSED: "administrator",
        Reason.UNSEEN: "first page",
    }
    assert own[reason] in text
