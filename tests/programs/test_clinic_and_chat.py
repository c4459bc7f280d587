"""The programs of shared instances, by the pipe protocol; the test plays the gateway."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator

import pytest

from .conversations import TIMES, head, lines, page, send, start, visit
from .pipes import OFFER, Program
from .test_eliza import talk

visitors = importlib.import_module("common.visitors")
ANN, BOB = "ann-handle", "bob-handle"


@pytest.fixture
def clinic() -> Iterator[Program]:
    """A clinic without patients; its first page was the waiting room's."""
    with start("clinic.py", {"QUERY_STRING": "waiting-room"}) as program:
        assert "accept-htsession" not in head(program.response())
        yield program
        assert (program.end(), program.stderr()) == (0, "")


@pytest.fixture
def room() -> Iterator[Program]:
    """A chat room with nobody in it."""
    with start("chat.py") as program:
        assert "accept-htsession" not in head(program.response())
        yield program
        assert (program.end(), program.stderr()) == (0, "")


def appointment(clinic: Program, handle: str) -> str:
    """The handle that the desk issues when it is offered this one."""
    return head(visit(clinic, HTSESSION_NEXT_HANDLE=handle))["accept-htsession"]


def waiting(clinic: Program, **variables: str) -> int:
    html = page(visit(clinic, QUERY_STRING="waiting-room", **variables))
    return int(html.partition("<output>")[2].partition("</output>")[0])


def test_S1_the_desk_issues_an_appointment_and_the_waiting_room_counts(clinic: Program) -> None:
    assert waiting(clinic) == 0
    assert [appointment(clinic, handle) for handle in (ANN, BOB)] == [ANN, BOB]
    assert waiting(clinic) == 2
    html = page(visit(clinic, QUERY_STRING="waiting-room"))
    assert ANN not in html and BOB not in html and "Doctor</b>" not in html


def test_S2_each_patient_has_a_conversation_of_their_own(clinic: Program) -> None:
    for handle in (ANN, BOB):
        appointment(clinic, handle)
    assert head(send(clinic, ANN, {"say": "My cat sleeps"}))["location"] == f"/cgi-bin/program/{ANN}"
    send(clinic, BOB, {"say": "I am sad"})
    for handle, reply in ((ANN, "Your cat sleeps?"), (BOB, "I am sorry to hear you are sad.")):
        seen = visit(clinic, handle)
        assert head(seen)["accept-htsession"] == handle
        assert len(lines(page(seen))) == 3 and lines(page(seen))[-1] == ("Doctor", reply)


@pytest.mark.parametrize("path", ["/xyz", "/xyz/more", f"/{ANN}"])
def test_an_invented_handle_is_turned_away_no_appointment(clinic: Program, path: str) -> None:
    appointment(clinic, ANN)
    for response in (visit(clinic, PATH_INFO=path), send(clinic, "", {"say": "Hello"}, PATH_INFO=path)):
        assert head(response)["status"] == "403 No appointment"
        assert "No appointment" in page(response) and "accept-htsession" not in head(response)
    assert waiting(clinic) == 1


def test_S4_conversations_that_timed_out_are_forgotten(clinic: Program) -> None:
    for handle in (ANN, BOB, "third"):
        appointment(clinic, handle)
    assert waiting(clinic, HTSESSION_ENDED=f"{ANN} third unheard-of") == 1
    assert head(visit(clinic, ANN))["status"] == "403 No appointment"
    assert head(visit(clinic, BOB))["accept-htsession"] == BOB


def test_goodbye_ends_one_conversation_only(clinic: Program) -> None:
    for handle in (ANN, BOB):
        appointment(clinic, handle)
    last = send(clinic, ANN, {"leave": "yes"})
    assert "accept-htsession" not in head(last) and lines(page(last))[-1][1].startswith("Goodbye.")
    assert waiting(clinic) == 1 and head(visit(clinic, BOB))["accept-htsession"] == BOB


def test_L3_a_HEAD_request_makes_no_patient(clinic: Program) -> None:
    assert "accept-htsession" not in head(visit(clinic, REQUEST_METHOD="HEAD"))
    assert waiting(clinic) == 0


def test_a_thousand_patients_are_enough(clinic: Program) -> None:
    for number in range(1000):
        appointment(clinic, f"patient-{number}")
    full = visit(clinic, HTSESSION_NEXT_HANDLE=ANN)
    assert head(full)["status"].startswith("503 ") and "accept-htsession" not in head(full)
    assert head(visit(clinic, "patient-0"))["accept-htsession"] == "patient-0"


def test_fifty_patients_interleaved_each_hear_the_answers_of_their_own_conversation(clinic: Program) -> None:
    dice = random.Random(50)
    texts = {f"patient-{number}": [f"my friend{number} {word}" for word in ("hates me", "is dead", "x")]
             + [f"I am {number}", "fish", "fish"] for number in range(50)}  # fmt: skip
    for handle in texts:
        appointment(clinic, handle)
    turns = [handle for handle in texts for _ in texts[handle]]
    dice.shuffle(turns)
    spoken = dict.fromkeys(texts, 0)
    for handle in turns:
        send(clinic, handle, {"say": texts[handle][spoken[handle]]})
        spoken[handle] += 1
    for handle, said in texts.items():
        heard = [what for who, what in lines(page(visit(clinic, handle))) if who == "Doctor"][1:]
        assert heard == talk(*said)


def test_who_is_never_named_is_forgotten_by_the_clock_but_not_while_calling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    present = visitors.Visitors()
    monkeypatch.setenv("HTSESSION_ENDED", "gone")
    for handle, seconds in (("gone", 300), ("late", -300), ("caller", -300), ("here", 0)):
        present.keep(handle, handle.upper(), seconds)
    monkeypatch.setenv("HTSESSION_HANDLE", "caller")
    assert present.drop_gone() == ["GONE", "LATE"] and present.all() == ["CALLER", "HERE"]
    assert (present.caller(), present.leave(), present.leave(), len(present)) == ("CALLER", "CALLER", None, 1)


def come(room: Program, handle: str, name: str) -> dict[str, str]:
    """Knock with a name; the head of the answer."""
    return head(send(room, "", {"name": name}, HTSESSION_NEXT_HANDLE=handle))


def test_messages_of_one_visitor_appear_for_the_others(room: Program) -> None:
    assert come(room, ANN, "Ann") == {
        "accept-htsession": ANN, "httimeout": "2",
        "status": "303 See Other", "location": f"/cgi-bin/program/{ANN}",
    }  # fmt: skip
    come(room, BOB, "Bob")
    assert head(send(room, ANN, {"say": "Hello\r\n\0 all"}))["location"] == f"/cgi-bin/program/{ANN}"
    html = page(visit(room, BOB))
    assert lines(html) == [("Ann", "came"), ("Bob", "came"), ("Ann", "Hello all")]
    assert "Here are: <bdi>Ann</bdi>, <bdi>Bob</bdi>." in html


@pytest.mark.parametrize("name", ["", "   ", "x" * 25, "\u202eevil", "a\u200bnn", "\ue000"])
def test_a_name_has_1_to_24_signs_that_can_be_seen(room: Program, name: str) -> None:
    refused = come(room, ANN, name)
    assert refused["status"].startswith("422 ") and "accept-htsession" not in refused
    assert "accept-htsession" in come(room, ANN, "x" * 24)


@pytest.mark.parametrize("name", ["Ann", " ann ", "ANN", "Ａｎｎ"])
def test_a_name_is_given_once_until_its_owner_has_left(room: Program, name: str) -> None:
    come(room, ANN, "Ann")
    response = send(room, "", {"name": name}, HTSESSION_NEXT_HANDLE=BOB)
    assert head(response)["status"].startswith("409 ") and "is here already" in page(response)
    send(room, ANN, {"leave": "yes"})
    assert come(room, BOB, name)["accept-htsession"] == BOB


def test_who_leaves_is_told_of_and_ends_only_their_session(room: Program) -> None:
    come(room, ANN, "Ann")
    come(room, BOB, "Bob")
    gone = send(room, ANN, {"leave": "yes"})
    assert "accept-htsession" not in head(gone) and "You have left" in page(gone)
    seen = visit(room, BOB)
    assert head(seen)["accept-htsession"] == BOB and lines(page(seen))[-1] == ("Ann", "left")
    assert "Here are: <bdi>Bob</bdi>." in page(seen)


def test_S4_who_timed_out_has_left(room: Program) -> None:
    come(room, ANN, "Ann")
    come(room, BOB, "Bob")
    html = page(visit(room, BOB, HTSESSION_ENDED=ANN))
    assert lines(html)[-1] == ("Ann", "left") and "Here are: <bdi>Bob</bdi>." in html


def test_the_page_for_reading_refreshes_and_the_page_for_writing_stands_still(room: Program) -> None:
    come(room, ANN, "Ann")
    reading, writing = visit(room, ANN), visit(room, ANN, QUERY_STRING="write")
    assert head(reading)["refresh"] == "5" and "refresh" not in head(writing)
    assert "<input" not in page(reading).replace('<input type="hidden"', "")
    assert 'name="say"' in page(writing) and "autofocus" in page(writing)
    assert (head(reading)["httimeout"], head(writing)["httimeout"]) == ("2", "10")


def test_the_last_100_messages_are_kept(room: Program) -> None:
    come(room, ANN, "Ann")
    for number in range(150):
        send(room, ANN, {"say": f"message {number}"})
    assert [what for _, what in lines(page(visit(room, ANN)))] == [
        f"message {number}" for number in range(50, 150)
    ]


def test_everything_is_escaped_and_cut(room: Program) -> None:
    come(room, ANN, "<u>'\"&")
    send(room, ANN, {"say": "<script>alert(1)</script>" + "x" * 1000})
    for html in (page(visit(room, ANN)), page(visit(room, ANN, QUERY_STRING="write")), page(visit(room))):
        assert "<script" not in html and "<u>" not in html and "'\"&" not in html
    assert len(lines(page(visit(room, ANN)))[-1][1]) == 500


@pytest.mark.parametrize("path", ["/xyz", f"/{ANN}"])
def test_an_invented_handle_does_not_open_the_room(room: Program, path: str) -> None:
    come(room, ANN, "Ann")
    for response in (visit(room, PATH_INFO=path), send(room, "", {"say": "Hello"}, PATH_INFO=path)):
        assert head(response)["status"].startswith("403 ") and "accept-htsession" not in head(response)
        assert 'name="name"' in page(response) and lines(page(response)) == []
    assert lines(page(visit(room, ANN))) == [("Ann", "came")]


@pytest.mark.parametrize("name", ["clinic.py", "chat.py"])
def test_forms_of_any_kind_harm_nobody(name: str) -> None:
    with start(name) as program:
        first = program.response()
        handle = head(first).get("accept-htsession") or come(program, OFFER, "Ann")["accept-htsession"]
        for body in (
            b"\xff=\xff&%00",
            b"say",
            b"&" * 60000,
            b"say=" + b"%F0" * 20000,
            b"say=a;b",
        ):
            form = {**TIMES, "HTSESSION_HANDLE": handle, "CONTENT_TYPE": "application/x-www-form-urlencoded"}
            assert program.call(form, body).marked
        assert program.call({**form, "CONTENT_TYPE": "multipart/form-data"}, b"--x").marked
        assert head(visit(program, handle))["accept-htsession"] == handle
        assert program.stderr() == ""
