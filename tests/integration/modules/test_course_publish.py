"""Role course's tasks that publish a course, on folders that stand for the server's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kit import playbook
from kit.classroom import LOCAL, environment
from kit.course_source import DECLARED, Course, course_site
from world import paths

ROLE = paths.ROOT / "roles/course"


@dataclass
class Play:
    """What a run of the tasks printed."""

    code: int
    output: str

    @property
    def changed(self) -> bool:
        assert self.code == 0, self.output
        return "changed=0 " not in self.output


class Server:
    """Folders that stand for the server's, and the role's tasks for them."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.folder = course.root
        self.etc, self.bin = self.folder / "etc", self.folder / "bin"
        for folder in (self.etc, self.bin, course.state / "sources", course.state / "templates"):
            folder.mkdir(parents=True)
        command = self.bin / "atelier-course"
        command.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path[:0] = {sys.path!r}\n"
            "from atelier.cli.course import main\nsys.exit(main())\n"
        )
        command.chmod(0o755)

    def _here(self, text: str) -> str:
        """The role's text, with these folders in the place of the server's."""
        text = text.replace("/opt/atelier/venv/bin", str(self.bin))
        text = text.replace("/etc/atelier", str(self.etc))
        return text.replace("/var/lib/atelier", str(self.course.state))

    def run(self, *options: str, **course: Any) -> Play:
        """Run the tasks for a course of the inventory."""
        variables: dict[str, Any] = {}
        for part in ("defaults", "vars"):
            variables |= yaml.safe_load(self._here((ROLE / f"{part}/main.yml").read_text()))
        source = {} if "directory" in course else {"repository": str(self.course.source)}
        variables |= {
            "__course_tools_there": True,
            "__course_seen": {"exists": {str(self.course.state / "sources/rr1"): True}},
            "atelier_domain": "campus.example",
            "course_gitlab_api_url": self.course.gitlab.url,
            "course_token_file": str(self.folder / "token"),
            "course_course": {"slug": "rr1", "title": {"fr": "C", "en": "C"}, **source, **course},
        }
        tasks = yaml.safe_load(self._here((ROLE / "tasks/publish.yml").read_text()))
        for task in tasks:
            for one in task.get("mooc.atelier.files", {}).get("files", []):
                one |= {"owner": "", "group": ""}
            if "mooc.atelier.course_update" in task:
                arguments = task["mooc.atelier.course_update"]
                arguments["state_directory"] = str(self.course.state)
                git_url = {"gitlab": {"git_url": str(self.course.gitlab.folder)}}
                arguments["settings"] = (
                    f"{{{{ __course_pipeline | combine({git_url}, recursive=true) }}}}"
                )
        play = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]
        book = self.folder / "play.yml"
        book.write_text(json.dumps(play))
        env = environment(self.folder, {})
        done = playbook.run(*LOCAL, *options, book, cwd=Path.cwd(), env=env)
        return Play(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with course_site(tmp_path) as course:
        yield Server(course)


def test_a_course_is_published_and_a_mistake_changes_nothing(server: Server) -> None:
    course = server.course
    shown = server.run("--check", "--diff")
    assert shown.changed
    made = course.head(course.source)
    assert f"template on the server: {made}" in shown.output.replace('"', "")
    assert not course.mirror.exists()
    assert server.run().changed
    assert course.live()[:3] == (made, made, made)
    assert not server.run().changed
    assert not server.run("--check").changed
    before = course.live()
    course.commit("atelier.yml", DECLARED.replace("id: report", "id: Report"))
    for options in (["--check"], []):
        refused = server.run(*options)
        assert refused.code
        assert "atelier.yml:3: exercises[1].id: `Report`" in refused.output
        assert course.live() == before
    settings = (server.etc / "sources.d/rr1.yml").read_text()
    assert yaml.safe_load(settings)["template"]["repository"] == str(course.source)


def test_a_directory_of_the_controller_is_published(server: Server) -> None:
    folder = server.folder / "controller"
    folder.mkdir()
    (folder / "a.md").write_text("a\n")
    assert server.run(directory=str(folder), start_file="a.md").changed
    assert server.course.live()[3] == ["a.md"]
    assert not server.run(directory=str(folder), start_file="a.md").changed
    refused = server.run(directory=str(folder), start_file="b.md")
    assert "b.md: start_file: this file is missing" in refused.output
