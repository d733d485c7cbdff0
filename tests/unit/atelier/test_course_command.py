"""Command `atelier-course`: its steps, its settings, its status."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from atelier.courses.git import GitError
from atelier.courses.publish import _explained
from atelier.i18n.translate import say
from kit.course_source import DECLARED, Course, course_site

WRONG = DECLARED.replace("id: report", "id: Report")


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    with course_site(tmp_path) as made:
        yield made


def test_each_step_does_its_part_alone(course: Course) -> None:
    course.run()
    before = course.live()
    made = course.commit("more.md", "more\n")
    assert course.run("pull") == 0
    assert course.run("check") == 0
    assert course.live() == before
    assert course.status()["checked"]["commit"] == made
    assert course.run("publish") == 0
    assert course.live()[0] == made


def test_nothing_is_published_before_something_was_fetched(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert course.run("publish") == 1
    assert "run `atelier-course pull rr1` first" in capsys.readouterr().err
    assert not course.mirror.exists()


def test_a_password_in_an_address_is_refused_without_repeating_it(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "https://me:hunter2@git.example.org/x.git"
    course.write_settings(template={"repository": address})
    assert course.run() == 1
    said = capsys.readouterr().err
    assert "has a password in it" in said
    written = [path.read_text() for path in course.state.rglob("*.json")]
    assert "hunter2" not in "".join((said, *written))


def test_the_status_is_told_in_words_and_as_json(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say("publish_live_none", "fr") == "Rien n’est encore publié."
    course.run()
    live = course.head(course.mirror)
    refused = course.commit("atelier.yml", WRONG)
    course.run()
    capsys.readouterr()
    for lang, words in (("fr", "minuscules"), ("en", "lower-case")):
        where = ["--state", str(course.state), "--lang", lang]
        assert run_status(where) == 0
        said = capsys.readouterr().out
        assert live[:12] in said
        assert refused[:12] in said
        assert "atelier.yml:3: exercises[1].id" in said
        assert words in said
    assert run_status(["--state", str(course.state), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"]["commit"] == refused


def run_status(more: list[str]) -> int:
    from atelier.cli.course import main

    return main(["status", "rr1", *more])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "role course writes it"),
        ("slug: [", "rr1.yml"),
        ("slug: rr1\n", "template"),
        ("slug: rr1\ntemplate: {}\ngitlab: {}\n", "has neither repository nor directory"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    course: Course, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    if content is None:
        course.settings.unlink()
    else:
        course.settings.write_text(content)
    assert course.run() == 1
    assert words in capsys.readouterr().err
    assert not course.mirror.exists()


def test_another_courses_settings_are_refused(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    course.write_settings(slug="rr2")
    assert course.run() == 1
    assert "is the file of the course rr2, not of rr1" in capsys.readouterr().err


def test_what_git_says_is_the_same_in_both_places(course: Course) -> None:
    from atelier.courses import source
    from atelier.courses.git import Repository, check_address

    with pytest.raises(GitError) as raised:
        check_address("https://me:x@git.example.org/x")
    said = _explained(raised.value)
    assert say(said["key"], "en", **said["fields"]) == str(raised.value)
    with pytest.raises(GitError) as raised:
        source.branch_tip(Repository(course.source / ".git"), str(course.source), "nope")
    said = _explained(raised.value)
    assert say(said["key"], "en", **said["fields"]) == str(raised.value)


def test_the_proxies_are_for_the_source_alone(
    course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    helper = tmp_path / "bin/ssh"
    helper.parent.mkdir()
    helper.write_text(f"#!/bin/sh\necho proxy=$https_proxy > {seen}\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    course.write_settings(template={"repository": "git@elsewhere.example:x.git"})
    assert course.run() == 1
    assert seen.read_text() == "proxy=http://proxy.example:3128\n"
    assert "https_proxy" not in os.environ
