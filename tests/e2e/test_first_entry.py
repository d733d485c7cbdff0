"""First entries: one account and one fork, however often one clicks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from kit.demo import Demo, follow, until
from kit.platform11 import launch_form

LAUNCHES = 10


def spaces(demo: Demo, name: str) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return the GitLab accounts with a displayed name, and their projects."""
    accounts = [
        user for user in demo.gitlab("users", search=name, per_page=100) if user["name"] == name
    ]
    projects = [
        project
        for account in accounts
        for project in demo.gitlab(f"users/{account['id']}/projects", per_page=100)
    ]
    return accounts, projects


@pytest.mark.parametrize("target", ["gitlab", "notebook"])
def test_ten_launches_at_once_make_one_account_and_one_fork(demo: Demo, target: str) -> None:
    user_id = uuid4().hex
    name = f"Ten Clicks {user_id[:8]}"
    address = f"{demo.hub_url}/hub/lti/launch"
    together = threading.Barrier(LAUNCHES)

    def click(_: int) -> int:
        form = launch_form(
            address, demo.consumer_key, demo.consumer_secret, user_id, full_name=name,
            email=f"{user_id}@example.org", locale="en", target=target,
        )  # fmt: skip
        with demo.client() as client:
            together.wait()
            return follow(client, client.post(address, data=form)).status_code

    with ThreadPoolExecutor(LAUNCHES) as pool:
        codes = list(pool.map(click, range(LAUNCHES)))
    assert set(codes) <= {200, 202}, codes

    until(lambda: spaces(demo, name)[1], "the fork is there")
    accounts, projects = spaces(demo, name)
    assert len(accounts) == 1
    assert [project["path"] for project in projects] == [demo.course]
    project = projects[0]
    assert project["forked_from_project"]["path_with_namespace"] == f"{demo.course}/template"  # type: ignore[index]
    assert project["visibility"] == "private"
    assert [
        (identity["provider"], identity["extern_uid"])
        for identity in demo.gitlab(f"users/{accounts[0]['id']}")["identities"]
    ] == [("oauth2_generic", accounts[0]["username"])]

    def servers() -> list[list[str]]:
        rows = demo.containers("Names")
        return [row for row in rows if str(accounts[0]["username"]) in row[0]]

    if target == "notebook":
        until(servers, "the notebook server is there")
        assert len(servers()) == 1
    else:
        assert servers() == []


def test_a_launch_with_another_secret_is_refused_in_plain_words(demo: Demo) -> None:
    address = f"{demo.hub_url}/hub/lti/launch"
    form = launch_form(address, demo.consumer_key, "x" * 40, "somebody", locale="en")
    with demo.client() as client:
        answer = follow(client, client.post(address, data=form))
    assert answer.status_code in {400, 401, 403}
    assert answer.headers["content-type"].startswith("text/html")
    assert "Traceback" not in answer.text


def test_the_same_launch_twice_is_refused_the_second_time(demo: Demo) -> None:
    address = f"{demo.hub_url}/hub/lti/launch"
    form = launch_form(
        address, demo.consumer_key, demo.consumer_secret, uuid4().hex, locale="en", target="gitlab"
    )
    with demo.client() as client:
        assert client.post(address, data=form).status_code == 302
    with demo.client() as stranger:
        assert stranger.post(address, data=form).status_code in {400, 401, 403}
