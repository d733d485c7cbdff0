"""Role course's way to the server's command: its result, its differences, its failures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kit.course_source import DECLARED, Course, course_site
from kit.gitlab_double import TOKEN
from kit.modules import Ran, run


@pytest.fixture
def course(tmp_path: Path) -> Iterator[Course]:
    with course_site(tmp_path) as made:
        yield made


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """The server's command, whose arguments and settings are kept."""
    path = tmp_path / "atelier-course"
    path.write_text(
        f"#!/bin/sh\necho $* >> {tmp_path}/arguments\n"
        f'exec {sys.executable} -c "import sys; from atelier.cli.course import main;'
        ' sys.exit(main())" "$@"\n'
    )
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))


def update(course: Course, command: Path, *, check: bool = False) -> Ran:
    settings: dict[str, Any] = yaml.safe_load(course.settings.read_text())
    where = {"command": str(command), "state_directory": str(course.state)}
    return run("course_update", check=check, slug="rr1", settings=settings, **where)


def test_it_publishes_once_and_says_what_a_dry_run_would_change(
    course: Course, command: Path
) -> None:
    ran = update(course, command, check=True)
    made = course.head(course.source)
    assert ran.changed
    assert ran.result["diff"]["after"]["template on the server"] == made
    assert not course.state.exists()
    assert update(course, command).changed
    assert course.live()[:3] == (made, made, made)
    assert not update(course, command).changed
    assert not update(course, command, check=True).changed
    second = course.commit("more.md", "more\n")
    shown = update(course, command, check=True).result["diff"]
    assert shown["before"]["template in GitLab"] == made
    assert shown["after"]["template in GitLab"] == second
    assert course.head(course.mirror) == made


def test_a_mistake_fails_with_its_line_and_changes_nothing(course: Course, command: Path) -> None:
    update(course, command)
    before = course.live()
    course.commit("atelier.yml", DECLARED.replace("id: report", "id: Report"))
    for check in (True, False):
        ran = update(course, command, check=check)
        assert "atelier.yml:3: exercises[1].id: `Report`" in ran.failure
        assert not ran.result["changed"]
        assert course.live() == before


def test_the_token_is_in_no_argument_and_no_result(course: Course, command: Path) -> None:
    ran = update(course, command)
    assert TOKEN not in ran.written
    assert TOKEN not in (command.parent / "arguments").read_text()


def test_a_server_without_the_command(course: Course, tmp_path: Path) -> None:
    assert update(course, tmp_path / "nothing", check=True).changed
    assert "role jupyterhub installs it" in update(course, tmp_path / "nothing").failure


def test_a_command_that_does_not_answer_is_told(course: Course, tmp_path: Path) -> None:
    command = tmp_path / "atelier-course"
    command.write_text("#!/bin/sh\ncat >/dev/null\nexit 1\n")
    command.chmod(0o755)
    assert "ends with code 1" in update(course, command).failure


def test_a_command_that_does_not_read_its_settings_is_told(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.run_command", write)
    assert "ended before it read" in update(course, Path("/bin/false")).failure
