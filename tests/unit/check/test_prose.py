"""Parts in the learner's own words: numbers, keywords, accepted texts, and persons."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

import pytest
from atelier.exercises.engine import compare, read
from atelier.exercises.exercises import Exercise
from atelier.exercises.model import ExpectedError, Limits, ProseShown
from atelier.exercises.numbers import numbers_in, plain
from atelier.exercises.prose import judge
from atelier.exercises.reveal import reveal
from hypothesis import given
from hypothesis import strategies as st

PROMPT = "La moyenne est : / The mean is:"
TOP = ["# Une moyenne\n\nCalculez la moyenne des 4 valeurs.", "values = [71.2, 64.8]"]


def notebook(*cells: tuple[str, str]) -> bytes:
    made: list[dict[str, Any]] = [
        {
            "cell_type": "code" if ident.startswith("code") else "markdown",
            "id": ident,
            "source": text,
        }
        for ident, text in cells
    ]
    return json.dumps({"cells": made, "nbformat": 4}).encode()


def exercise(file: str, *prose: dict[str, Any]) -> Exercise:
    title = {"fr": "x", "en": "x"}
    return Exercise.model_validate({"id": "x", "title": title, "file": file, "prose": prose})


def judged(
    file: str, given: bytes, answer: bytes, *prose: dict[str, Any], expected: bytes | None = None
) -> list[ProseShown]:
    rule = exercise(file, *prose).rule()
    documents = [read(one, rule, Limits()) for one in (answer, given)]
    wanted = None if expected is None else read(expected, rule, Limits())
    return judge(documents[0], documents[1], rule.prose, wanted)


def outcome(shown: ProseShown) -> str:
    if shown["pending"]:
        return "a person"
    return "right" if shown["reached"] == shown["points"] else "wrong"


HEAD = (("text-0", TOP[0]), ("code-1", TOP[1]))
MEAN = {"part": "mean-3", "expects": {"number": 62.6, "tolerance": 0.1}}


def number(*cells: tuple[str, str], expects: dict[str, Any] | None = None) -> str:
    part = {"part": "mean-3", "expects": expects} if expects else MEAN
    given = notebook(*HEAD, ("mean-3", PROMPT))
    (shown,) = judged("a.ipynb", given, notebook(*HEAD, *cells), part)
    return outcome(shown)


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("La moyenne est : / The mean is: 62.6", "right"),
        ("La moyenne est : 62,6 / The mean is: 62.6", "right"),
        ("The mean is: 62.6", "right"),
        ("La moyenne est : 62,6", "right"),
        ("62.6", "right"),
        ("**62,6**", "right"),
        ("_62,6_", "right"),
        ("$\\bar x = 62{,}625$", "right"),
        ("* 62,6", "right"),
        ("- La moyenne : `62.6`", "right"),
        ("62\\.6", "right"),
        ("J'ai trouvé 62,6 degrés.", "right"),
        ("J’ai trouvé 62,6°C.", "right"),
        ("La moyenne des 4 valeurs est 62,6.", "right"),
        ("62.6 is the mean of the 4 values.", "right"),
        ("The sum is 250.5, so the mean is 62.6.", "right"),
        ("La moyenne est : / The mean is: 62.6254", "right"),
        ("6.26e1", "right"),
        ("6,26 \u00d7 10^1", "right"),
        ("The mean is 62.6 degrees, that is 144.7 Fahrenheit.", "right"),
        ("62,6 °C, soit 335,8 K", "right"),
        ("62.6 (which is 250.5 / 4)", "right"),
        ("Un peu plus de soixante (62,6).", "right"),
        ("71.2, soit 62.6", "a person"),
        ("<!-- 62.6 -->", "wrong"),
        ("I do not know. <!-- 62.6", "wrong"),
        ("La moyenne est : / The mean is: 99", "wrong"),
        ("La moyenne est : / The mean is: 62", "wrong"),
        ("La moyenne est : / The mean is: -62.6", "wrong"),
        ("La moyenne est : / The mean is: 626", "wrong"),
        ("La moyenne est : / The mean is: 6.26", "wrong"),
        ("La moyenne est : / The mean is:", "wrong"),
        ("I do not know.", "wrong"),
        ("See version 62.6.1", "wrong"),
        ("61.5, 61.8, 62.0, 62.6, 63.1", "wrong"),
        ("62.6, 61.5, 61.8, 62.0", "wrong"),
        ("61.9 ou 62.6", "a person"),
        ("62.6, I first thought 71.2", "a person"),
    ],
)
def test_a_number_is_found_in_the_learners_words(text: str, is_right: str) -> None:
    assert number(("mean-3", text)) == is_right


def test_the_number_may_stand_in_another_cell_when_its_own_was_left_or_deleted() -> None:
    assert number(("mean-3", PROMPT), ("new", "62,6")) == "right"
    assert number(("new", "62,6"), ("mean-3", PROMPT)) == "right"
    assert number(("new", "The mean is 62.6")) == "right"
    assert number(("mean-3", f"{PROMPT} 99"), ("new", "62.6")) == "wrong"
    assert number(("mean-3", PROMPT), ("code-new", "62.6")) == "wrong"
    assert number(("mean-3", "62.6"), ("mean-3", "62.6")) == "right"
    assert number() == "wrong"


@pytest.mark.parametrize(
    ("wanted", "text", "is_right"),
    [
        (1234.5, "1 234,5", "right"),
        (1234.5, "1\u202f234,5", "right"),
        (1234.5, "1,234.5", "right"),
        (1234.5, "1.234,5", "right"),
        (1234.5, "1'234.5", "right"),
        (1234567, "1,234,567", "right"),
        (1234, "1,234", "right"),
        (1.234, "1,234", "right"),
        (4, "There are 4.", "right"),
        (4, "There are 5.", "wrong"),
        (2, "Give it to 2 decimals: 2", "right"),
        (-3.5, "\u22123,5", "right"),
        (0.5, ".5", "right"),
        (3, "le 2e essai", "wrong"),
    ],
)
def test_numbers_are_read_as_french_and_english_write_them(
    wanted: float, text: str, is_right: str
) -> None:
    assert number(("mean-3", text), expects={"number": wanted}) == is_right


def test_a_number_of_the_prompt_is_not_the_learners() -> None:
    given = b"# Mean\n\nGive the mean to 2 decimals:\n"
    part = {"part": 2, "expects": {"number": 2}}
    for words, is_right in (("", "wrong"), (" 2", "right"), (" 3", "wrong")):
        (shown,) = judged("a.md", given, given.rstrip() + words.encode(), part)
        assert outcome(shown) == is_right


def test_dates_versions_and_names_are_no_numbers() -> None:
    assert [one.written for one in numbers_in("3.13.5 on 2026.11.30, x1, 3e, 4 kg, 5.")] == [
        "4",
        "5",
    ]
    assert numbers_in(plain("62{,}6"))[0].readings == (62.6,)


@given(st.text(alphabet="0123456789.,eE+- '\u202f\u00d7^ra\u2212", max_size=40))
def test_any_text_has_finite_numbers(text: str) -> None:
    for one in numbers_in(text):
        assert one.readings
        assert all(isfinite(value) for value in one.readings)
        assert text[one.start : one.end].strip() == one.written


@given(
    guesses=st.lists(st.integers(100, 999), min_size=3, max_size=12, unique=True),
    place=st.integers(0, 11),
)
def test_a_list_of_guesses_is_worth_its_last_one(guesses: list[int], place: int) -> None:
    place %= len(guesses)
    shown = number(
        ("mean-3", ", ".join(map(str, guesses))), expects={"number": float(guesses[place])}
    )
    assert (shown == "right") == (place == len(guesses) - 1)


REPORT = b"# Report\n\n## Conclusion\n\nYour words:\n\n## Discussion\n\nYour words:\n"
SEED = {"part": "Conclusion", "expects": {"keywords": [["seed", "graine"], ["version"]]}}


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("The seed is fixed, and so are the versions.", 1),
        ("Les GRAINES sont fixées et la version notée.", 1),
        ("Le germe est fixé et la Version notée.", 0.5),
        ("Nothing of that kind.", 0),
        ("", 0),
    ],
)
def test_keywords_are_found_in_any_form(text: str, reached: float) -> None:
    answer = REPORT.replace(b"Your words:", text.encode(), 1)
    (shown,) = judged("a.md", REPORT, answer, SEED)
    assert shown["reached"] == reached


@pytest.mark.parametrize(
    ("key", "text", "is_there"),
    [
        ("reproductible", "la reproductibilité", True),
        ("écart-type", "L'ecart type vaut 3", True),
        ("random seed", "two random seeds", True),
        ("random seed", "a random number and a seed", False),
        ("cœur", "les coeurs", True),
        ("R", "R est un langage", True),
        ("R", "Rien de rare", False),
        ("pi", "la pile", False),
        ("moyenne", "en moyenne", True),
    ],
)
def test_the_beginning_of_a_word_is_enough(key: str, text: str, is_there: bool) -> None:
    part = {"part": "Conclusion", "expects": {"keywords": [[key]]}}
    (shown,) = judged("a.md", REPORT, REPORT.replace(b"Your words:", text.encode(), 1), part)
    assert (shown["reached"] == 1) == is_there


def test_words_of_the_template_and_of_other_parts_are_not_the_learners() -> None:
    given = REPORT.replace(b"Your words:", b"What of seed and version?")
    (shown,) = judged("a.md", given, given, SEED)
    assert (shown["reached"], shown["message"]) == (
        0,
        {"key": "check_prose_empty", "fields": {}},
    )
    answer = given.rstrip() + b" The seed and the version matter.\n"  # below the other heading
    (shown,) = judged("a.md", given, answer, SEED)
    assert shown["reached"] == 0


ACCEPTED = {
    "part": "Conclusion",
    "accepted": ["The series is stationary.", "La série est stationnaire."],
    "points": 2,
}


def accepted(text: str) -> float:
    answer = REPORT.replace(b"Your words:", text.encode(), 1)
    return judged("a.md", REPORT, answer, ACCEPTED)[0]["reached"]


def test_each_accepted_text_is_worth_all() -> None:
    assert accepted("The series is stationary.") == 2
    assert accepted("- the series is *stationary*.") == 2
    assert accepted("the __series__ is stationary.") == 2
    assert accepted("Your words: La série est\nstationnaire.") == 2
    assert 1 < accepted("La série est sans doute stationnaire.") < 2
    assert accepted("Quite something else") == 0
    assert accepted("Your words:") == 0


def test_a_text_in_two_languages_is_worth_as_much_as_the_better_one() -> None:
    both = "\n\n".join(ACCEPTED["accepted"])
    assert accepted(both) == 2
    assert accepted(f"Nothing of that kind.\n\n{ACCEPTED['accepted'][0]}") == 2
    many = [f"The series is {word}." for word in ("a", "b", "c", "d", "stationary")]
    assert accepted("\n\n".join(many)) < 1


def test_what_no_reader_sees_is_no_answer() -> None:
    for hidden in (
        "<!-- seed version -->",
        "<!-- seed\n\nversion",
        "[//]: # (seed version)",
        "```\nseed version\n```",
    ):
        (shown,) = judged("a.md", REPORT, REPORT.replace(b"Your words:", hidden.encode(), 1), SEED)
        assert shown["reached"] == 0
    given = b"* T\n** Conclusion\nVos mots :\n"
    hidden = "* T\n** Conclusion\n# graine version\n"
    assert judged("a.org", given, hidden.encode(), SEED)[0]["reached"] == 0


def test_a_number_that_the_document_computes_waits_for_a_person() -> None:
    part = {"part": "Conclusion", "expects": {"number": 25, "tolerance": 0.2}}
    for text, result in (
        ("It is `r round(tau, 1)` minutes.", "a person"),
        ("It is `r round(tau, 1)` minutes, or 3 hours.", "wrong"),
        ("It is `r tau`, about 25 minutes.", "right"),
    ):
        answer = REPORT.replace(b"Your words:", text.encode(), 1)
        assert outcome(judged("a.Rmd", REPORT, answer, part)[0]) == result


def test_a_person_decides_and_no_machine() -> None:
    part = {"part": "Discussion", "person": True, "points": 3}
    for answer in (REPORT, REPORT + b"My own thoughts.\n", b"# Something else\n"):
        (shown,) = judged("a.md", REPORT, answer, part)
        assert (shown["reached"], shown["pending"], shown["points"]) == (0, True, 3)


def test_number_and_text_may_be_those_of_the_expected_file_which_nobody_reads() -> None:
    given = notebook(*HEAD, ("mean-3", PROMPT), ("why", "Pourquoi ?"))
    expected = notebook(
        *HEAD, ("mean-3", f"{PROMPT} 62.6"), ("why", "Pourquoi ?\n\nLa somme est divisée par 4.")
    )
    parts = (
        {"part": "mean-3", "expects": {"number": "expected", "tolerance": 0.1}},
        {"part": "why", "accepted": "expected"},
    )
    answer = notebook(*HEAD, ("mean-3", "62,65"), ("why", "La somme est divisée par 4."))
    found = judged("a.ipynb", given, answer, *parts, expected=expected)
    assert [outcome(one) for one in found] == ["right", "right"]
    with pytest.raises(ExpectedError) as caught:
        judged("a.ipynb", given, answer, *parts, expected=given)
    assert caught.value.message["key"] == "check_prose_no_expected"


@pytest.mark.parametrize(
    ("file", "given"),
    [
        ("a.md", "# T\n\n## Conclusion\n\nVos mots :\n"),
        ("a.Rmd", "---\ntitle: x\n---\n\nConclusion\n----------\n\nVos mots :\n"),
        ("a.org", "#+TITLE: x\n\n* T\n\n** Conclusion\n\nVos mots :\n"),
        ("a.ipynb", "## Conclusion\n\nVos mots :"),
    ],
)
def test_a_heading_names_its_section_in_all_formats(file: str, given: str) -> None:
    def made(text: str) -> bytes:
        return notebook(("c", text)) if file.endswith("ipynb") else text.encode()

    right = given.replace("Vos mots :", "Il faut fixer la graine.\n\nEt noter les versions.")
    (shown,) = judged(file, made(given), made(right), SEED)
    assert outcome(shown) == "right"
    (shown,) = judged(file, made(given), made(given), SEED)
    assert outcome(shown) == "wrong"


def test_points_of_the_parts_make_the_score_and_their_names_differ() -> None:
    rule = exercise(
        "a.md", SEED, ACCEPTED, {"part": "Discussion", "person": True, "points": 3}
    ).rule()
    expected = REPORT.replace(b"Your words:", b"As one likes.")
    answer = REPORT.replace(b"Your words:", b"A seed and a version, quite otherwise.", 1)
    found = compare(expected, answer, rule, REPORT)
    assert [one["name"] for one in found["prose"]] == [
        "Conclusion",
        "Conclusion (2)",
        "Discussion",
    ]
    reached = sum(one["reached"] for one in found["prose"])
    assert found["score"] == pytest.approx(reached / 6, abs=1e-4)
    assert found["rule"] == [{"key": "check_rule_prose", "fields": {"count": 3}}]
    assert found["parts"]
    shown = reveal(found, "verdict")["prose"]
    assert [one["message"] for one in shown] == [None, None, None]
    json.dumps(found)


def test_a_rule_with_prose_survives_the_way_to_another_process() -> None:
    rule = exercise("a.ipynb", MEAN, SEED, ACCEPTED).rule()
    again = type(rule).from_json(json.loads(json.dumps(rule.to_json())))
    assert again == rule
    assert "prose" not in exercise("a.ipynb").rule().to_json()


def test_nothing_that_is_said_contains_the_expected_number() -> None:
    given = notebook(*HEAD, ("mean-3", PROMPT))
    for text in ("99", "", "99 62.6 98", "none", "61.9 ou 62.6"):
        (shown,) = judged("a.ipynb", given, notebook(*HEAD, ("mean-3", text)), MEAN)
        assert "62.6" not in json.dumps(shown)
