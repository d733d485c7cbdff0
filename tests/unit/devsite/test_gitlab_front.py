"""The addresses on GitLab's host that let one browser be a learner, then a teacher."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from devsite import gitlab_front
from starlette.responses import PlainTextResponse


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gitlab_front.HUB, "http://hub")


def get(address: str) -> httpx.Response:
    """Ask for an address of GitLab's host."""

    async def ask() -> httpx.Response:
        front = gitlab_front.front(PlainTextResponse("GitLab's own"))
        transport = httpx.ASGITransport(front)
        async with httpx.AsyncClient(transport=transport, base_url="http://gitlab") as client:
            return await client.get(address)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/-/atelier/enter?to=/ada/demo/-/blob/main/a%20b.org", "/ada/demo/-/blob/main/a%20b.org"),
        ("/-/atelier/enter?to=//elsewhere.example", "/"),
        ("/-/atelier/enter?to=https://elsewhere.example", "/"),
        ("/-/atelier/enter", "/"),
        ("/-/atelier/leave?course=demo&path=a", "http://hub/hub/atelier/go?course=demo&path=a"),
    ],
)  # fmt: skip
def test_a_session_ends_on_the_way(address: str, leads_to: str) -> None:
    answer = get(address)
    assert (answer.status_code, answer.headers["location"]) == (302, leads_to)
    ended = [cookie for cookie in answer.headers.get_list("set-cookie") if "Max-Age=0" in cookie]
    assert [cookie.partition("=")[0] for cookie in ended] == list(gitlab_front.COOKIES)


def test_all_else_is_gitlabs() -> None:
    assert get("/ada/demo").text == "GitLab's own"
    assert get("/-/atelier/other").status_code == 404
