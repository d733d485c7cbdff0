"""A learner in front of their notebook server, over HTTP: wait for it, enter it, use its API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from kit.demo import Demo, follow, until

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 180
SERVER = re.compile(
    r"/(?:hub/spawn-pending|hub/spawn|hub/user|user)/(?P<user>[^/?]+)(?:/(?P<name>[^/?]+))?"
)


@dataclass
class Seat:
    """One learner's browser in front of one hub.

    Attributes:
        client: the browser.
        hub: address of the hub, without `/hub`.
        user: name in the hub.
        server: named server, empty for the default one.
        origin: where that server answers.
    """

    client: httpx.Client
    hub: str
    user: str
    server: str
    origin: str

    @classmethod
    def after(
        cls,
        client: httpx.Client,
        hub: str,
        page: httpx.Response,
        origin: Callable[[str], str] | None = None,
    ) -> Seat:
        """Read from the page after a click whose server starts.

        Args:
            client: the browser.
            hub: address of the hub, without `/hub`.
            page: that page.
            origin: of a user's servers; the hub's by default.
        """
        found = SERVER.search(page.url.path)
        assert found, f"the click led to {page.url} ({page.status_code})"
        user = found["user"]
        return cls(client, hub, user, found["name"] or "", origin(user) if origin else hub)

    @property
    def path(self) -> str:
        """Path of the learner's server, with a slash at the end."""
        return f"/user/{self.user}/" + (f"{self.server}/" if self.server else "")

    def url(self, rest: str) -> str:
        """Return an address on the learner's server."""
        return f"{self.origin}{self.path}{rest}"

    def enter(self) -> None:
        """Wait until the server answers and sign in to it, as the page that waits does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, f"{self.url('')} does not answer"
            time.sleep(POLL_SECONDS)
        page = follow(self.client, self.client.get(self.url("lab")))
        assert page.status_code == 200, f"{page.url}: {page.status_code}"

    def _answers(self) -> bool:
        answer = self.client.get(self.url("api"))
        return answer.status_code == 200 and "version" in answer.text

    def get(self, rest: str) -> httpx.Response:
        """Ask the server."""
        return self.client.get(self.url(rest), headers=self.xsrf(self.path))

    def send(self, method: str, rest: str, json: object = None) -> httpx.Response:
        """Change something on the server."""
        return self.client.request(method, self.url(rest), json=json, headers=self.xsrf(self.path))

    def xsrf(self, path: str) -> dict[str, str]:
        """Return the header that lets this browser change something under a path."""
        values = {
            cookie.path: cookie.value or ""
            for cookie in self.client.cookies.jar
            if cookie.name == "_xsrf" and path.startswith(cookie.path)
        }
        return {"X-XSRFToken": values[max(values, key=len)]} if values else {}

    def stop(self) -> None:
        """Stop the server, from the hub's page, and wait until the hub has removed it."""
        kind = f"servers/{self.server}" if self.server else "server"
        address = f"{self.hub}/hub/api/users/{self.user}/{kind}"
        home = f"{self.hub}/hub/home"
        follow(self.client, self.client.get(home))

        def gone() -> bool:
            headers = {**self.xsrf("/hub/"), "Referer": home}
            return self.client.delete(address, headers=headers).status_code in {204, 400, 404}

        until(gone, "the server has stopped", PATIENCE_SECONDS)


def open_notebook(demo: Demo, client: httpx.Client, user_id: str, **options: str) -> Seat:
    """Launch a notebook of the demo and wait until it can be used."""
    page = demo.enter(client, user_id, target="notebook", **options)
    assert page.status_code < 400, page.text
    seat = Seat.after(client, demo.hub_url, page, demo.server_origin)
    seat.enter()
    return seat
