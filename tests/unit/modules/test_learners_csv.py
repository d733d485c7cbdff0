"""Class lists: what is read, and what is told by its line."""

from __future__ import annotations

import csv
import io

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils import _learners_csv
from ansible_collections.mooc.atelier.plugins.module_utils._identity import username
from ansible_collections.mooc.atelier.plugins.module_utils._learners_csv import ListError, Row
from hypothesis import given
from hypothesis import strategies as st

HEAD = "platform,user_id,name,email\n"


def problems(text: str | bytes, platforms: frozenset[str] | None = None) -> list[str]:
    with pytest.raises(ListError) as told:
        _learners_csv.read(text.encode() if isinstance(text, str) else text, platforms)
    return told.value.problems


def test_a_good_list() -> None:
    rows = _learners_csv.read((HEAD + "fun,a1,Ada,ada@example.org\nfun,b2,,\n").encode())
    assert rows == [
        Row(2, "fun", "a1", "Ada", "ada@example.org"),
        Row(3, "fun", "b2", None, None),
    ]
    assert rows[0].username == username("fun", "a1")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spreadsheets_of_all_countries(delimiter: str, ending: str, mark: str) -> None:
    lines = ["Email|User_ID|Platform", "z@example.org|a1|fun", "", '""|"b, 2; c"|fun']
    text = mark + ending.join(line.replace("|", delimiter) for line in lines)
    rows = _learners_csv.read(text.encode())
    assert [(row.line, row.user_id, row.email) for row in rows] == [
        (2, "a1", "z@example.org"),
        (4, "b, 2; c", None),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("fun,,Ada,", "line 2: user_id is missing"),
        (",a1,Ada,", "line 2: platform is missing"),
        ("fun,a1,=1+1,", "line 2: name begins with '=', which spreadsheets take for a formula"),
        ("fun,+a1,Ada,", "line 2: user_id begins with '+', which spreadsheets take for a formula"),
        ("fun,a1,@SUM(1),", "line 2: name begins with '@', which spreadsheets take for a formula"),
        ("fun,a1, -2,", "line 2: name begins with '-', which spreadsheets take for a formula"),
        ("fun,a1,A\x07da,", "line 2: name holds a control character"),
        ("fun,a1,Ada,ada", "line 2: 'ada' is not an e-mail address"),
        ("fun,a1,Ada", "line 2: 3 cells where the first line has 4"),
        ("fun,a1," + "x" * 128 + ",", "line 2: name is longer than 127 characters"),
    ],
)
def test_bad_rows(row: str, problem: str) -> None:
    assert problems(HEAD + row + "\n") == [problem]


def test_everything_is_told_at_once_with_the_right_lines() -> None:
    text = HEAD + (
        'fun,a1,"two\nlines",x@example.org\nfun,a2,Ada,X@example.org\n\nfun,a2,Ada,\nmoon,a1,Ada,\n'
    )
    assert problems(text, frozenset({"fun"})) == [
        "line 2: name holds a control character",
        "line 4: the same e-mail address as on line 2",
        "line 6: the same learner as on line 4",
        "line 7: the platform 'moon' is not one of this site's (fun)",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "line 1: the file is empty"),
        (b"platform,user_id\n", "line 2: there is no learner in the file"),
        (b"platform,name\nfun,Ada\n", "line 1: the column user_id is missing"),
        (b"platform,user_id,name,name\nfun,1,a,b\n", "line 1: the column name is there twice"),
        (
            "platform,user_id\nfun,1".encode("utf-16"),
            "line 1: the file is UTF-16: save it as CSV UTF-8",
        ),
        (b'platform,user_id\nfun,"1\n', "line 2: unexpected end of data"),
    ],
)
def test_bad_files(text: bytes, problem: str) -> None:
    assert problems(text) == [problem]


def test_misspelt_columns_are_not_silently_lost() -> None:
    (problem,) = problems("platform,user_id,e-mail\nfun,1,a@example.org\n")
    assert problem.startswith("line 1: unknown column 'e-mail'")


def test_what_spreadsheets_and_web_pages_do_to_ids() -> None:
    text = (
        "platform,user_id,name,email\n"
        "fun,1.23457E+11,,\n"
        "fun,\u200b2,Zo\u00e9 \u200d,\n"
        "fun,3,,a@example.org\ufeff\n"
    )
    assert problems(text) == [
        "line 2: user_id '1.23457E+11' is a number that a spreadsheet has rounded: export the list "
        "again, with this column as text",
        "line 3: user_id holds a character that is not seen (U+200B)",
        "line 4: email holds a character that is not seen (U+FEFF)",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_ends_of_all_systems(end: str) -> None:
    rows = _learners_csv.read(end.join(["platform,user_id", "fun,1", "fun,2", ""]).encode())
    assert [(row.line, row.user_id) for row in rows] == [(2, "1"), (3, "2")]


def test_other_encodings_are_told_by_line() -> None:
    found = problems("platform,user_id,name\nfun,1,Ada\nfun,2,René\n".encode("latin-1"))
    assert found == ["line 3: not UTF-8 (byte 0xe9 at position 10): save the file as CSV UTF-8"]


def test_a_thousand_problems_are_told_in_a_bounded_message() -> None:
    text = HEAD + "fun,,,\n" * 1000
    with pytest.raises(ListError) as told:
        _learners_csv.read(text.encode())
    assert len(told.value.problems) == 1000
    assert str(told.value).endswith("; and 950 more")


ID = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Z")), min_size=1)


@given(
    st.lists(
        ID.filter(lambda text: not text.startswith(_learners_csv._FORMULA)).filter(
            lambda text: not _learners_csv._SHORTENED.fullmatch(text)
        ),
        unique=True,
        min_size=1,
    )
)
def test_whatever_an_id_holds_it_arrives_as_it_is(ids: list[str]) -> None:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["platform", "user_id"])
    writer.writerows(["fun", identity] for identity in ids)
    rows = _learners_csv.read(written.getvalue().encode())
    assert [row.user_id for row in rows] == [identity.strip() for identity in ids]
