"""The catalogues: each language says everything, nothing else, and in its own typography."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import atelier
import polib
import pytest
from atelier.i18n import translate
from atelier.i18n.translate import (
    CATALOGUES,
    LANGUAGES,
    accepted_language,
    in_language,
    knows,
    language,
    say,
)

SOURCE = Path(str(atelier.__file__)).parent
FILES = {lang: polib.pofile(CATALOGUES / f"{lang}.po") for lang in LANGUAGES}
KEYS = [one.msgid for one in FILES["en"]]
MADE_OF_PARTS = {"exercise_upcoming", "exercise_closed", "check_note_option_missing_hint"}
"""Keys that code puts together, besides those with a beginning of their own."""
BREAKING = re.compile(r"[^\s\u00a0\u202f] (?=[;!?»%]|:(?![\w/]))|« | »")
"""An ordinary space where French wants one that does not break the line."""


def forms(entry: polib.POEntry) -> list[str]:
    """A sentence's plural forms, or the sentence."""
    return [*entry.msgstr_plural.values()] or [entry.msgstr]


def code() -> list[tuple[Path, str]]:
    return [(path, path.read_text()) for path in SOURCE.rglob("*.py")]


def templates() -> list[tuple[Path, str]]:
    return [(path, path.read_text()) for path in SOURCE.rglob("*.html")]


def literals() -> tuple[set[str], set[str]]:
    """Texts in code and templates that may be keys, and beginnings that a key is made of."""
    whole: set[str] = set()
    begun: set[str] = set()
    for _path, text in code():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
    for _path, text in templates():
        whole |= set(re.findall(r'"([a-z0-9_]+)"', text))
        begun |= set(re.findall(r'"([a-z0-9_]+_)" [+~]', text))
    return whole, {one for one in begun if re.fullmatch(r"[a-z0-9]+_(?:[a-z0-9]+_)*", one)} - {
        "exercise_"
    }


def named() -> set[str]:
    """Keys that code and pages certainly use."""
    found: set[str] = set()
    for _path, text in [*code(), *templates()]:
        for pattern in (
            r"""(?:say|page|message|_error)\(\s*"([a-z0-9_]+)"\s*[,)]""",
            r"""say_in\(\w+, "([a-z0-9_]+)\"""",
            r"""(?:TargetError|LaunchError|SpawnError|_problem)\(\s*"([a-z0-9_]+)",""",
            r"""RefusedError\(\s*\d+, "([a-z0-9]+_[a-z0-9_]+)\"""",
            r"""_step = "([a-z_]+)\"""",
            r"""status, key(?:, headers)? = \d+, "([a-z0-9_]+)\"""",
        ):
            found |= set(re.findall(pattern, text))
        found |= {f"step_{step}" for step in re.findall(r"""\b(?:on_)?step\("([a-z]+)"\)""", text)}
        found |= {f"step_{step}" for step in re.findall(r"""\bstep="([a-z]+)\"""", text)}
    templates_of_the_desk = {path.stem for path, _text in templates()}
    # Where only the sentence's language is written, the key is a variable.
    return found - templates_of_the_desk - set(LANGUAGES) | {"step_queued"}


def test_there_are_french_and_english() -> None:
    assert {"en", "fr"} <= set(LANGUAGES)
    assert len(KEYS) > 300


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_language_says_everything_once(lang: str) -> None:
    listed = [one.msgid for one in FILES[lang]]
    assert sorted(listed) == sorted(set(KEYS))
    assert [one.msgid for one in FILES[lang] if not one.translated()] == []
    assert FILES[lang].metadata["Language"] == lang


@pytest.mark.parametrize("lang", LANGUAGES)
def test_placeholders_are_the_same_in_every_language(lang: str) -> None:
    there = translate.catalogue("en")
    fields = r"(?<!{){(\w+)}(?!})"
    for one in FILES[lang]:
        for text in forms(one):
            assert set(re.findall(fields, text)) == set(re.findall(fields, there[one.msgid])), text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_sentences_with_a_number_have_plural_forms(lang: str) -> None:
    """All languages count the same sentences, and none says "(s)"."""
    counted = {one.msgid: one.comment for one in FILES["en"] if one.msgid_plural}
    assert {one.msgid: one.comment for one in FILES[lang] if one.msgid_plural} == counted
    assert all(one.msgid_plural in ("", one.msgid) for one in FILES[lang])
    doubled = {
        one.msgid for one in FILES[lang] for text in forms(one) if re.search(r"\w\(e?s\)", text)
    }
    assert doubled <= {"publish_diverged"}


@pytest.mark.parametrize(
    ("lang", "number", "text"),
    [
        ("en", 0, "0 answers"),
        ("en", 1, "1 answer"),
        ("en", 2, "2 answers"),
        ("fr", 0, "0 réponse"),
        ("fr", 1, "1 réponse"),
        ("fr", 2, "2 réponses"),
    ],
)
def test_a_number_chooses_the_plural_form_of_its_language(
    lang: str, number: int, text: str
) -> None:
    assert say("answers_count", lang, count=number) == text


def test_a_sentence_may_count_another_field() -> None:
    assert say("exercise_left", "fr", left=1, limit=5) == "1 vérification sur 5 restante"
    assert say("exercise_left", "fr", left=2, limit=5) == "2 vérifications sur 5 restantes"


def test_languages_differ() -> None:
    french, english = translate.catalogue("fr"), translate.catalogue("en")
    same = {key for key in KEYS if french[key] == english[key]}
    assert same <= {"site", "contact", "check_kind_code", "check_kind_table", "part_code"}


def test_every_sentence_that_code_or_pages_name_exists() -> None:
    keys = named()
    assert len(keys) > 100
    assert {key for key in keys if not knows(key)} == set()


def test_every_sentence_is_used() -> None:
    whole, begun = literals()
    whole |= MADE_OF_PARTS
    unused = [key for key in KEYS if key not in whole and not key.startswith(tuple(begun))]
    assert unused == []


def test_french_lines_do_not_break_before_punctuation() -> None:
    texts = [text for one in FILES["fr"] for text in forms(one)]
    assert [text for text in texts if BREAKING.search(text)] == []


@pytest.mark.parametrize(
    ("text", "breaks"),
    [
        ("Ouvrir ?", True),
        ("Ouvrir\u202f?", False),
        ("« oui »", True),
        ("«\u00a0oui\u00a0»", False),
        ("Fichier :", True),
        ("Fichier\u00a0: a", False),
        ("écrivez timezone: Europe/Paris ou 08:00", False),
        ("à 3 % près", True),
    ],
)
def test_what_breaks(text: str, breaks: bool) -> None:
    assert bool(BREAKING.search(text)) is breaks


@pytest.mark.parametrize(("path", "text"), templates(), ids=lambda one: getattr(one, "stem", ""))
def test_pages_have_no_words_and_no_language_of_their_own(path: Path, text: str) -> None:
    shown = re.sub(r"(?s){#.*?#}|{{.*?}}|{%.*?%}", " ", text)
    shown = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", shown)
    shown = re.sub(r"&\w+;|\bHTTP\b|\bContact:|class=\"\w+\"", "", shown)
    assert re.findall(r"[^\W\d_]{2,}", shown) == [], path.name
    assert re.findall(r"""["'](?:fr|en)["']""", text) == [], path.name


@pytest.mark.parametrize(
    ("locale", "lang"),
    [("fr", "fr"), ("fr-CA", "fr"), ("FR_fr", "fr"), ("en-GB", "en"), ("de", "en"), (None, "en")],
)
def test_language_of_a_locale(locale: str | None, lang: str) -> None:
    assert language(locale) == lang


def test_language_of_a_browser() -> None:
    assert accepted_language("de, fr;q=0.8, en;q=0.5") == "fr"
    assert accepted_language("en-US,en;q=0.9,fr;q=0.8") == "en"
    assert accepted_language(None) == "en"


def test_a_third_language_is_one_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for lang in LANGUAGES:
        (tmp_path / f"{lang}.po").write_bytes((CATALOGUES / f"{lang}.po").read_bytes())
    (tmp_path / "de.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "back"\nmsgstr "Zurück"\n')
    monkeypatch.setattr(translate, "CATALOGUES", tmp_path)
    monkeypatch.setattr(translate, "LANGUAGES", ("de", *LANGUAGES))
    assert language("de-AT") == "de"
    assert accepted_language("de, en") == "de"
    assert say("back", "de") == "Zurück"
    assert say("copy", "de") == "Copy", "what is not translated yet is in English"
    title = type("", (), {"fr": "Cours", "en": "Course"})()
    assert [in_language(title, lang) for lang in ("de", "fr")] == ["Course", "Cours"]
