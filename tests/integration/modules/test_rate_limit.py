"""GitLab's own rate limit, over a socket: the desk and the modules wait as long as it asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from atelier.config.models import Settings
from atelier.gitlab.client import PAGE, GitLabClient
from gitlab_standin.testing import Standin
from kit.modules import run
from requests.adapters import HTTPAdapter

LIMIT = 4
PERIOD = 3
"""Seconds. A test sends more than `LIMIT` requests in one of the first such periods."""
MOST = 10 * LIMIT
THROTTLE = "throttle_authenticated_api"


class Traffic:
    """What was sent: when, and the pause that the answer asks for, seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[float, int | None]] = []
        real = HTTPAdapter.send

        def send(adapter: HTTPAdapter, *given: Any, **named: Any) -> requests.Response:
            began = time.monotonic()
            answer = real(adapter, *given, **named)
            pause = int(answer.headers["Retry-After"]) if answer.status_code == 429 else None
            self.sent.append((began, pause))
            return answer

        monkeypatch.setattr(HTTPAdapter, "send", send)

    @property
    def goes_on(self) -> bool:
        """Whether GitLab has not refused a request yet."""
        return len(self.sent) < MOST and all(pause is None for _, pause in self.sent)

    def check(self) -> None:
        """GitLab refused some requests, and each of its pauses was kept."""
        following = [moment for moment, _ in self.sent[1:]]
        pauses = [
            (after - moment, pause)
            for (moment, pause), after in zip(self.sent, following, strict=False)
            if pause is not None
        ]
        assert pauses
        assert all(waited >= pause for waited, pause in pauses), pauses


@pytest.fixture
def busy(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    """Root may send few requests."""
    limit = {
        f"{THROTTLE}_enabled": True,
        f"{THROTTLE}_requests_per_period": LIMIT,
        f"{THROTTLE}_period_in_seconds": PERIOD,
    }
    standin.gitlab.http_put("/application/settings", post_data=limit)
    traffic = Traffic(monkeypatch)
    yield traffic
    monkeypatch.undo()
    standin.gitlab.http_put("/application/settings", post_data={f"{THROTTLE}_enabled": False})


def test_a_page_of_the_desk_waits_for_gitlab(standin: Standin, busy: Traffic) -> None:
    site = {"hub_url": "https://hub.example.org", "gitlab_url": standin.url}
    credentials: Any = type("", (), {"optional": lambda _self, _name: standin.root_token})()
    client = GitLabClient(Settings.model_validate({"site": site}), credentials)

    def version() -> str:
        with client.calling("asking GitLab's version") as calls:
            return str(calls.get("/version")["version"])

    async def pages() -> set[str]:
        seen = set()
        while busy.goes_on:
            seen.add(await client.patiently(lambda: asyncio.to_thread(version), PAGE))
        return seen

    assert len(asyncio.run(pages())) == 1
    busy.check()


def test_a_module_waits_for_gitlab(standin: Standin, busy: Traffic, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(standin.root_token)
    where = {"api_url": standin.url, "token_file": str(token_file)}
    while busy.goes_on:
        assert run("gitlab_instance_info", **where).result["token_good"]
    busy.check()
