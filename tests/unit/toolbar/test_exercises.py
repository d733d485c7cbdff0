"""Which files have a button that leads to the check of their answer."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from atelier_toolbar import exercises

from .conftest import Desk, git

DECLARED = """
version: 1
exercises:
  - id: notes
    title: {fr: Notes, en: Notes}
    file: notes.md
  - id: odd
    title: {fr: Drôle, en: Odd}
    file: "exos/l'été & co #1.md"
"""


@pytest.fixture
def site(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the hub tells a learner's server; returns where the template's mirror will be."""
    project = "https://gitlab.campus.example/u1/demo.git"
    git(desk.top, "remote", "set-url", "origin", project)
    mirror = tmp_path / "template.git"
    for name, value in {
        "COURSE": "demo",
        "PROJECT_URL": project,
        "DESK_URL": "http://172.31.0.1:8085/moocs/services/desk",
        "TEMPLATE": str(mirror),
    }.items():
        monkeypatch.setenv(f"ATELIER_{name}", value)
    exercises._in_mirror.cache_clear()
    return mirror


def make_mirror(place: Path, declared: str) -> None:
    work = place.with_suffix(".work")
    git(place.parent, "init", "-q", str(work))
    (work / "atelier.yml").write_text(declared)
    git(work, "add", "-A")
    git(work, "commit", "-qm", "exercises")
    git(place.parent, "clone", "-q", "--bare", str(work), str(place))


def test_a_file_with_an_exercise_leads_to_the_desk(desk: Desk, site: Path) -> None:
    make_mirror(site, DECLARED)
    address = desk.status("notes.md")["check"]
    assert address == "/moocs/services/desk/courses/demo/check?path=notes.md"
    assert desk.status("exo.ipynb")["check"] is None
    assert desk.status("")["check"] is None
    assert desk.status("atelier.yml")["check"] is None


def test_the_desk_is_found_on_the_hub_s_host(
    desk: Desk, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learner's server with a host name of its own has no desk beside it."""
    make_mirror(site, DECLARED)
    monkeypatch.setenv("ATELIER_DESK_PAGES", "https://hub.campus.example:8443/services/desk")
    address = desk.status("notes.md")["check"]
    assert address == (
        "https://hub.campus.example:8443/services/desk/courses/demo/check?path=notes.md"
    )


def test_the_address_holds_a_name_whatever_it_is(desk: Desk, site: Path) -> None:
    make_mirror(site, DECLARED)
    desk.write("exos/l'été & co #1.md", "mine\n")
    parts = urlsplit(desk.status("exos/l'été & co #1.md")["check"])
    assert parse_qs(parts.query) == {"path": ["exos/l'été & co #1.md"]}
    assert not parts.fragment


def test_the_template_decides_and_not_the_learners_copy(desk: Desk, site: Path) -> None:
    make_mirror(site, DECLARED.replace("notes.md", "other.md"))
    desk.write("atelier.yml", DECLARED)
    assert desk.status("notes.md")["check"] is None


def test_without_a_mirror_the_clone_tells(desk: Desk, site: Path) -> None:
    assert not site.exists()
    desk.write("atelier.yml", DECLARED)
    assert desk.status("notes.md")["check"] is not None


def test_another_clone_on_the_server_has_no_exercise(desk: Desk, site: Path) -> None:
    make_mirror(site, DECLARED)
    git(desk.top, "remote", "set-url", "origin", "https://gitlab.campus.example/u1/mine.git")
    assert desk.status("notes.md")["check"] is None


def test_outside_of_a_course_there_is_nothing_to_check(
    desk: Desk, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mirror(site, DECLARED)
    monkeypatch.delenv("ATELIER_DESK_URL")
    assert desk.status("notes.md")["check"] is None


@pytest.mark.parametrize(
    "declared",
    [
        b"",
        b"[]",
        b"exercises: none",
        b"exercises: [1, {file: [2]}, {id: x}]",
        b"exercises: [",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"a: " + b"x" * exercises.MAX_BYTES,
    ],
)
def test_what_is_no_declaration_declares_nothing(declared: bytes) -> None:
    assert exercises.files_of(declared) == frozenset()
