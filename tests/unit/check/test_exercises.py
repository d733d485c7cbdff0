"""A course's exercises: what may be declared, and errors that name the line and the fix."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from atelier.exercises.declared import ExercisesError, read_exercises

WHOLE = """\
version: 1
timezone: Europe/Paris
expected_project: rr/solutions
expected_branch: session-3
exercises:
  - id: pi
    title: {fr: "Calculer π", en: "Compute π"}
    file: notebooks/pi.ipynb
    expected: pi.ipynb
    weight: 2
    opens: 2026-03-01
    closes: 2026-04-30
    attempts: 5
    pass_mark: 0.9
    show: verdict
    show_after_closing: full
    hint: {fr: "Relisez.", en: "Read again."}
    compare:
      outputs: true
      tolerance: {relative: 0.01}
      kinds: [code, output]
  - id: data
    title: {fr: "Les données", en: "The data"}
    file: data/series.csv
    opens: 2026-03-01 08:00
    closes: 2026-03-02T08:00+00:00
    compare: {key: [minute]}
"""
LEAST = """\
version: 1
exercises:
  - id: report
    title: {fr: Rapport, en: Report}
    file: rapport.Rmd
"""


def said(text: str | bytes, lang: str = "en") -> list[str]:
    with pytest.raises(ExercisesError) as caught:
        read_exercises(text)
    return caught.value.say("fr" if lang == "fr" else "en")


def test_a_course_declares_all_there_is() -> None:
    course = read_exercises(WHOLE)
    pi, data = course.exercises
    assert course.project("rr") == "rr/solutions"
    assert pi.expected_file == "pi.ipynb"
    assert pi.rule().format == "ipynb"
    assert pi.rule().kinds == ("code", "output")
    assert pi.rule().tolerance_relative == 0.01
    assert data.expected_file == "data/series.csv"
    assert data.rule().key == ("minute",)
    assert course.get("data") is data
    assert course.get("nothing") is None


def test_five_lines_are_enough() -> None:
    course = read_exercises(LEAST)
    (report,) = course.exercises
    assert course.project("rr") == "rr/expected"
    assert (report.weight, report.attempts, report.show) == (1, None, "hints")
    assert report.state(datetime.now(UTC)) == "open"


def test_exercises_have_their_weight_in_the_total() -> None:
    course = read_exercises(WHOLE)  # 2 and 1
    assert course.total({}) is None
    assert course.total({"pi": 0.5}) == pytest.approx(1 / 3)
    assert course.total({"pi": 1, "data": 1, "gone": 1}) == 1
    assert read_exercises(LEAST + "    weight: 0\n").total({"report": 1}) is None


@pytest.mark.parametrize(
    ("moment", "state", "shown"),
    [
        ("2026-02-28T22:59:59+00:00", "upcoming", "verdict"),
        ("2026-02-28T23:00:00+00:00", "open", "verdict"),
        ("2026-04-30T21:59:59+00:00", "open", "verdict"),
        ("2026-04-30T22:00:00+00:00", "closed", "full"),
    ],
)
def test_dates_are_whole_days_of_the_courses_time_zone(moment: str, state: str, shown: str) -> None:
    pi = read_exercises(WHOLE).exercises[0]
    now = datetime.fromisoformat(moment)
    assert pi.state(now) == state
    assert pi.shows(now) == shown


def test_every_mistake_is_told_with_its_line() -> None:
    text = LEAST + (
        "    shwo: full\n"
        "    weight: lots\n"
        "    opens: tomorrow\n"
        "    attempts: 0\n"
        "    compare: {kinds: [code, prse], tolerance: {relative: 2}}\n"
        "  - id: Bad Id\n"
        "    title: {fr: x}\n"
        "    file: ../secret.md\n"
    )
    assert said(text) == [
        "atelier.yml:6: exercises[1].shwo: there is no such key: is it `show`?",
        "atelier.yml:7: exercises[1].weight: `lots` is not a number (the decimal separator is a"
        " point)",
        "atelier.yml:8: exercises[1].opens: `tomorrow` is not a date: write 2026-03-01 or"
        " 2026-03-01 08:00",
        "atelier.yml:9: exercises[1].attempts: `0` is not possible here: it must be > 0",
        "atelier.yml:10: exercises[1].compare.kinds[2]: `prse` is not possible here: choose one"
        " of heading, prose, list, quote, table, code, output, metadata, raw, row",
        "atelier.yml:10: exercises[1].compare.tolerance.relative: `2` is not possible here: it"
        " must be < 1",
        "atelier.yml:11: exercises[2].id: `Bad Id`: use 1 to 63 lower-case letters, digits or"
        " hyphens, such as `pi-2`",
        'atelier.yml:12: exercises[2].title.en: this key is missing: add for example `en: "…"`',
        "atelier.yml:13: exercises[2].file: `../secret.md` is not a path inside the repository:"
        " write for example notebooks/pi.ipynb",
    ]


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("version: 1\n", ""), 1, "add for example `version: 1`"),
        (("version: 1", "version: 2"), 1, "choose one of 1"),
        (("rapport.Rmd", "rapport.docx"), 3, "add `compare: {format: text}`"),
        (("    file: rapport.Rmd\n", ""), 3, "add for example `file: notebooks/pi.ipynb`"),
        (("id: report", "id: [a]"), 3, "is not text: put it in quotes"),
        (("{fr: Rapport, en: Report}", "Rapport"), 4, "write keys and values"),
        (("rapport.Rmd", "rapport.Rmd\n    file: b.md"), 6, "already on line 5"),
        (("rapport.Rmd", "rapport.Rmd\n    opens: 2026-03-01"), 6, "timezone: Europe/Paris"),
        (("exercises:", "timezone: Europe/Pari\nexercises:"), 2, "write for example Europe/Paris"),
        (("exercises:", "expected_project: nogroup\nexercises:"), 2, "such as `rr/expected`"),
        (("rapport.Rmd", "r.Rmd\n    compare: {key: [a]}"), 3, "for CSV files only"),
        (("rapport.Rmd", "r.csv\n    compare: {delimiter: ab}"), 6, "one character of"),
        (("rapport.Rmd", "r.Rmd\n    compare: {outputs: maybe}"), 6, "write true or false"),
        (("rapport.Rmd", "r.Rmd\n    pass_mark: 0"), 6, "it must be > 0"),
        (("rapport.Rmd", "r.Rmd\n    weight: .nan"), 6, "is not a number"),
        (("exercises:", "exercises: ["), 3, "not valid YAML"),
        (("rapport.Rmd", "r.Rmd\n    opens: 2026-02-30"), 6, "`2026-02-30` is not a date"),
        (("rapport.Rmd", "r.Rmd\n    closes: 2026-01-01T00:00:00+99:99"), 6, "is not a date"),
        (("rapport.Rmd", f"r.Rmd\n    weight: {'9' * 5000}"), 6, "not valid YAML"),
        (("rapport.Rmd", "r.Rmd\n    attempts: yes"), 6, "`True` is not a number"),
        (("rapport.Rmd", "r.Rmd\n    weight: true"), 6, "`True` is not a number"),
        (
            (
                "rapport.Rmd",
                "r.Rmd\n    opens: 2026-03-02T00:00Z\n    closes: 2026-03-01T00:00Z",
            ),
            3,
            "closes before it opens",
        ),
        (
            ("rapport.Rmd", "r.Rmd\n  - {id: report, title: {fr: a, en: b}, file: b.md}"),
            6,
            "already taken on line 3",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_fix(
    change: tuple[str, str], line: int, words: str
) -> None:
    first = said(LEAST.replace(*change))[0]
    assert first.startswith(f"atelier.yml:{line}: ")
    assert words in first


def test_french_teachers_read_french() -> None:
    assert said(LEAST.replace("report", "Rapport 1"), "fr") == [
        "atelier.yml:3: exercises[1].id: «\u00a0Rapport 1\u00a0»\u00a0: 1 à 63 lettres minuscules"
        " sans accent, chiffres ou tirets, comme «\u00a0pi-2\u00a0»"
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version: 1\n# \xe9t\xe9\n", "atelier.yml:2: not UTF-8"),
        ("", "the file is empty"),
        ("- a\n", "must be a mapping"),
        ("a: " + "[" * 1200, "atelier.yml"),
        ("x" * 600_000, "over 512 KiB"),
        (
            "a: &a [x]\n"
            + "".join(
                f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
                for old, new in zip("abcdef", "bcdefg", strict=True)
            ),
            "too many values",
        ),
    ],
)  # fmt: skip
def test_what_is_no_list_of_exercises_is_refused(content: str | bytes, words: str) -> None:
    assert words in said(content)[0]


def test_an_alias_that_holds_itself_is_told_with_its_line() -> None:
    (line,) = said("version: 1\n\nexercises: &all\n  - *all\n")
    assert line.startswith("atelier.yml:3: ")
    assert "nested too deeply: has an alias itself in it?" in line  # long before memory is short


PROSE = (
    LEAST
    + """\
    prose:
      - {part: mean-3, expects: {number: 62.6, tolerance: 0.1}}
      - {part: 4, expects: {number: expected}}
      - {part: Conclusion, expects: {keywords: [[seed, graine], [version]]}, points: 2}
      - {part: Conclusion, accepted: [one text, un texte], say: {fr: Relisez., en: Read again.}}
      - {part: Discussion, person: true, points: 0.5}
"""
)


def test_parts_in_the_learners_own_words_are_declared() -> None:
    parts = read_exercises(PROSE).exercises[0].rule().prose
    assert [(one.part, one.kind, one.points) for one in parts] == [
        ("mean-3", "number", 1),
        (4, "number", 1),
        ("Conclusion", "keywords", 2),
        ("Conclusion", "accepted", 1),
        ("Discussion", "person", 0.5),
    ]
    assert (parts[0].number, parts[0].tolerance, parts[1].number) == (62.6, 0.1, None)
    assert parts[2].keywords == (("seed", "graine"), ("version",))
    assert dict(parts[3].say) == {"fr": "Relisez.", "en": "Read again."}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("{expects: {number: 1}}", "this key is missing: add for example `part: Conclusion`"),
        ("{part: 0, person: true}", "`0` is no part"),
        ("{part: [a], person: true}", "is no part"),
        ("{part: a}", "say how this part is judged, in one way"),
        ("{part: a, person: true, accepted: [b]}", "say how this part is judged, in one way"),
        ("{part: a, person: false}", "`False` is not possible here: choose one of True"),
        ("{part: a, expects: {}}", "one of the two: `number` or `keywords`"),
        ("{part: a, expects: {number: 1, keywords: [[b]]}}", "`number` or `keywords`"),
        ("{part: a, expects: {number: '62,6'}}", "`62,6` is not a number"),
        ("{part: a, expects: {number: yes}}", "is not a number"),
        ("{part: a, expects: {number: 1, tolerance: -1}}", "it must be ≥ 0"),
        ("{part: a, expects: {keywords: [[b]], tolerance: 1}}", "`tolerance` is for a number only"),
        ("{part: a, expects: {keywords: [b, c]}}", "write groups of words that mean the same"),
        ("{part: a, expects: {keywords: []}}", "such as [[seed, graine], [version]]"),
        ("{part: a, accepted: text}", "`text` is not possible here: write a list of texts"),
        ("{part: a, accepted: ['']}", "write a list of texts"),
        ("{part: a, persn: true}", "is it `person`?"),
        ("{part: a, person: true, points: yes}", "is not a number"),
        ("{part: a, person: true, points: -1}", "it must be ≥ 0"),
    ],
)
def test_mistakes_in_prose_are_told_with_their_line(entry: str, sentence: str) -> None:
    lines = said(LEAST + f"    prose:\n      - {entry}\n")
    assert any(sentence in line for line in lines), lines
    assert all(line.startswith("atelier.yml:7: exercises[1].prose[1]") for line in lines)
    assert len(lines) == 1
    assert said(LEAST + f"    prose:\n      - {entry}\n", "fr") != lines


def test_programs_and_tables_have_no_prose() -> None:
    text = PROSE.replace("rapport.Rmd", "rapport.py")
    assert said(text) == [
        "atelier.yml:3: exercises[1]: `rapport.py` has no prose: `prose` is for notebooks,"
        " Markdown, R Markdown, Org and text"
    ]
