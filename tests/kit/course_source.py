"""A teacher's repository, a GitLab and a server's folders, for tests of a course's pipeline."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from atelier.cli.course import main

from kit.gitlab_double import TOKEN, Groups, serve

PERSON = {
    f"GIT_{role}_{what}": "t@example.org"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
DECLARED = """\
version: 1
exercises:
  - id: report
    title: {fr: Rapport, en: Report}
    file: report.md
"""


def git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(
        ["git", "-c", "init.defaultBranch=main", *arguments],
        cwd=cwd, env={**os.environ, **PERSON}, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip


class Projects(Groups):
    """Its projects have repositories, bare ones in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def answer_object(self, method: str, kind: str, key: str, body: Any) -> tuple[int, Any]:
        code, found = super().answer_object(method, kind, key, body)
        if kind != "projects" or code >= 400:
            return code, found
        repository = self.folder / "rr1" / f"{found['path']}.git"
        if not repository.exists():
            repository.mkdir(parents=True)
            git("init", "--quiet", "--bare", cwd=repository)
        empty = not git("for-each-ref", cwd=repository)
        return code, {**found, "empty_repo": empty}


@dataclass
class Course:
    """The course `rr1`: its source, GitLab's copy, and what is on the server."""

    root: Path
    gitlab: Projects

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def mirror(self) -> Path:
        return self.state / "templates/rr1.git"

    @property
    def declaration(self) -> Path:
        return self.state / "templates/rr1.json"

    @property
    def template(self) -> Path:
        return self.gitlab.folder / "rr1/template.git"

    @property
    def settings(self) -> Path:
        return self.root / "rr1.yml"

    def write_settings(self, **values: Any) -> None:
        token_file = self.root / "token"
        token_file.write_text(TOKEN)
        written = {
            "slug": "rr1",
            "template": {"repository": str(self.source)},
            "gitlab": {
                "api_url": self.gitlab.url,
                "git_url": str(self.gitlab.folder),
                "token_file": str(token_file),
                "description": "Cours / Course",
                "staff": [{"username": "alice"}],
            },
            **values,
        }
        self.settings.write_text(yaml.safe_dump(written))

    def commit(self, name: str, text: str, where: Path | None = None) -> str:
        folder = where or self.source
        (folder / name).write_text(text)
        git("add", "--all", cwd=folder)
        git("commit", "--quiet", "-m", f"Write {name}", cwd=folder)
        return git("rev-parse", "HEAD", cwd=folder)

    def arguments(self, command: str, *more: str) -> list[str]:
        where = ["--state", str(self.state), "--settings", str(self.settings)]
        return [command, "rr1", "--lang", "en", *where, *more]

    def run(self, command: str = "update", *more: str) -> int:
        mask = os.umask(0o022)
        try:
            return main(self.arguments(command, *more))
        finally:
            os.umask(mask)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / "pipeline/rr1.json").read_text())
        return found

    def head(self, repository: Path) -> str:
        return git("rev-parse", "main", cwd=repository)

    def live(self) -> tuple[str, str, str, list[str]]:
        """What learners get: the mirror, GitLab's template, the list, and the files in it."""
        written = json.loads(self.declaration.read_text())
        return self.head(self.mirror), self.head(self.template), written["commit"], written["files"]


def write_source(root: Path) -> None:
    """Write a teacher's repository with an exercise."""
    source = root / "source"
    source.mkdir()
    git("init", "--quiet", cwd=source)
    (source / "report.md").write_text("# Report\n")
    (source / "atelier.yml").write_text(DECLARED)
    git("add", "--all", cwd=source)
    git("commit", "--quiet", "-m", "Begin", cwd=source)


@contextlib.contextmanager
def course_site(root: Path) -> Iterator[Course]:
    """The course `rr1`, not published yet, and a GitLab that answers."""
    gitlab = Projects(root / "gitlab")
    server = serve(gitlab)
    course = Course(root, gitlab)
    write_source(root)
    course.write_settings()
    try:
        yield course
    finally:
        server.shutdown()
        server.server_close()
