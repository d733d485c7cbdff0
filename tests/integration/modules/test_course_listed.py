"""What role course takes off the server: keys and courses that the inventory does not list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kit import playbook
from kit.classroom import LOCAL, environment
from world import paths

ROLE = paths.ROOT / "roles/course"
CONSUMERS = [{"key": "fun", "platform": "fun", "secret": "a-secret" * 4}]
LEAKED = {"key": "leaked", "platform": "fun", "secret": "another-" * 4}
REGISTRATION = {
    "key": "fun-13",
    "platform": "fun",
    "issuer": "https://lms.fun.example",
    "client_ids": ["tool"],
    "deployment_ids": ["1"],
    "auth_login_url": "https://lms.fun.example/auth",
    "jwks_url": "https://lms.fun.example/keys",
}


class Server:
    """A folder that stands for the server's ``/etc/atelier``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        for name in ("courses.d", "sources.d"):
            (self.etc / name).mkdir(parents=True)
        self._tasks = []
        for name in ("consumers", "registrations"):
            text = (ROLE / f"tasks/{name}.yml").read_text()
            self._tasks += yaml.safe_load(self._here(text).replace("group: atelier", "group: ''"))

    def _here(self, text: str) -> str:
        """The role's text, with this folder in the place of the server's."""
        return text.replace("/etc/atelier", str(self.etc)).replace("owner: root", "owner: ''")

    def run(self, **inventory: Any) -> None:
        """Run the role's tasks that keep keys and platforms."""
        variables: dict[str, Any] = {}
        for part in ("defaults", "vars"):
            variables |= yaml.safe_load(self._here((ROLE / f"{part}/main.yml").read_text()))
        variables |= {
            "__course_tools_there": True,
            "__course_check_there": False,
            "__course_group_there": True,
            "ansible_managed": "by a test",
            **inventory,
        }
        tasks = json.loads(json.dumps(self._tasks))
        tasks[0]["mooc.atelier.lti_consumers"] |= {"owner": None, "group": None, "path": str(
            self.etc / "consumers.yml")}  # fmt: skip
        for one in tasks[1]["mooc.atelier.files"]["files"]:
            one |= {"owner": "", "group": ""}
            if "template" in one:
                one["template"] = str(ROLE / "templates" / one["template"])
        play = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]
        book = self.folder / "play.yml"
        book.write_text(json.dumps(play))
        done = playbook.run(*LOCAL, book, cwd=Path.cwd(), env=environment(self.folder, {}))
        assert done.returncode == 0, done.stdout + done.stderr

    def keys(self) -> set[str]:
        """Consumers' and registrations' keys on the server."""
        found = set()
        for name in ("consumers", "registrations"):
            data = yaml.safe_load((self.etc / f"{name}.yml").read_text())
            found |= {one["key"] for one in data[name]}
        return found

    def courses(self) -> set[str]:
        """Slugs of the courses on the hub."""
        found = {path.stem for path in (self.etc / "courses.d").glob("*.yml")}
        assert found == {path.stem for path in (self.etc / "sources.d").glob("*.yml")}
        return found


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_an_entry_that_was_deleted_from_the_inventory_is_gone_from_the_server(
    server: Server,
) -> None:
    joined = server.folder / "joined-registrations.yml"
    joined.write_text("version: 1\nregistrations: []\n")
    server.run(
        atelier_consumers=[*CONSUMERS, LEAKED],
        atelier_registrations=[REGISTRATION, {**REGISTRATION, "key": "old", "client_ids": ["o"]}],
        atelier_courses=[{"slug": "rr1"}, {"slug": "rr2"}],
    )
    for slug in ("rr1", "rr2"):
        for name in ("courses.d", "sources.d"):
            (server.etc / f"{name}/{slug}.yml").write_text("{}")
    assert server.keys() == {"fun", "leaked", "fun-13", "old"}
    server.run(
        atelier_consumers=CONSUMERS,
        atelier_registrations=[REGISTRATION],
        atelier_courses=[{"slug": "rr1"}],
    )
    assert server.keys() == {"fun", "fun-13"}
    assert server.courses() == {"rr1"}
    assert joined.exists(), "platforms that registered themselves are the hub's"
    server.run(atelier_consumers=[], atelier_registrations=[], atelier_courses=[])
    assert server.keys() == set()
    assert server.courses() == {"rr1"}, "an inventory without courses takes none off"
