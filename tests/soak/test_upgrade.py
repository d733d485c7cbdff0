"""A site of the former version is upgraded in place, and its learners lose nothing."""

from __future__ import annotations

import html
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from kit.demo import Demo, follow
from kit.learner import Seat, open_notebook
from world import demo as world_demo
from world import soak, upgrade

SAVED = "# Notes\n\nThis was saved in GitLab before the upgrade.\n"
KEPT = "This was saved in Jupyter only.\n"
DESK = "/services/desk"
EXERCISE = f"{DESK}/courses/demo/exercises/mean"
READ_ATTEMPTS = """
import json, sqlite3
desk = sqlite3.connect("/var/lib/atelier/desk/desk.sqlite")
columns = 'username, course, exercise, "commit", committed, checked, digest, score, comparison'
print(json.dumps(desk.execute(f"select {columns} from attempts order by id").fetchall()))
"""
BROWSER = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Site": "same-origin"}

pytestmark = [
    pytest.mark.skipif(not soak.wanted(), reason="two whole sites: a part of make soak"),
    pytest.mark.timeout(3600),
]


@dataclass
class Person:
    """Somebody of the course in their browser, before and after the upgrade."""

    demo: Demo
    user_id: str
    roles: str = "Student"
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.demo.client(
            **{name.replace("-", "_"): it for name, it in BROWSER.items()}
        )

    def notebook(self) -> Seat:
        """Enter the notebook by a launch."""
        return open_notebook(self.demo, self.client, self.user_id, roles=self.roles)

    def page(self, path: str) -> httpx.Response:
        """A page of the desk, by a launch."""
        options = {"roles": self.roles, "target": "check", "exercise": "mean"}
        self.demo.enter(self.client, self.user_id, **options)
        page = follow(self.client, self.client.get(self.demo.hub_url + path))
        assert page.status_code == 200, f"{page.url}: {page.status_code}\n{page.text[:2000]}"
        return page

    def send(self, page: httpx.Response, path: str, **fields: str) -> httpx.Response:
        """A form on a page of the desk."""
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf, page.text
        answer = self.client.post(
            self.demo.hub_url + path,
            data={"csrf": csrf[1], **fields},
            headers={"Origin": self.demo.hub_url},
        )
        return follow(self.client, answer)


def write(seat: Seat, path: str, text: str) -> None:
    body = {"type": "file", "format": "text", "content": text}
    answer = seat.send("PUT", f"api/contents/{path}", body)
    assert answer.status_code in (200, 201), answer.text


def read(seat: Seat, path: str) -> str:
    answer = seat.get(f"api/contents/{path}?content=1&format=text&type=file")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["content"])


def save(seat: Seat) -> None:
    """Press *Save to GitLab*."""
    asked = {"path": "demo", "message": "Before the upgrade", "lang": "en", "files": None}
    answer = seat.send("POST", "atelier-toolbar/save", asked)
    assert answer.status_code == 200, answer.text
    last = json.loads(answer.text.splitlines()[-1])
    assert "error" not in last, last


def score(page: httpx.Response) -> str:
    """The percentage on an exercise's page, whatever space the version writes before the sign."""
    found = re.search(r'<strong id="score">(\d+)\s*%</strong>', page.text)
    assert found, page.text
    return f"{found[1]}%"


def clones(demo: Demo, user: str, token: str) -> bool:
    """Whether git would take this token for the learner's project."""
    with demo.client() as git:
        answer = git.get(
            f"{demo.gitlab_url}/{user}/demo.git/info/refs",
            params={"service": "git-upload-pack"},
            auth=(user, token),
        )
    return answer.status_code == 200


def attempts(demo: Demo) -> list[list[Any]]:
    """Return what the desk's database has of learners' checks, columns of the former version."""
    found: list[list[Any]] = json.loads(demo.target.run("python3", "-c", READ_ATTEMPTS))
    return found


@pytest.fixture(scope="module")
def former() -> Iterator[Demo]:
    """The site as the former version installs it."""
    try:
        upgrade.install_former()
        yield Demo.read(world_demo.DETAILS)
    finally:
        world_demo.down()


def test_learners_lose_nothing_by_an_upgrade(former: Demo) -> None:
    ada = Person(former, f"ada-{uuid4().hex[:6]}")
    seat = ada.notebook()
    write(seat, "demo/notes-of-ada.md", SAVED)
    save(seat)
    write(seat, "demo/only-here.txt", KEPT)
    checked = ada.send(ada.page(EXERCISE), EXERCISE)
    before = score(checked)
    access = ada.send(ada.page(f"{DESK}/"), f"{DESK}/tokens", label="laptop", days="30")
    shown = re.search(r'<code id="token">([^<]+)</code>', access.text)
    assert shown, access.text
    token = html.unescape(shown[1])
    assert clones(former, seat.user, token)
    assert not clones(former, seat.user, secrets.token_hex(16)), "else the token proves nothing"
    kept = attempts(former)
    assert [one[0] for one in kept] == [seat.user]
    head = former.gitlab(f"projects/{seat.user}%2Fdemo/repository/commits")[0]["id"]
    # The notebook is left open: its server runs on through the upgrade.

    outcome = upgrade.upgrade()
    assert outcome.changed > 0
    assert upgrade.upgrade().changed == 0, "a second run changes nothing"

    assert seat.get("api").status_code == 200, "the open notebook still answers"
    assert read(seat, "demo/only-here.txt") == KEPT
    again = Person(former, ada.user_id)
    seat = again.notebook()
    assert read(seat, "demo/only-here.txt") == KEPT
    seat.stop()
    seat = again.notebook()
    assert read(seat, "demo/only-here.txt") == KEPT
    assert read(seat, "demo/notes-of-ada.md") == SAVED
    write(seat, "demo/after.md", "After the upgrade.\n")
    save(seat)
    commits = former.gitlab(f"projects/{seat.user}%2Fdemo/repository/commits")
    assert commits[0]["id"] != head
    assert head in {one["id"] for one in commits}
    assert clones(former, seat.user, token), "a token made before still clones"
    assert score(again.page(EXERCISE)) == before
    assert attempts(former) == kept
