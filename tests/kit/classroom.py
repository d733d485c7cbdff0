"""A class for the tests: real `ansible-playbook` runs against a stand-in, and what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitlab import Gitlab
from gitlab_standin.testing import Standin
from world import venv

from kit import modules, playbook

PROVIDER = "oauth2_generic"
Task = dict[str, Any]


@dataclass(frozen=True)
class Played:
    """What one run of a playbook said.

    Attributes:
        results: of each task, in order.
        written: everything it wrote, on both streams.
    """

    returncode: int
    results: list[dict[str, Any]]
    written: str

    def last(self) -> dict[str, Any]:
        return self.results[-1]


@dataclass
class Classroom:
    """One test's learners: usernames begin with ``prefix``.

    Attributes:
        url: where the modules look for GitLab: the stand-in, or a proxy before it.
    """

    standin: Standin
    prefix: str
    folder: Path
    url: str
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.token_file = self.folder / "token"
        self.token_file.write_text(self.standin.root_token + "\n")
        self.token_file.chmod(0o600)

    @property
    def gitlab(self) -> Gitlab:
        return self.standin.gitlab

    def learner(self, number: int, **changes: Any) -> dict[str, Any]:
        name = f"{self.prefix}{number:03d}"
        return {
            "username": name,
            "name": f"Learner {number}",
            "email": f"{name}@example.org",
        } | changes

    def learners(self, count: int, first: int = 0) -> list[dict[str, Any]]:
        return [self.learner(number) for number in range(first, first + count)]

    def names(self, count: int) -> list[str]:
        return [one["username"] for one in self.learners(count)]

    def accounts(self) -> dict[str, Any]:
        """This class's accounts, as python-gitlab sees them, by username."""
        users = self.gitlab.users.list(iterator=True, search=self.prefix, per_page=100)
        return {user.username: user for user in users if user.username.startswith(self.prefix)}

    def task(self, module: str, *, expected: bool = True, **arguments: Any) -> Task:
        """A task; ``expected=False`` for one that is to fail."""
        task: Task = {
            f"mooc.atelier.{module}": {
                "api_url": self.url,
                "token_file": str(self.token_file),
                **arguments,
            }
        }
        if not expected:
            task["ignore_errors"] = True
        return task

    def play(
        self,
        *tasks: Task,
        options: Sequence[str] = (),
        callback: str = "ansible.posix.json",
        env: Mapping[str, str] | None = None,
    ) -> Played:
        """Run the tasks, one after the other, as one playbook on this machine."""
        done = playbook.run(
            *LOCAL,
            *options,
            self._write(tasks),
            cwd=self.folder,
            env=self._environment(callback, env),
        )
        return played(done.returncode, done.stdout + done.stderr)

    def prepare(self, task: Task) -> dict[str, Any]:
        """Run one task's module in this process, for what does not depend on Ansible; its result.

        A test's first accounts and forks are made in a tenth of a playbook's time.
        """
        ((name, arguments),) = [item for item in task.items() if item[0] != "ignore_errors"]
        result = modules.run(name.rpartition(".")[2], **arguments).result
        assert "ignore_errors" in task or not result.get("failed"), result
        return result

    def start(
        self,
        *tasks: Task,
        options: Sequence[str] = (),
        callback: str = "ansible.posix.json",
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Begin such a run, as a process that stays what its command says, to be killed."""
        return subprocess.Popen(
            [venv.program("ansible-playbook"), *LOCAL, *options, str(self._write(tasks))],
            env=self._environment(callback, env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
        )

    def _write(self, tasks: Sequence[Task]) -> Path:
        file = self.folder / f"play{threading.get_ident()}.yml"
        file.write_text(
            json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}])
        )
        return file

    def _environment(self, callback: str, env: Mapping[str, str] | None) -> dict[str, str]:
        return environment(self.folder, {"ANSIBLE_STDOUT_CALLBACK": callback, **(env or {})})


LOCAL = [
    *("-i", "localhost,", "-c", "local"),
    *("-e", f"ansible_python_interpreter={sys.executable}"),
]


def environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Ansible finds the checkout as `mooc.atelier` and keeps its things in `home`."""
    return {
        **os.environ,
        **playbook.environment(),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "TMPDIR": str(home),
        **extra,
    }


def played(returncode: int, out: str) -> Played:
    """Take the JSON out of what a run wrote."""
    results: list[dict[str, Any]] = []
    start = out.find('\n{\n    "custom_stats"') if not out.startswith("{") else 0
    if start >= 0:
        report, _ = json.JSONDecoder().raw_decode(out[start:].lstrip())
        results = [task["hosts"]["localhost"] for play in report["plays"] for task in play["tasks"]]
    return Played(returncode, results, out)


def writes(result: dict[str, Any]) -> int:
    """How many writing requests a module sent."""
    count: int = result["requests"]["write"]
    return count
