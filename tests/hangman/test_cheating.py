"""What a cheat can do where the client keeps the state, and what the protections notice."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.blackbox.harness import Gateway
from tests.hangman.player import HANGMAN, Player

WON = "word=banana&tried=ban&called=&played=1000&won=999&wrong=1"
EASY = "word=banana&tried=ba&called=&played=999&won=999&wrong=0"
PROTECTED = ("signed", "sealed")
SURE = "as long as"  # it is still a game, nothing can be noticed


def test_cheating_by_hidden_fields_works_and_the_page_says_so(site: Gateway) -> None:
    player = Player(site, "hidden")
    form = player.form()
    player.send(form, guess="n", **{name: values[0] for name, values in parse_qs(EASY, True).items()})
    assert player.note == "You won: the word is banana."
    assert player.score == ("1000", "1000", "0.00")
    assert f"A cheat edits the fields, and {SURE} they still make a game nothing can be noticed." in player.text


def test_cheating_by_a_cookie_works_and_the_page_says_so(site: Gateway) -> None:
    player = Player(site, "cookie")
    player.cookies["hangman-cookie"] = EASY
    player.guess("n")
    assert (player.note, player.score) == ("You won: the word is banana.", ("1000", "1000", "0.00"))
    assert f"A cheat edits the cookie, and {SURE} it is still a game nothing can be noticed." in player.text


def test_cheating_by_a_url_works_and_the_page_says_so(site: Gateway) -> None:
    player = Player(site, "uri")
    player.go(f"{player.start}/{EASY}").guess("n")
    assert (player.note, player.score) == ("You won: the word is banana.", ("1000", "1000", "0.00"))
    assert player.url.endswith("/word=banana&tried=ban&called=&played=1000&won=1000&wrong=0")
    assert "A cheat edits it or goes back to an older one" in player.text


def test_a_bookmark_of_a_url_keeps_the_game_and_going_back_takes_a_move_back(site: Gateway) -> None:
    player = Player(site, "uri")
    bookmark = player.press("e").url
    shown = player.shown
    player.press("z")
    other = Player(site, "uri", bookmark)
    assert (other.shown, other.tried, other.url) == (shown, {"e"}, bookmark)


GARBAGE = [
    "x", "%00", "a" * 2000, "word=banana", WON.replace("won=999", "won=1001"), WON.replace("ban&", "b<n&"),
    f"{WON}&more=1", "..%2f..%2fetc", "' OR 1=1 --",
]  # fmt: skip


@pytest.mark.parametrize("program", ["cookie", "signed", "sealed"])
def test_garbage_in_a_cookie_is_refused_with_a_clear_page_and_a_new_game(site: Gateway, program: str) -> None:
    player, name = Player(site, program), f"hangman-{program}"
    for garbage in GARBAGE:
        player.cookies[name] = garbage
        player.go(player.start)
        long = len(garbage) > 1024
        assert player.answer.status == (400 if program == "cookie" or long else 403), garbage
        assert re.search("Here is a new (one|game)", player.note)
        assert (player.misses, player.tried, player.score) == (0, set(), ("0", "0", "–"))
        assert player.cookies[name] != garbage
    player.press("e")
    assert (player.answer.status, player.tried) == (200, {"e"})


def test_garbage_in_a_url_is_refused_with_a_clear_page_and_a_new_game(site: Gateway) -> None:
    player = Player(site, "uri")
    for garbage in (*(text for text in GARBAGE if " " not in text and "%" not in text), "a%27b", "a/b", "%FF"):
        player.go(f"{player.start}/{garbage}")
        assert player.answer.status == 400 and player.note.startswith("This address is not a game: ")
        assert player.note.count("Here is a new one.") == 1
    player.press("e")
    assert (player.answer.status, player.tried) == (200, {"e"})


def test_garbage_in_hidden_fields_is_refused_with_a_clear_page_and_a_new_game(site: Gateway) -> None:
    player = Player(site, "hidden")
    for name, value in {"word": "<b>", "played": "-1", "tried": "aa", "more": "1", "wrong": "\0"}.items():
        player.send(player.form(), guess="e", **{name: value})
        assert player.answer.status == 400 and player.note.startswith("These fields are not a game: ")
        assert "<b>" not in player.text and player.tried == set()
    player.press("e")
    assert (player.answer.status, player.tried) == (200, {"e"})


def test_a_form_without_its_fields_gets_a_new_game(site: Gateway) -> None:
    player = Player(site, "hidden")
    player.send(player.form()._replace(fields={}), guess="e")
    assert player.answer.status == 200 and player.tried == set()
    assert player.note.startswith("There was no game to go on with. Here is a new one.")


# ---- the protections


def state_of(player: Player, program: str) -> str:
    """A protected cookie."""
    return player.cookies[f"hangman-{program}"]


def tampered(value: str) -> list[str]:
    """The cookie with one character changed, in every part of it, cut, longer, with another state."""
    end = len(value.rstrip("="))
    places = (0, 1, 5, len(value) // 2, end - 12, end - 1, len(value) - 1)
    letters = {i: chr(ord(value[i]) ^ 1) if value[i] != "=" else "A" for i in places}
    changed = [value[:i] + letters[i] + value[i + 1 :] for i in places]
    return [*changed, value[:-3], value[1:], value + "A", value * 2, WON + "." + value.rpartition(".")[2]]


@pytest.mark.parametrize("program", PROTECTED)
def test_a_changed_cookie_is_refused_with_a_clear_page_and_a_new_game(site: Gateway, program: str) -> None:
    player, name = Player(site, program), f"hangman-{program}"
    player.press("e")
    for value in tampered(state_of(player, program)):
        player.cookies[name] = value
        player.go(player.start)
        assert player.answer.status == 403, value
        assert "The cookie was changed, or" in player.note and "Here is a new game." in player.note
        assert player.tried == set() and player.cookies[name] != value
    before = state_of(player, program)
    player.cookies[name] = before[:9] + ("A" if before[9] != "A" else "B") + before[10:]
    player.guess("z")  # a move upon a changed state is not made
    assert player.answer.status == 403 and player.tried == set()
    player.press("e")
    assert (player.answer.status, player.tried) == (200, {"e"})


@pytest.mark.parametrize("program", PROTECTED)
def test_a_cookie_of_another_server_is_refused(site: Gateway, tmp_path: Path, program: str) -> None:
    foreign = alone(program, tmp_path)
    player = Player(site, program)
    player.cookies[f"hangman-{program}"] = foreign
    player.go(player.start)
    assert player.answer.status == 403


def test_the_cookie_of_one_program_is_none_of_the_others(site: Gateway) -> None:
    cookies = {program: state_of(Player(site, program), program) for program in PROTECTED}
    for program, other in (PROTECTED, PROTECTED[::-1]):
        player = Player(site, program)
        player.cookies[f"hangman-{program}"] = cookies[other]
        player.go(player.start)
        assert player.answer.status == 403


def test_a_signed_cookie_is_readable_and_a_sealed_one_is_not(site: Gateway) -> None:
    signed, sealed = (state_of(Player(site, program), program) for program in PROTECTED)
    word = re.match(r"word=([a-z]+)&tried=", signed)
    assert word
    assert b"word" not in base64.urlsafe_b64decode(sealed)
    player = Player(site, "signed")
    player.cookies["hangman-signed"] = signed
    player.go(player.start).guess(word[1])
    assert player.note == f"You won: the word is {word[1]}."


@pytest.mark.parametrize("program", PROTECTED)
def test_an_old_cookie_that_is_put_back_brings_the_old_game_back_and_the_page_says_so(
    site: Gateway, program: str
) -> None:
    player = Player(site, program)
    player.press("e")
    old, shown, misses = state_of(player, program), player.shown, player.misses
    word = player.lose()
    assert player.score == ("1", "0", "6.00")
    player.cookies[f"hangman-{program}"] = old
    player.go(player.start)
    assert (player.answer.status, player.shown, player.misses) == (200, shown, misses)
    assert player.score == ("0", "0", "–")
    player.guess(word)
    assert player.note == f"You won: the word is {word}." and player.score[1] == "1"
    assert "A cheat can" in player.text and "keep a copy and put it back later" in unescape(player.text)


def rotate(data: Path) -> str:
    """The command of game/keys.py."""
    command = [sys.executable, "-m", "game.keys", "rotate"]
    environment = os.environ | {"PROGRAM_DATA": str(data.parent)}
    done = subprocess.run(command, cwd=HANGMAN, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("program", PROTECTED)
def test_the_newest_key_protects_older_ones_verify_and_dropped_ones_refuse(
    site: Gateway, data: Path, program: str
) -> None:
    player = Player(site, program)
    first = state_of(player.press("e"), program)
    before = (data / f"{program}.keys").read_text().split()
    assert f"{program}.keys: {min(len(before) + 1, 3)} keys, a new one in front" in rotate(data)
    after = (data / f"{program}.keys").read_text().split()
    assert after[1:] == before[:2] and after[0] not in before
    assert (data / f"{program}.keys").stat().st_mode & 0o777 == 0o600

    player.go(player.start)  # made by the key before
    assert (player.answer.status, player.tried) == (200, {"e"})
    player.press("z")  # made by the newest key
    second = state_of(player, program)
    rotate(data)
    rotate(data)
    assert after[0] in (data / f"{program}.keys").read_text()
    for cookie, status in ((first, 403), (second, 200)):
        player.cookies[f"hangman-{program}"] = cookie
        assert player.go(player.start).answer.status == status


# ---- keys and cookies without a gateway: each program is a plain CGI program as well


def alone(program: str, data: Path, **variables: str) -> str:
    """The cookie that a program sets, run by itself with keys of its own."""
    return cookie_line(program, data, **variables).partition("=")[2].partition(";")[0]


def cookie_line(program: str, data: Path, **variables: str) -> str:
    environment = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": f"/a b/{program}.py", "PROGRAM_DATA": str(data)}
    command = [sys.executable, str(HANGMAN / f"{program}.py")]
    done = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    found = re.search(r"^Set-Cookie: (.*)$", done.stdout, re.M)
    assert found, done.stdout
    return found[1]


def test_cookies_are_for_their_program_alone_and_out_of_reach_for_scripts_and_other_sites(
    tmp_path: Path,
) -> None:
    for program in ("cookie", "sealed"):
        plain, secure = cookie_line(program, tmp_path), cookie_line(program, tmp_path, HTTPS="on")
        assert len(plain) < 1024
        name, *attributes = plain.split("; ")
        assert name.startswith(f"hangman-{program}=")
        expected = [f"Path=/a%20b/{program}.py", "Max-Age=2592000", "HttpOnly", "SameSite=Lax"]
        assert attributes == expected
        assert secure.split("; ")[1:] == [*expected, "Secure"]


def test_two_first_processes_agree_upon_one_key_for_the_owner_alone(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    def first(number: int) -> str:
        command = [sys.executable, "-c", "from game.keys import keys; print(keys('signed'))"]
        environment = os.environ | {"PROGRAM_DATA": str(tmp_path / str(number // 4))}
        return subprocess.check_output(command, cwd=HANGMAN, env=environment, text=True)

    found = list(pool.map(first, range(8)))
    assert len(set(found[:4])) == len(set(found[4:])) == 1 and found[0] != found[4]
    folder = tmp_path / "0" / "hangman"
    assert [path.name for path in folder.iterdir()] == ["signed.keys"]
    assert (folder / "signed.keys").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_broken_file_of_keys_is_said_and_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / "hangman").mkdir()
    (tmp_path / "hangman" / "sealed.keys").write_text("secret\n")
    environment = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/sealed.py", "PROGRAM_DATA": str(tmp_path)}
    command = [sys.executable, str(HANGMAN / "sealed.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode != 0 and done.stdout == ""
    assert "sealed.keys: expected lines of 32 bytes in base64" in done.stderr and "secret" not in done.stderr
