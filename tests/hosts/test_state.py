"""What stays from call to call (B2), and that two sessions share nothing."""

from __future__ import annotations

import http.client
from contextlib import closing
from pathlib import Path

from tests.blackbox.harness import BOUND, read_answer
from tests.blackbox.proc import descriptors, status
from tests.hosts.languages import LANGUAGES, PROGRAMS, VERBS, over
from tests.hosts.script import Script, lines


def test_every_program_has_every_verb_or_a_reason() -> None:
    for language in LANGUAGES:
        text = (PROGRAMS / language.source).read_text()
        for verb in VERBS:
            there = any(word in text for word in (f'"{verb}"', f"    {verb} => "))
            assert there != (verb in language.without), (language.name, verb)
        assert all(language.without.values())
        assert language.without.keys() <= VERBS.keys()


@over("count")
def test_B2_state_is_kept_between_calls(script: Script) -> None:
    session = script.begin("count")
    pid = session.first.number("pid")
    assert session.first.number("count") == 1
    for count in (2, 3, 4):
        assert session.call("count").text == f"count={count} pid={pid}\n"


@over("set", "env")
def test_B2_variables_that_the_program_set_are_kept(script: Script) -> None:
    session = script.begin("env=MINE", "set=MINE:one")
    assert session.first.text == "MINE is absent\n"
    assert session.call("env=MINE", "set=MINE:two").text == "MINE=one\n"
    assert session.call("env=MINE").text == session.call("env=MINE").text == "MINE=two\n"


@over("set", "env")
def test_B1_a_server_variable_that_the_program_changed_is_the_servers_again(script: Script) -> None:
    session = script.begin("set=HTTP_COLOUR:mine", Colour="red")
    assert session.call("env=HTTP_COLOUR", Colour="green").text == "HTTP_COLOUR=green\n"
    assert session.call("env=HTTP_COLOUR").text == "HTTP_COLOUR is absent\n"


@over("note")
def test_B2_an_open_file_stays_open(script: Script, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    tmp_path.chmod(0o777)
    session = script.begin(f"note={notes}")
    pid = session.pid()
    session.call(f"note={notes}")
    assert [line.rstrip() for line in lines(notes)] == ["note 1", "note 3"]
    assert list(descriptors(pid).values()).count(str(notes)) == 1
    session.end()


@over("cd", "where")
def test_B2_the_working_directory_is_the_programs_folder_until_it_changes_it(script: Script) -> None:
    assert script.begin("where").call("where").text == f"cwd={script.folder}\n"
    session = script.begin("where", "cd=/usr")
    assert session.first.text == f"cwd={script.folder}\n"
    assert session.call("where").text == session.call("where").text == "cwd=/usr\n"


@over("umask")
def test_B2_the_umask_is_kept(script: Script) -> None:
    session = script.begin("umask=027")
    pid = session.pid()
    assert status(pid, "Umask") == 27


@over("ignore")
def test_B2_signal_handlers_are_kept(script: Script) -> None:
    session = script.begin("ignore")
    assert _ignored(session.pid()) - _ignored(script.begin().pid()) == {10}


@over("count", "set", "env")
def test_two_sessions_of_a_script_are_independent(script: Script) -> None:
    one, other = script.begin("set=MINE:one", "count"), script.begin("env=MINE", "count")
    assert "MINE is absent\ncount=1 " in other.first.text
    assert one.first.number("pid") != other.first.number("pid")
    other.call("count")
    assert one.call("count").number("count") == 2
    assert other.call("count").number("count") == 3


@over("random")
def test_random_numbers_are_a_sessions_own(script: Script) -> None:
    numbers = {script.once("random").number("random") for _ in range(4)}
    assert len(numbers) == 4


@over("count", "body")
def test_many_calls_leave_no_descriptor_more(script: Script) -> None:
    session = script.begin()
    pid = session.call("count", "body", body=b"x" * 5000).number("pid")
    before = descriptors(pid)
    url = f"{session.url}?{session.keep}&body"
    with closing(http.client.HTTPConnection("127.0.0.1", script.gateway.port, timeout=BOUND)) as client:
        for _ in range(200):
            client.request("POST", url, b"x" * 5000)
            assert read_answer(client.getresponse()).body == b"x" * 5000
    assert session.call("count").number("count") == 203
    assert descriptors(pid).keys() == before.keys()


def _ignored(pid: int) -> set[int]:
    mask = next(
        line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().split("\n") if "SigIgn" in line
    )
    return {number for number in range(1, 65) if int(mask, 16) >> (number - 1) & 1}
