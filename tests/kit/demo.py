"""Visitors without a screen: HTTP clients that find *.localhost here and trust the demo."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from world.target import Target

from kit.local_names import LocalNames
from kit.platform11 import launch_form


@dataclass(frozen=True)
class Demo:
    """The running demo: `.demo/demo.json`, and its server from inside."""

    hub_url: str
    gitlab_url: str
    notebooks_url: str
    lms_url: str
    ca_file: str
    consumer_key: str
    consumer_secret: str
    course: str
    target_container: str
    gitlab_rb: str
    gitlab_admin_token: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `.demo/demo.json`."""
        return cls(**json.loads(path.read_text()))

    def server_origin(self, user: str) -> str:
        """Origin of a learner's server."""
        return self.notebooks_url.replace("://", f"://{user}.")

    @property
    def target(self) -> Target:
        """The server."""
        return Target(self.target_container)

    def client(self, **headers: str) -> httpx.Client:
        """Return a browser without history; redirects are followed by hand.

        Args:
            headers: sent with each request, with `_` for `-`.
        """
        trust = ssl.create_default_context(cafile=self.ca_file)
        sent = {"Accept-Language": "en"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Client(transport=LocalNames(verify=trust), headers=sent, timeout=120)

    def gitlab(self, path: str, **params: Any) -> Any:
        """Ask GitLab's API as its administrator."""
        with self.client(PRIVATE_TOKEN=self.gitlab_admin_token) as client:
            return (
                client.get(f"{self.gitlab_url}/api/v4/{path}", params=params)
                .raise_for_status()
                .json()
            )

    def launch(self, client: httpx.Client, user_id: str, **options: Any) -> httpx.Response:
        """Post a signed launch and return the hub's first answer.

        Args:
            client: the learner's browser.
            user_id: the platform's name for the learner.
            options: `full_name`, `email`, `locale`, and custom parameters without their prefix.
        """
        address = f"{self.hub_url}/hub/lti/launch"
        options.setdefault("locale", "en")
        form = launch_form(address, self.consumer_key, self.consumer_secret, user_id, **options)
        return client.post(address, data=form)

    def enter(self, client: httpx.Client, user_id: str, **options: Any) -> httpx.Response:
        """Launch and follow redirects to the first page."""
        return follow(client, self.launch(client, user_id, **options))

    def containers(self, *columns: str, everything: bool = False) -> list[list[str]]:
        """List the containers of the server's own engine, e.g. columns "Names", "Status"."""
        form = "\t".join(f"{{{{.{column}}}}}" for column in columns)
        scope = ["--all"] if everything else []
        listed = self.target.run("docker", "ps", *scope, "--format", form)
        return [line.split("\t") for line in listed.splitlines()]


def follow(client: httpx.Client, answer: httpx.Response, limit: int = 15) -> httpx.Response:
    """Follow redirects as a browser does."""
    for _ in range(limit):
        if answer.next_request is None:
            return answer
        answer = client.send(answer.next_request)
    raise AssertionError(f"more than {limit} redirects, the last to {answer.url}")


def until(condition: Callable[[], Any], what: str, seconds: float = 120) -> Any:
    """Wait for something to become true and return it; say what was awaited when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")
