"""Memory and files: what the server keeps, for whom, for how long, and what happens when two come at once."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.blackbox.harness import Gateway, wait_for
from tests.hangman.player import Player

# ---- memory.py


def test_each_move_gets_a_new_handle_and_older_pages_are_out_of_date(site: Gateway) -> None:
    player = Player(site, "memory")
    first = player.form()
    player.press("e")
    second = player.form()
    assert first.action != second.action == player.url
    assert player.send(first, guess="z").answer.status == 410
    assert player.answer.header("x-htsession-ended") == "replaced" and "out of date" in player.text
    player.go(second.action)  # fetched again it keeps its handle
    assert player.tried == {"e"} and player.form().action == second.action
    player.does("end")


def test_a_session_in_memory_ends_when_its_player_says_so(site: Gateway) -> None:
    player = Player(site, "memory")
    old = player.form().action
    instances = set(site.instances())
    player.does("end")
    assert player.answer.status == 200 and "The session has ended" in player.text
    assert site.reason(old) == "ended"
    wait_for("the process to end", lambda: len(set(site.instances()) & instances) < len(instances))


def test_two_players_have_two_games(site: Gateway) -> None:
    for program in ("memory", "file"):
        one, other = Player(site, program), Player(site, program)
        one.press("e")
        other.press("q")
        assert one.go(one.form().action).tried == {"e"}
        assert other.go(other.form().action).tried == {"q"}
        for player in (one, other) if program == "memory" else ():
            player.does("end")


# ---- file.py


def state(player: Player, data: Path) -> tuple[Path, dict[str, str]]:
    """The file of a player's game, and what it says."""
    name = player.cookies["hangman-file"]
    path = data / "games" / name[:2] / name
    return path, {key: values[0] for key, values in parse_qs(path.read_text(), True).items()}


def test_a_game_is_one_file_for_its_owner_alone_with_a_random_name(site: Gateway, data: Path) -> None:
    player = Player(site, "file")
    path, found = state(player, data)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert len(path.name) == 32 and int(path.name, 16) >= 0
    player.press("e")
    after, changed = state(player, data)
    assert after == path and (found["tried"], changed["tried"]) == ("", "e")
    left = {file.name for file in path.parent.iterdir()}
    assert path.name in left and all(len(name) == 32 or name == "lock" for name in left)


def test_the_file_is_replaced_as_a_whole_never_written_in_place(site: Gateway, data: Path) -> None:
    player = Player(site, "file")
    path, _ = state(player, data)
    with path.open() as before:
        text = before.read()
        player.press("e")
        before.seek(0)
        assert before.read() == text != path.read_text()


def test_of_guesses_that_come_at_once_all_count(site: Gateway, data: Path, pool: ThreadPoolExecutor) -> None:
    for _ in range(4):
        player = Player(site, "file")
        word = state(player, data)[1]["word"]
        wrong = [letter for letter in "qxjzvkwbp" if letter not in word][:4]
        letters = sorted({*word[1:]} - {word[0]})[:4] + wrong
        target = player.form().action
        answers = list(
            pool.map(lambda x: player.fetch("POST", target, f"guess={x}".encode()).status, letters)  # noqa: B023
        )
        assert answers == [303] * len(letters)
        assert sorted(state(player, data)[1]["tried"]) == sorted(letters)
        assert player.go(target).misses == len(wrong)


def test_a_name_that_no_game_has_is_never_adopted(site: Gateway, data: Path) -> None:
    invented = "0123456789abcdef" * 2
    player = Player(site, "file")
    player.cookies["hangman-file"] = invented
    player.go(player.start)
    assert player.answer.status == 200
    assert player.note.startswith("Your game may have expired. Here is a new one.")
    assert player.cookies["hangman-file"] != invented
    assert not (data / "games" / "01" / invented).exists()
    player.press("e")
    assert player.tried == {"e"}


@pytest.mark.parametrize(
    "name",
    ["../../signed.keys", "..", "/etc/passwd", "a/../../../x", "A" * 32, "a" * 31, "%2e%2e", "a" * 5000],
)
def test_a_name_is_checked_before_it_becomes_a_path(site: Gateway, data: Path, name: str) -> None:
    player = Player(site, "file")
    before = sorted(path.name for path in data.iterdir())
    player.cookies["hangman-file"] = name
    player.go(player.start)
    assert player.answer.status == 400
    assert player.note.startswith("The cookie is not the name of a game. Here is a new one.")
    assert player.cookies["hangman-file"] != name
    assert sorted(path.name for path in data.iterdir()) == before


def test_a_file_that_cannot_be_read_as_a_game_is_said_and_left(site: Gateway, data: Path) -> None:
    player = Player(site, "file")
    path, _ = state(player, data)
    path.write_text("half a ga")
    player.go(player.start)
    assert player.answer.status == 500
    assert player.note.startswith("The file of your game cannot be read. Here is a new one.")
    player.press("e")
    assert player.answer.status == 200 and state(player, data)[0] != path
    assert path.read_text() == "half a ga"


def test_old_games_are_cleaned_up_and_younger_ones_stay(site: Gateway, data: Path) -> None:
    player = Player(site, "file")
    path, _ = state(player, data)
    old, young = time.time() - 30.1 * 86400, time.time() - 29.9 * 86400
    os.utime(path, (young, young))
    player.go(player.start)  # who comes keeps the game
    assert "expired" not in player.note and path.stat().st_mtime > time.time() - 3600
    os.utime(path, (old, old))
    player.go(player.start)
    assert player.note.startswith("Your game may have expired.")
    assert state(player, data)[0] != path
    # a new game cleans up the folder that it gets
    for number in range(256):
        folder = data / "games" / f"{number:02x}"
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, when in (("old", old), ("young", young)):
            (folder / name).touch()
            os.utime(folder / name, (when, when))
    other, _ = state(Player(site, "file"), data)
    assert sorted(path.name for path in other.parent.iterdir() if len(path.name) < 32) in (
        ["lock", "young"],
        ["young"],
    )
    assert sum((data / "games" / f"{number:02x}" / "old").exists() for number in range(256)) >= 254
