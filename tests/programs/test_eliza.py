"""Eliza's rule engine: the published conversation, what each kind of rule does, and any text at all."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .pipes import ROOT

sys.path.insert(0, str(ROOT / "cgi-bin"))
checks, eliza, patterns, rules = (
    importlib.import_module(f"common.doctor.{name}") for name in ("checks", "eliza", "pattern", "rules")
)
FILE = ROOT / "cgi-bin" / "common" / "doctor" / "rules.json"
DOCTOR = rules.read(str(FILE))
# Weizenbaum's published conversation (Communications of the ACM 9, 1966, 36), in lower case
CLASSIC = """\
Men are all alike. > In what way?
They're always bugging us about something or other. > Can you think of a specific example?
Well, my boyfriend made me come here. > Your boyfriend made you come here?
He says I'm depressed much of the time. > I am sorry to hear you are depressed.
It's true. I am unhappy. > Do you think coming here will help you not to be unhappy?
I need some help, that much seems certain. > What would it mean to you if you got some help?
Perhaps I could learn to get along with my mother. > Tell me more about your family.
My mother takes care of me. > Who else in your family takes care of you?
My father. > Your father?
You are like my father in some ways. > What resemblance do you see?
You are not very aggressive but I think you don't want me to notice that. > \
What makes you think I am not very aggressive?
You don't argue with me. > Why do you think I don't argue with you?
You are afraid of me. > Does it please you to believe I am afraid of you?
My father is afraid of everybody. > What else comes to mind when you think of your father?
Bullies. > Does that have anything to do with the fact that your boyfriend made you come here?"""
SMALL: dict[str, Any] = {
    "initial": ["Hello."],
    "final": ["Bye."],
    "quit": ["bye", "so long"],
    "breaks": ["but"],
    "none": ["Go on.", "And?"],
    "pre": {"i'm": "I am", "old thing": "new"},
    "post": {"i": "you", "my": "your", "you": "I", "you .": "me", "am": "are", "i am": "you are"},
    "classes": {"be": ["am", "is"]},
    "keywords": {
        "low": {"rank": 0, "rules": [{"when": "* low *", "say": ["Low: (2)."]}]},
        "high": {"rank": 5, "rules": [{"when": "* high _ @be *", "say": ["(2), (3), (4).", "Again."]}]},
        "far": {"rank": 9, "rules": [{"when": "* far low *", "say": ["goto low"]},
                                     {"when": "*", "say": ["newkey"]}]},
        "my": {"rank": 1, "rules": [{"when": "* my *", "say": ["Your (2)?"]}],
               "memory": [{"when": "* my _ *", "say": ["Still your (2) (3)?"]}]},
    },
}  # fmt: skip


def talk(*texts: str, table: Any = None) -> list[str]:
    conversation = eliza.Conversation(DOCTOR if table is None else rules.Rules(table))
    conversation.begin()
    return [conversation.answer(text) for text in texts]


def test_the_published_conversation_goes_the_published_way() -> None:
    lines = [line.split(" > ") for line in CLASSIC.splitlines()]
    assert talk(*(said for said, _ in lines)) == [answer for _, answer in lines]


def test_at_least_35_keywords_with_ranks_memory_synonyms_and_gotos() -> None:
    table = json.loads(FILE.read_text())
    assert len(table["keywords"]) >= 35 and len({row["rank"] for row in table["keywords"].values()}) >= 8
    text = FILE.read_text()
    assert text.count('"goto ') >= 10 and text.count('"newkey"') >= 5 and text.count('"memory"') >= 1
    assert len(table["classes"]) >= 5 and len(table["pre"]) >= 20 and len(table["post"]) >= 20


@pytest.mark.parametrize("name", sorted(DOCTOR.keywords))
def test_every_keyword_answers(name: str) -> None:
    for text in (name, f"I {name} you", f"you are {name} my mother and me"):
        assert talk(text)[0]


def test_the_higher_rank_goes_first_of_equals_the_first() -> None:
    assert talk("low my high one is", "low and my high", table=SMALL) == ["One, is,.", "Your high?"]
    two = {
        **SMALL,
        "keywords": {**SMALL["keywords"], "deep": {"rank": 0, "rules": [{"when": "*", "say": ["D."]}]}},
    }
    assert talk("so low and deep", "so deep and low", table=two) == ["Low: and deep.", "D."]


def test_answers_take_turns_and_begin_again() -> None:
    assert talk(*["high ground is mine"] * 3, table=SMALL) == [
        "Ground, is, mine.",
        "Again.",
        "Ground, is, mine.",
    ]
    assert talk("x", "y", "z", table=SMALL) == ["Go on.", "And?", "Go on."]


def test_goto_and_newkey() -> None:
    assert talk("far low down", "far my dear", "far away", table=SMALL) == [
        "Low: down.",
        "Your dear?",
        "Go on.",
    ]


def test_words_are_replaced_before_and_turned_round_after() -> None:
    assert talk("my I'm my old thing of you", table=SMALL) == ["Your you are your new of me?"]
    assert talk("Low YOU and I", table=SMALL) == ["Low: I and you."]


def test_the_first_clause_with_a_keyword_counts() -> None:
    said = talk("hm; low one, my two", "nothing but low three", "well… my dear", table=SMALL)
    assert said == ["Low: one.", "Low: three.", "Your dear?"]


def test_memory_comes_back_oldest_first_and_is_bounded() -> None:
    assert talk("my cat sleeps", "my dog", "x", "y", "z", table=SMALL)[2:] == [
        "Still your cat sleeps?", "Still your dog?", "Go on.",
    ]  # fmt: skip
    many = talk(*(f"my cat{number}" for number in range(100)), *["x"] * 21, table=SMALL)
    assert many[100:] == [*(f"Still your cat{number}?" for number in range(80, 100)), "Go on."]


@pytest.mark.parametrize("text", ["bye", "Well, BYE!", "so long", "low; bye"])
def test_words_of_parting_end_it(text: str) -> None:
    conversation = eliza.Conversation(rules.Rules(SMALL))
    assert (conversation.answer(text), conversation.is_over) == ("Bye.", True)


def test_words_of_parting_within_a_sentence_do_not() -> None:
    conversation = eliza.Conversation(rules.Rules(SMALL))
    assert conversation.answer("they said bye to us") and not conversation.is_over


WORDS = [*DOCTOR.keywords, "mother", "am", "me", "don't", "I'm", "sad", "think", "bye", "but", "x", "Ünal"]
SENTENCES = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=30).map(" ".join)
TEXTS = st.lists(st.text(max_size=80) | SENTENCES, min_size=1, max_size=8)


@given(TEXTS)
def test_any_text_gets_a_bounded_answer_without_markup_and_always_the_same(texts: list[str]) -> None:
    answers = talk(*texts)
    for answer in answers:
        assert 0 < len(answer) < 2500
        assert not re.search(r"^goto |^newkey$|[<>\x00-\x1f]|\([0-9]\)", answer)
    assert talk(*texts) == answers


@pytest.mark.parametrize(
    "piece", ["my ", "my,", "I am you ", "((((", "....", "a", "' ", "(1)", "* ", "you . ", "ä’"]
)
def test_nasty_texts_are_bounded_and_take_steps_in_proportion(piece: str) -> None:
    texts = [piece * count for count in (1, 250, 10**6)]
    assert all(len(answer) < 2500 for answer in talk(*texts))


class Counting(str):
    """A word that counts how often it is compared."""

    looks = 0

    def __hash__(self) -> int:
        Counting.looks += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)


@pytest.mark.parametrize(
    "text", ["* a * a * a * a * a * b", "* a a a a b *", "* _ a * _ b * a", "@be * @be * @be *"]
)
@pytest.mark.parametrize("size", [100, 400])
def test_a_pattern_looks_at_most_as_often_as_text_times_pattern(text: str, size: int) -> None:
    pattern = patterns.Pattern(text, {"be": frozenset("a")})
    words = [Counting("a") for _ in range(size)]
    Counting.looks = 0
    pattern.match(words, words)
    assert Counting.looks <= 2 * size * len(text.split())


@given(st.lists(st.sampled_from("ab"), max_size=8), st.lists(st.sampled_from([*"ab_*", "@be"]), max_size=7))
def test_patterns_fit_as_regular_expressions_do(words: list[str], text: list[str]) -> None:
    text = [word for at, word in enumerate(text) if (word, *text[max(at - 1, 0) : at]) != ("*", "*")]
    regex = {"*": "(.*?)", "_": "(.)", "@be": "([a])"}
    expected = re.fullmatch("".join(regex.get(word, word) for word in text), "".join(words))
    parts = patterns.Pattern(" ".join(text), {"be": frozenset("a")}).match(words, words)
    assert (parts is None) == (expected is None)
    if expected is not None:
        assert ["".join(part) for part in parts] == list(expected.groups())


RULE = [{"when": "*", "say": ["x"]}]
MISTAKES: dict[str, Any] = {
    "the file: 'none' is missing": {"none": ...},
    "the file: there is no 'nun'": {"nun": []},
    "the file.none: expected a list that is not empty, found []": {"none": []},
    "none[1]: expected text, found 7": {"none": ["x", 7]},
    "none[0]: expected what to say, found 'newkey'": {"none": ["newkey"]},
    "none[0]: expected a line of up to 200 characters without < >": {"none": ["<b>"]},
    "breaks: expected one word of the letters a to z, found 'a b'": {"breaks": ["a b"]},
    "classes.be: 'but' is never seen, since it stands in 'breaks'": {"classes": {"be": ["but"]}},
    "keywords.A: stands twice": {"keywords": {"a": {"rank": 1, "rules": RULE}, "A": {}}},
    "keywords.i'm: \"i'm\" is never seen, since 'pre' makes 'I am' of it": {"keywords": {"i'm": {}}},
    "keywords.a: 'rank' is missing": {"keywords": {"a": {"rules": [1]}}},
    "keywords.a.rank: expected a number from 0, found true": {"keywords": {"a": {"rank": True, "rules": [1]}}},
    "keywords.a.rules[0]: expected an object, found 1": {"keywords": {"a": {"rank": 1, "rules": [1]}}},
    "keywords.a.rules[0].when: there is no class @is; expected one of @be": ("* @is", "x"),
    "keywords.a.rules[0].when: '* *' is one '*'": ("* * a", "x"),
    "keywords.a.rules[0].when: \"i'm\" is never seen": ("* I'm *", "x"),
    "keywords.a.rules[0].say[0]: there is no part (3); there are 2": ("* a *", "(3)"),
    "keywords.a: goes to 'b', which is no keyword": ("*", "goto B"),
    "keywords.a: goes in a circle: a -> a": ("*", "goto a"),
    "keywords.a.memory[0].say[0]: expected what to say, found 'newkey'": {
        "keywords": {"a": {"rank": 1, "rules": RULE, "memory": [{"when": "*", "say": ["newkey"]}]}}},
}  # fmt: skip


@pytest.mark.parametrize("message", MISTAKES)
def test_a_mistake_in_the_rules_names_its_place_in_the_file(tmp_path: Path, message: str) -> None:
    change = MISTAKES[message]
    if isinstance(change, tuple):
        change = {"keywords": {"a": {"rank": 0, "rules": [{"when": change[0], "say": [change[1]]}]}}}
    table = {name: value for name, value in {**SMALL, **change}.items() if value is not ...}
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(table))
    with pytest.raises(checks.Mistake) as error:
        rules.read(str(file))
    assert str(error.value).startswith(f"{file}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n"none": [1,,2]}', "line 2 column 12"),
        ('{"pre": {"a": "b", "a": "c"}}', "'a' stands twice in the same object"),
        ("[]", "the file: expected an object, found []"),
        ("\udcff", "invalid start byte"),
    ],
)
def test_a_file_that_is_no_such_JSON_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "rules.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(checks.Mistake) as error:
        rules.read(str(file))
    assert message in str(error.value) and str(error.value).startswith(f"{file}: ")
