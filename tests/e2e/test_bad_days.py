"""Parts of the site stop while learners are at work: what they saved, and what they do, goes on."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from kit.demo import Demo, until
from kit.learner import open_notebook


@pytest.fixture
def learner(demo: Demo) -> Iterator[tuple[str, httpx.Client]]:
    """A learner who never came before, with a browser."""
    with demo.client() as client:
        yield uuid4().hex, client


@pytest.fixture
def gitlab_down(demo: Demo) -> Iterator[None]:
    """GitLab is stopped, then comes back."""
    demo.target.run("docker", "stop", "--time", "5", "gitlab")
    yield
    demo.target.run("docker", "start", "gitlab")
    until(lambda: gitlab_answers(demo), "GitLab is back")


def gitlab_answers(demo: Demo) -> bool:
    """Whether GitLab's API answers."""
    try:
        demo.gitlab("version")
    except httpx.HTTPError:
        return False
    return True


def main_pid(demo: Demo, unit: str) -> str:
    """Return the number of a unit's main process, "0" when there is none."""
    return demo.target.run("systemctl", "show", "-P", "MainPID", unit)


def hub_answers(demo: Demo) -> bool:
    """Whether the hub answers through proxy and web server."""
    with demo.client() as client:
        return client.get(f"{demo.hub_url}/hub/health").status_code == 200


@pytest.mark.usefixtures("gitlab_down")
def test_with_gitlab_down_a_first_notebook_opens_with_the_courses_files(
    demo: Demo, learner: tuple[str, httpx.Client]
) -> None:
    user_id, client = learner
    seat = open_notebook(demo, client, user_id, full_name="No Gitlab Today")
    listed = seat.get(f"api/contents/{demo.course}")
    assert listed.status_code == 200
    assert {item["name"] for item in listed.json()["content"]} >= {"notebooks", "journal.md"}


def test_a_restart_of_the_hub_cuts_no_running_notebook_off(
    demo: Demo, learner: tuple[str, httpx.Client]
) -> None:
    user_id, client = learner
    seat = open_notebook(demo, client, user_id, full_name="Long Computation")
    before = demo.containers("ID", "Names")
    hub = main_pid(demo, "atelier-hub")
    demo.target.run("systemctl", "restart", "--no-block", "atelier-hub")
    answers = [seat.get("api/status").status_code for _ in range(10)]
    assert set(answers) == {200}
    until(lambda: main_pid(demo, "atelier-hub") not in {"0", hub}, "the new hub", 60)
    until(lambda: hub_answers(demo), "the hub is back", 60)
    assert demo.containers("ID", "Names") == before
    assert seat.get("api/status").status_code == 200


def test_files_survive_the_end_of_the_server(demo: Demo, learner: tuple[str, httpx.Client]) -> None:
    user_id, client = learner
    seat = open_notebook(demo, client, user_id, full_name="Comes Back")
    mine = f"api/contents/{demo.course}/mine.txt"
    work = {"type": "file", "format": "text", "content": "my work"}
    assert seat.send("PUT", mine, work).status_code == 201
    (container,) = [row[0] for row in demo.containers("Names") if seat.user in row[0]]
    demo.target.run("docker", "rm", "--force", container)
    again = open_notebook(demo, client, user_id, full_name="Comes Back")
    assert again.get(mine).json()["content"] == "my work"


@pytest.mark.parametrize("unit", ["atelier-hub", "atelier-desk", "atelier-proxy"])
def test_a_killed_unit_comes_back_by_itself(demo: Demo, unit: str) -> None:
    before = main_pid(demo, unit)
    demo.target.run("systemctl", "kill", "--signal=KILL", unit)

    def back() -> bool:
        active = demo.target.run("systemctl", "is-active", unit, check=False)
        return main_pid(demo, unit) not in {"0", before} and active == "active"

    until(back, f"{unit} runs again", 60)
    until(lambda: hub_answers(demo), "the hub answers", 60)
