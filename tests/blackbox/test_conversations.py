"""The doctor, the clinic and the chat room over a running server."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import ROOT, Answer, Gateway, wait_for
from tests.blackbox.markup import Markup
from tests.blackbox.proc import comm
from tests.programs.conversations import lines
from tests.programs.test_eliza import CLASSIC, talk

pytestmark = pytest.mark.running

SHARED = re.findall(
    r"^<FilesMatch.*?^</FilesMatch>$", (ROOT / "conf" / "gateway.conf").read_text(), re.M | re.S
)
# The programs as they are, and a copy of them with so little time that one can wait for its end
DIRECTIVES = f"""
ScriptAlias /programs/ {ROOT}/cgi-bin/
ScriptAlias /short/ SHORT/
CGIActivationGroup python .py
CGIActivationGroup perl .pl
StartCGI 1
{"".join(SHARED)}
<Directory SHORT>
  PersistentCGITimeout 1s
  MaxPersistentCGITimeout 1s
</Directory>
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DOCTORS = [pytest.param("doctor.py"), pytest.param("doctor.pl", marks=pytest.mark.needs("perl"))]


@pytest.fixture(scope="module")
def site(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    short = tmp_path_factory.mktemp("short") / "cgi-bin"
    shutil.copytree(ROOT / "cgi-bin", short, ignore=shutil.ignore_patterns("hangman"))
    return serve_shared(DIRECTIVES.replace("SHORT", str(short)))


def send(site: Gateway, path: str, **fields: str) -> Answer:
    return site.request("POST", path, urlencode(fields).encode(), FORM)


def sent(site: Gateway, path: str, **fields: str) -> str:
    """Where a form leads that was taken (303)."""
    answer = send(site, path, **fields)
    assert answer.status == 303, answer
    location = answer.header("location")
    assert location is not None
    return location.removeprefix(f"http://127.0.0.1:{site.port}")


def page(site: Gateway, path: str) -> str:
    """A page whose markup is whole."""
    answer = site.get(path)
    assert answer.status == 200, answer
    assert Markup(answer.text).problems == []
    return answer.text


def new_patient(site: Gateway, name: str) -> str:
    """The path of a new session of a doctor."""
    return Markup(page(site, name)).all("form")[0]["action"]


@pytest.mark.parametrize("name", DOCTORS)
def test_the_published_conversation_in_a_process_of_its_own(site: Gateway, name: str) -> None:
    if name == "doctor.pl" and subprocess.run(["perl", "-MCGI", "-e1"], capture_output=True).returncode:
        pytest.skip("not installed here: CGI.pm (libcgi-pm-perl)")
    before = site.instances()
    here, other = (new_patient(site, f"/programs/{name}") for _ in range(2))
    assert len(set(site.instances()) - set(before)) >= 2
    for line in CLASSIC.splitlines():
        said, answer = line.split(" > ")
        assert sent(site, here, say=said) == here
        assert lines(page(site, here))[-2:] == [("You", said), ("Doctor", answer)]
    assert len(lines(page(site, other))) == 1
    last = send(site, here, say="Goodbye")
    assert last.status == 200 and Markup(last.text).problems == [] and lines(last.text)[-1][0] == "Doctor"
    assert site.reason(here) == "ended"
    assert len(lines(page(site, other))) == 1
    send(site, other, leave="yes")


def processes(site: Gateway, name: str) -> list[int]:
    return [pid for pid, text in site.children().items() if name in text or name in comm(pid)]


def waiting(site: Gateway) -> int:
    found = re.search(r"<output>(\d+)</output>", page(site, "/programs/clinic.py?waiting-room"))
    assert found
    return int(found[1])


def test_fifty_patients_in_one_clinic_process_each_with_the_answers_of_their_own(
    site: Gateway, pool: ThreadPoolExecutor
) -> None:
    patients = list(pool.map(lambda _: new_patient(site, "/programs/clinic.py"), range(50)))
    assert len(set(patients)) == 50 and waiting(site) == 50
    assert len(processes(site, "clinic.py")) == 1
    texts = {
        here: [f"my friend{number} {word}" for word in ("hates me", "is dead", "x")]
        + [f"I am {number}", "fish", "fish"]
        for number, here in enumerate(patients)
    }
    dice = random.Random(50)

    def attend(mine: list[str]) -> None:
        left = {here: list(texts[here]) for here in mine}
        while left:
            here = dice.choice(list(left))
            assert sent(site, here, say=left[here].pop(0)) == here
            if not left[here]:
                del left[here]

    list(pool.map(attend, [patients[start::8] for start in range(8)]))
    for here, said in texts.items():
        heard = [what for who, what in lines(page(site, here)) if who == "Doctor"]
        assert heard[1:] == talk(*said)
    for here in patients[1:]:
        assert send(site, here, leave="yes").status == 200
    assert waiting(site) == 1
    assert site.reason(patients[1]) == "ended"
    assert len(lines(page(site, patients[0]))) == 13
    send(site, patients[0], leave="yes")
    wait_for("the clinic to close", lambda: not processes(site, "clinic.py"))


@pytest.mark.parametrize("is_open", [False, True])
def test_an_unknown_patient_gets_403_no_appointment_from_the_program(site: Gateway, is_open: bool) -> None:
    here = new_patient(site, "/programs/clinic.py") if is_open else ""
    for answer in (
        site.get("/programs/clinic.py/xyz"),
        send(site, "/programs/clinic.py/xyz/more", say="Hello"),
    ):
        assert answer.status == 403 and "No appointment" in answer.text
        assert Markup(answer.text).problems == []
    if is_open:
        assert waiting(site) == 1
        send(site, here, leave="yes")


def test_S4_a_patient_who_stays_away_is_forgotten(site: Gateway) -> None:
    gone, here = (new_patient(site, "/short/clinic.py") for _ in range(2))

    def count() -> bool:
        page(site, here)  # stays
        return "<output>1</output>" in page(site, "/short/clinic.py?waiting-room")

    wait_for("one to be forgotten", count)
    assert site.reason(gone) == "timed-out"
    send(site, here, leave="yes")


def test_messages_of_one_visitor_appear_for_the_others(site: Gateway) -> None:
    ann, bob = (sent(site, "/programs/chat.py", name=name) for name in ("Ann", "Bob"))
    assert ann != bob and len(processes(site, "chat.py")) == 1
    assert sent(site, ann, say="Hello <all>") == ann
    assert lines(page(site, bob)) == [("Ann", "came"), ("Bob", "came"), ("Ann", "Hello <all>")]
    assert site.get(bob).header("refresh") == "5" and site.get(f"{bob}?write").header("refresh") is None
    page(site, f"{bob}?write")
    assert Markup(send(site, ann, leave="yes").text).problems == []
    assert lines(page(site, bob))[-1] == ("Ann", "left")
    assert site.reason(ann) == "ended"
    send(site, bob, leave="yes")


def test_a_name_that_is_taken_and_a_handle_that_is_invented(site: Gateway) -> None:
    ann = sent(site, "/programs/chat.py", name="Ann")
    taken, invented = send(site, "/programs/chat.py", name="ANN"), site.get("/programs/chat.py/xyz")
    assert (taken.status, invented.status) == (409, 403)
    assert Markup(taken.text).problems == Markup(invented.text).problems == []
    assert page(site, "/programs/chat.py").count("Ann") == 1
    send(site, ann, leave="yes")


def test_S4_who_stays_away_has_left_the_room(site: Gateway) -> None:
    ann, bob = (sent(site, "/short/chat.py", name=name) for name in ("Ann", "Bob"))
    wait_for("Ann to be missed", lambda: ("Ann", "left") in lines(page(site, bob)))
    assert "Here are: <bdi>Bob</bdi>." in page(site, bob)
    assert site.reason(ann) == "timed-out"
    assert sent(site, "/short/chat.py", name="Ann") != ann
    send(site, bob, leave="yes")


def test_many_who_knock_at_once_all_come_in(site: Gateway, pool: ThreadPoolExecutor) -> None:
    names = [f"Guest {number}" for number in range(24)]
    paths = list(pool.map(lambda name: sent(site, "/programs/chat.py", name=name), names))
    list(pool.map(lambda path: sent(site, path, say=f"at {path}"), paths))
    said = lines(page(site, paths[0]))
    assert sorted(who for who, what in said if what == "came") == sorted(names)
    assert {what for _, what in said if what != "came"} == {f"at {path}" for path in paths}
    for path in paths:
        assert send(site, path, leave="yes").status == 200
    wait_for("the room to close", lambda: not processes(site, "chat.py"))
