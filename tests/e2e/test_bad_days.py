"""Parts of the site stop while learners are at work: what they saved, and what they do, goes on."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from e2e.visit import Demo, until


def notebook(demo: Demo, client: httpx.Client, user_id: str, **options: str) -> str:
    """Launch a notebook and wait until the server answers; return the server's address."""
    page = demo.enter(client, user_id, target="notebook", **options)
    assert page.status_code < 400, page.text

    def usable() -> str:
        base = server_of(demo, client)
        return base if base and status(client, base) == 200 else ""

    return str(until(usable, "the notebook server answers", 180))


def server_of(demo: Demo, client: httpx.Client) -> str:
    """Return the address of the learner's server, known from the hub's own cookie for it."""
    paths = {cookie.path for cookie in client.cookies.jar if cookie.path.startswith("/user/")}
    found = sorted(path for path in paths if path.rstrip("/").endswith(f"/{demo.course}"))
    if found:
        return demo.hub_url + found[0].rstrip("/")
    page = follow_home(demo, client)
    return demo.hub_url + page if page else ""


def follow_home(demo: Demo, client: httpx.Client) -> str:
    """Enter the server as the hub leads there; return its path once there."""
    from e2e.visit import follow

    answer = follow(client, client.get(f"{demo.hub_url}/hub/atelier/go"))
    path = answer.url.path
    if "/user/" not in path or "/hub/" in path:
        return ""
    return "/".join(path.split("/")[:4])


def status(client: httpx.Client, base: str) -> int:
    """Ask the server whether it lives, as the learner."""
    return client.get(f"{base}/api/status").status_code


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


@pytest.mark.usefixtures("gitlab_down")
def test_with_gitlab_down_a_first_notebook_opens_with_the_courses_files(
    demo: Demo, learner: tuple[str, httpx.Client]
) -> None:
    user_id, client = learner
    base = notebook(demo, client, user_id, name="No Gitlab Today")
    listed = client.get(f"{base}/api/contents/{demo.course}")
    assert listed.status_code == 200
    assert {item["name"] for item in listed.json()["content"]} >= {"notebooks", "journal.md"}


def test_a_restart_of_the_hub_cuts_no_running_notebook_off(
    demo: Demo, learner: tuple[str, httpx.Client]
) -> None:
    user_id, client = learner
    base = notebook(demo, client, user_id, name="Long Computation")
    before = demo.containers("ID", "Names")
    demo.target.run("systemctl", "restart", "--no-block", "atelier-hub")
    answers = [status(client, base) for _ in range(10)]
    until(lambda: demo.target.run("systemctl", "is-active", "atelier-hub") == "active", "the hub")
    assert set(answers) == {200}
    assert demo.containers("ID", "Names") == before
    assert status(client, base) == 200


def test_files_survive_the_end_of_the_server(demo: Demo, learner: tuple[str, httpx.Client]) -> None:
    user_id, client = learner
    base = notebook(demo, client, user_id, name="Comes Back")
    token = client.cookies.get("_xsrf", path=base.removeprefix(demo.hub_url) + "/")
    written = client.put(
        f"{base}/api/contents/{demo.course}/mine.md",
        json={"type": "file", "format": "text", "content": "my work"},
        headers={"X-XSRFToken": token or ""},
    )
    assert written.status_code == 201, written.text
    name = base.split("/")[-2]
    (container,) = [row[0] for row in demo.containers("Names") if name in row[0]]
    demo.target.run("docker", "rm", "--force", container)
    until(lambda: status(client, base) != 200, "the hub has noticed that the server is gone", 90)
    again = notebook(demo, client, user_id, name="Comes Back")
    found = client.get(f"{again}/api/contents/{demo.course}/mine.md")
    assert found.json()["content"] == "my work"


@pytest.mark.parametrize("unit", ["atelier-hub", "atelier-desk", "atelier-proxy"])
def test_a_killed_unit_comes_back_by_itself(demo: Demo, unit: str) -> None:
    before = demo.target.run("systemctl", "show", "-P", "MainPID", unit)
    demo.target.run("systemctl", "kill", "--signal=KILL", unit)

    def back() -> bool:
        now = demo.target.run("systemctl", "show", "-P", "MainPID", unit)
        active = demo.target.run("systemctl", "is-active", unit, check=False)
        return now not in {"0", before} and active == "active"

    until(back, f"{unit} runs again", 60)
    with demo.client() as client:
        until(lambda: client.get(f"{demo.hub_url}/hub/health").status_code == 200, "the hub", 60)
