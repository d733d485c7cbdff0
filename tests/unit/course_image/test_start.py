"""The image's entry point: what it becomes, what it writes, and that it always becomes it."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from atelier_notebook import clone, start, texts
from atelier_notebook.texts import Notice, Topic

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ([], (True, ["jupyterhub-singleuser"])),
        (["--ip=0.0.0.0"], (True, ["jupyterhub-singleuser", "--ip=0.0.0.0"])),
        (["jupyterhub-singleuser", "--debug"], (True, ["jupyterhub-singleuser", "--debug"])),
        (["atelier-smoke"], (False, ["atelier-smoke"])),
        (["bash", "-c", "true"], (False, ["bash", "-c", "true"])),
    ],
)
def test_command(given: list[str], becomes: tuple[bool, list[str]]) -> None:
    assert start.command(given) == becomes


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", 'Élodie "É" Martin', "back\\slash", "two\nlines", "[x] # ; = $HOME"]
)
def test_git_reads_the_name_that_was_written(tmp_path: Path, name: str) -> None:
    start.write_identity(
        tmp_path, {"ATELIER_LEARNER_NAME": name, "ATELIER_LEARNER_EMAIL": "u1@example.org"}
    )
    path = tmp_path / ".config/atelier/gitconfig"
    for key, value in (("name", " ".join(name.split())), ("email", "u1@example.org")):
        read = subprocess.run(
            ["git", "config", "--file", str(path), f"user.{key}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert read.stdout == value + "\n"


def test_the_notice_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / start.NOTICE
    start.tell(tmp_path, [Notice(Topic.FROM_TEMPLATE, "demo")], "en")
    text = path.read_text()
    assert text.index("GitLab does not answer") < text.index("GitLab ne répond pas")
    start.tell(tmp_path, [], "en")
    assert not path.exists()


def test_a_learners_own_file_of_that_name_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / start.NOTICE).write_text("my own words\n")
    start.tell(tmp_path, [], "fr")
    assert (tmp_path / start.NOTICE).read_text() == "my own words\n"


def test_every_topic_is_told_in_both_languages() -> None:
    for topic in Topic:
        french, english = (
            texts.sentence(Notice(topic, "demo", "x"), lang) for lang in ("fr", "en")
        )
        assert french
        assert english
        assert french != english
        assert "{" not in french + english


@pytest.mark.parametrize(
    ("lang", "language"),
    [
        ("fr_FR.UTF-8", "fr"),
        ("en_GB.UTF-8", "en"),
        ("C.UTF-8", "en"),
        ("C", "en"),
        ("", "fr"),
        ("ca_ES", "fr"),
    ],
)
def test_language(lang: str, language: str) -> None:
    assert texts.language_of(lang) == language


def test_a_full_disk_gives_up_the_reserve_for_the_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start.keep_reserve(tmp_path)
    reserve = tmp_path / ".config/atelier/reserve"
    real = Path.write_text

    def write_text(path: Path, *arguments: Any, **options: Any) -> int:
        if reserve.exists():
            raise FULL
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", write_text)
    start.tell(tmp_path, [Notice(Topic.DISK_FULL, "demo")], "fr")
    assert "disque est plein" in (tmp_path / start.NOTICE).read_text()


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(start, "write_identity", full)
    monkeypatch.setattr(clone, "prepare", full)
    notices = start.prepare(tmp_path, {"ATELIER_COURSE": "demo"}, 0)
    assert notices == [Notice(Topic.DISK_FULL, "demo")]


@pytest.mark.parametrize("course", ["", "../x", "a/b", ".hidden"])
def test_a_course_is_a_plain_name(tmp_path: Path, course: str) -> None:
    start.prepare(tmp_path, {"ATELIER_COURSE": course}, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".config", "gitconfig"]


@pytest.mark.parametrize(
    ("space", "patience"), [("ready", 8), ("preparing", 28), ("later", 2), (None, 8)]
)
def test_a_space_known_to_be_late_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, space: str | None, patience: float
) -> None:
    seen: list[clone.Wanted] = []

    def prepare(wanted: clone.Wanted, _: float) -> clone.Outcome:
        seen.append(wanted)
        return clone.Outcome("fork")

    monkeypatch.setattr(clone, "prepare", prepare)
    environment = {"ATELIER_COURSE": "demo"} | ({"ATELIER_SPACE": space} if space else {})
    start.prepare(tmp_path, environment, 0)
    assert [wanted.limits.first_word for wanted in seen] == [patience]


@pytest.mark.parametrize("broken", [RuntimeError("x"), FULL, KeyError("y")])
def test_the_server_starts_whatever_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Exception
) -> None:
    became: list[list[str]] = []

    def prepare(*_: object) -> None:
        raise broken

    monkeypatch.setattr(start, "prepare", prepare)
    monkeypatch.setattr(os, "execvp", lambda _, words: became.append(words))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    start.main(["--port=8888"])
    assert became == [["jupyterhub-singleuser", "--port=8888"]]


def test_when_this_container_started() -> None:
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert time.time() - uptime - 5 < start.container_started() <= time.time() + 1


def test_an_unreadable_proc_means_now(tmp_path: Path) -> None:
    assert start.container_started(tmp_path) > 1_700_000_000


def test_the_list_of_fonts_comes_to_a_server_s_own_folder(tmp_path: Path) -> None:
    listed, folder = tmp_path / "listed", tmp_path / "own"
    start.bring_fonts({"MPLCONFIGDIR": str(folder)}, listed)
    assert not folder.exists(), "an image without a list"
    listed.mkdir()
    (listed / "fontlist.json").write_text("{}")
    start.bring_fonts({"MPLCONFIGDIR": str(folder)}, listed)
    assert (folder / "fontlist.json").read_text() == "{}"
    (folder / "fontlist.json").write_text("own")
    start.bring_fonts({"MPLCONFIGDIR": str(folder)}, listed)
    assert (folder / "fontlist.json").read_text() == "own"
    start.bring_fonts({}, listed)
