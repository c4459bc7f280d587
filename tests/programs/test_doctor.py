"""The doctor, by the pipe protocol: a conversation in each language, and the two of them word for word."""

from __future__ import annotations

import os
import random
import subprocess
from html import unescape
from pathlib import Path

import pytest

from .conversations import FORM, OFFER, TIMES, head, lines, page, perl_lacks, send, start, visit
from .pipes import PERL_HOST, ROOT, Program
from .test_eliza import CLASSIC, WORDS

NAMES = [pytest.param("doctor.py"), pytest.param("doctor.pl", marks=pytest.mark.needs("perl"))]
NEW = "another-handle"


@pytest.fixture(autouse=True)
def _cgi_pm(request: pytest.FixtureRequest) -> None:
    if any(marker.args == ("perl",) for marker in request.node.iter_markers("needs")):
        perl_lacks("CGI")


def say(program: Program, *texts: str) -> None:
    for text in texts:
        assert head(send(program, OFFER, {"say": text}))["status"] == "303 See Other"


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_lives_in_the_process(name: str) -> None:
    with start(name) as program:
        first = program.response()
        assert head(first)["accept-htsession"] == OFFER
        assert lines(page(first)) == [("Doctor", "How do you do. Please tell me your problem.")]
        say(program, "Men are all alike.", "My boyfriend made me come here.")
        assert lines(page(visit(program, OFFER)))[1:] == [
            ("You", "Men are all alike."), ("Doctor", "In what way?"),
            ("You", "My boyfriend made me come here."), ("Doctor", "Your boyfriend made you come here?"),
        ]  # fmt: skip
        assert (program.end(), program.stderr()) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_H9_a_sentence_is_answered_by_a_redirection_to_the_kept_handle(name: str) -> None:
    with start(name) as program:
        program.response()
        sent = head(send(program, OFFER, {"say": "Hello"}, HTSESSION_NEXT_HANDLE=NEW, SCRIPT_NAME="/a b/<i>"))
        assert next(iter(sent)) == "accept-htsession"
        assert (sent["accept-htsession"], sent["location"]) == (OFFER, f"/a%20b/%3Ci%3E/{OFFER}")
        html = page(visit(program, OFFER, SCRIPT_NAME="/a b/<i>"))
        assert f'action="/a%20b/%3Ci%3E/{OFFER}"' in html and "autofocus" in html


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fields", [{"say": "goodbye"}, {"say": "", "leave": "yes"}])
def test_H8_goodbye_ends_it_with_a_page_without_the_header(name: str, fields: dict[str, str]) -> None:
    with start(name) as program:
        program.response()
        say(program, "Hello")
        last = send(program, OFFER, fields)
        assert "accept-htsession" not in head(last) and "status" not in head(last)
        assert lines(page(last))[-1] == ("Doctor", "Goodbye. It was good to talk to you.")
        assert "<form" not in page(last) and "Come again" in page(last)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_said_is_no_sentence_and_markup_is_text(name: str) -> None:
    with start(name) as program:
        program.response()
        say(program, "", "  \t\n ", "<b onclick='x'>&amp;\"\0</b>")
        html = page(visit(program, OFFER))
        assert len(lines(html)) == 3 and lines(html)[1][1] == "<b onclick='x'>&amp;\"</b>".replace('"', '" ')
        assert "<b onclick" not in html and "\0" not in html


@pytest.mark.parametrize("name", NAMES)
def test_long_talks_and_long_texts_are_bounded(name: str) -> None:
    with start(name) as program:
        program.response()
        say(program, "my x" * 10000, *(f"my mother says {number}" for number in range(120)))
        said = lines(page(visit(program, OFFER)))
        assert len(said) == 200 and said[-2] == ("You", "my mother says 119")
        assert send(program, OFFER, {"say": "x" * 500_000}).marked


@pytest.mark.parametrize("name", NAMES)
def test_a_form_that_comes_first_is_taken(name: str) -> None:
    with start(name, FORM, b"say=I+am+sad") as program:
        assert head(program.response())["location"].endswith(OFFER)
        assert lines(page(visit(program, OFFER)))[-1] == ("Doctor", "I am sorry to hear you are sad.")


def sentences() -> list[str]:
    """A long talk: the published one, sentences of each keyword, words at random, texts of all kinds."""
    dice = random.Random(1966)
    words = [*WORDS, "I", "you", "my", "can't", "and", ",", ".", ";", "the", "you are", "I am"]
    return [
        *(line.split(" > ")[0] for line in CLASSIC.splitlines()),
        *(f"I {word} you, my {word} friend" for word in WORDS),
        *(f"why do they say {word} of me" for word in WORDS),
        *(" ".join(dice.choices(words, k=dice.randint(1, 12))) for _ in range(200)),
        *("bullies", "", "…", "İ ı ß Ω ’tis ‘my’ “car”", "my\u00a0car\u2003is old", "\u202emy dog\u202c barks",
          "a.b my c.d", "3.5 of my 4,5", "e.g. my cat... sleeps", "-my- 'own' --", "my a:b : c",
          "😀 my 👨‍👩‍👧 sleeps"),
    ]  # fmt: skip


@pytest.mark.needs("perl")
def test_perl_and_python_answer_word_for_word_alike() -> None:
    texts = sentences()
    assert len(texts) > 300
    with start("doctor.py") as python, start("doctor.pl") as perl:
        assert page(python.response()) == page(perl.response())
        for at in range(0, len(texts), 50):
            for program in (python, perl):
                say(program, *(text for text in texts[at : at + 50] if "bye" not in text.split()))
            assert lines(page(visit(python, OFFER))) == lines(page(visit(perl, OFFER)))
        assert unescape(page(visit(python, OFFER))) == unescape(page(visit(perl, OFFER)))
        ends = [unescape(page(send(program, OFFER, {"say": "Bye, doctor"}))) for program in (python, perl)]
        assert ends[0] == ends[1] and "Come again" in ends[0]


@pytest.mark.needs("perl")
@pytest.mark.parametrize(("hidden", "words"), [("CGI.pm", "libcgi-pm-perl"), ("JSON/PP.pm", "JSON::PP")])
def test_a_module_that_perl_lacks_is_named_on_the_page(tmp_path: Path, hidden: str, words: str) -> None:
    module = tmp_path / hidden
    module.parent.mkdir(exist_ok=True)
    module.write_text("die 'not here'")
    folder = ROOT / "cgi-bin"
    first = {**TIMES, "PERL5LIB": f"{tmp_path}:{os.environ.get('PERL5LIB', '')}"}
    with Program(["perl", PERL_HOST, folder / "doctor.pl"], first, b"", folder) as program:
        response = program.response()
    assert head(response)["status"].startswith("500 ") and words in page(response)


@pytest.mark.needs("perl")
def test_the_perl_programs_compile_without_a_warning() -> None:
    command = ["perl", "-wc", "doctor.pl"]
    done = subprocess.run(command, cwd=ROOT / "cgi-bin", capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == "doctor.pl syntax OK\n"
