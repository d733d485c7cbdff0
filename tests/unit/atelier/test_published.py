"""What the hub reads of a published course."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from atelier.courses.declaration import (
    MAX_BYTES,
    MAX_FILES,
    NamedExercise,
    PublishedCourses,
    describe,
    shown_files,
    write_json,
)
from atelier.exercises.declared import read_exercises
from atelier.hub.web.deep_linking_page import shown

DECLARED = """\
version: 1
exercises:
  - {id: pi, title: {fr: Calculer π, en: Compute π}, file: pi.md}
"""
GOOD = describe("demo", "0" * 40, ["pi.md", "é.md"], read_exercises(DECLARED))


@pytest.fixture
def published(tmp_path: Path) -> PublishedCourses:
    return PublishedCourses(tmp_path)


def test_files_and_exercises_are_those_written(tmp_path: Path, published: PublishedCourses) -> None:
    write_json(tmp_path / "demo.json", GOOD)
    found = published.get("demo")
    assert found is not None
    assert found.files == ("pi.md", "é.md")
    assert found.exercises == (NamedExercise("pi", {"fr": "Calculer π", "en": "Compute π"}),)
    assert shown(found, "fr")["exercises"] == [("pi", "Calculer π")]


def test_the_file_is_read_again_when_it_is_replaced_and_only_then(
    tmp_path: Path, published: PublishedCourses, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "demo.json", GOOD)
    first = published.get("demo")
    monkeypatch.setattr(PublishedCourses, "_read", None)
    assert published.get("demo") is first
    monkeypatch.undo()
    write_json(tmp_path / "demo.json", {**GOOD, "commit": "1" * 40})
    second = published.get("demo")
    assert second is not None
    assert second.commit == "1" * 40


def test_a_course_without_a_list_is_shown_without_files_and_the_log_says_so_once(
    published: PublishedCourses, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert shown(published.get("demo"), "fr") == {"files": [], "exercises": []}
    (said,) = caplog.messages
    assert "demo.json is not there yet" in said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"version":1}',
        b"[" * 100_000,
        b'{"version":1,"commit":"x","files":[],"declared":null,"pad":"' + b"x" * MAX_BYTES + b'"}',
        json.dumps({**GOOD, "version": 2}).encode(),
        json.dumps({**GOOD, "files": 3}).encode(),
        json.dumps({**GOOD, "declared": {"version": 1, "exercises": [{"id": "../x"}]}}).encode(),
    ],
)
def test_what_is_no_list_is_no_error(
    tmp_path: Path, published: PublishedCourses, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    (tmp_path / "demo.json").write_bytes(content)
    assert published.get("demo") is None
    assert "cannot be used" in caplog.text


def test_hidden_files_and_too_many_are_left_out() -> None:
    many = [f"{number:05}.md" for number in range(2 * MAX_FILES)]
    assert shown_files([".hidden", "a/.b/c", *many]) == many[:MAX_FILES]
    assert shown_files(["x" * 2000, "y"]) == ["y"]
    assert len(shown_files(f"{number:05}{'é' * 1000}" for number in range(900))) < 600


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    write_json(path, GOOD)
    before: Any = path.read_bytes()
    with pytest.raises(TypeError):
        write_json(path, {"set": {1}})
    assert path.read_bytes() == before
    assert [left.name for left in tmp_path.iterdir()] == ["demo.json"]
