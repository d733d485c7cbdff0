"""Code in colours: what is what, whatever the code is."""

from __future__ import annotations

import re

import pytest
from atelier.desk.pages.colours import _LANGUAGES, coloured, knows
from hypothesis import given
from hypothesis import strategies as st

HOSTILE = [
    "'",
    '"',
    "'''",
    '"""',
    "\\",
    "'''\\",
    'r"(',
    "#",
    "`",
    "1e",
    "rb'",
    "é",
    "\n",
    "$((",
    "NA",
]
LANGUAGES = st.sampled_from(["python", "R", "bash"])


def kinds(code: str, language: str) -> dict[str, str]:
    return {text: kind for kind, text in coloured(code, language) if kind}


def test_python() -> None:
    code = '''for x in range(10):  # "no" string
    f"""two
lines""" + rb'a\\'b' + 'unclosed
    imported = 3.5e-3 if forx else None
'''
    assert kinds(code, "python") == {
        "for": "k", "in": "k", "if": "k", "else": "k", "None": "k",
        "10": "m", "3.5e-3": "m",
        '# "no" string': "c",
        'f"""two\nlines"""': "s", "rb'a\\'b'": "s", "'unclosed": "s",
    }  # fmt: skip


def test_r() -> None:
    code = 'if.then <- function(x) `my name` + 1e-3 # it\'s\nNA_real_; "a\nb"; in_range'
    assert kinds(code, "r") == {
        "function": "k", "NA_real_": "k", "`my name`": "s", "1e-3": "m", "# it's": "c",
        '"a\nb"': "s",
    }  # fmt: skip


def test_shell() -> None:
    code = "for f in *.csv; do echo ${#f} 'it is' \"$f # no\"; done # end"
    assert kinds(code, "sh") == {
        "for": "k", "in": "k", "do": "k", "done": "k", "'it is'": "s", '"$f # no"': "s",
        "# end": "c",
    }  # fmt: skip


def test_other_languages_have_none() -> None:
    assert knows("Python")
    assert not knows("fortran")


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=9)).map("".join), LANGUAGES)
def test_the_pieces_are_the_code(code: str, language: str) -> None:
    assert "".join(text for _, text in coloured(code, language)) == code


@pytest.mark.parametrize("piece", [*HOSTILE, "''\\", "'''\\\\", '"\\', "a'b\"c", "''''"])
@pytest.mark.parametrize("language", ["python", "r", "sh"])
def test_a_long_piece_of_nonsense_ends_too(piece: str, language: str) -> None:
    """Where the time grew with the square of the length, this would take hours."""
    code = piece * (400_000 // len(piece))
    assert sum(len(text) for _, text in coloured(code, language)) == len(code)


@pytest.mark.parametrize("language", sorted(_LANGUAGES))
def test_colours_are_the_same_on_debian_12(language: str) -> None:
    # Its Python, 3.11.2, gives up in the middle of a possessive quantifier, as in `(?:a|b)*+`.
    assert not re.search(r"(?<!\\)[*+?}]\+", _LANGUAGES[language].pattern)
