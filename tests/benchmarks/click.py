"""From the click to a usable notebook: the server answers and a Python kernel is ready."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from e2e.visit import Demo, follow, until

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 180
SERVER = re.compile(
    r"/(?:hub/spawn-pending|hub/spawn|hub/user|user)/(?P<user>[^/?]+)(?:/(?P<name>[^/?]+))?"
)


@dataclass
class Seat:
    """One learner's browser in front of one hub.

    Attributes:
        hub: address of the hub, without `/hub`.
        user: name in the hub.
        server: named server, empty for the default one.
    """

    client: httpx.Client
    hub: str
    user: str
    server: str

    @property
    def base(self) -> str:
        """Address of the learner's server."""
        return f"{self.hub}/user/{self.user}" + (f"/{self.server}" if self.server else "")

    def xsrf(self, path: str) -> dict[str, str]:
        """Return the header that lets this browser change something under a path."""
        values = [
            cookie.value
            for cookie in self.client.cookies.jar
            if cookie.name == "_xsrf" and path.startswith(cookie.path.rstrip("/"))
        ]
        return {"X-XSRFToken": values[-1] or ""} if values else {}

    def stop(self) -> None:
        """Stop the server and wait until the hub has removed it."""
        kind = f"servers/{self.server}" if self.server else "server"
        address = f"{self.hub}/hub/api/users/{self.user}/{kind}"
        follow(self.client, self.client.get(f"{self.hub}/hub/home"))
        referer = {"Referer": f"{self.hub}/hub/home"}

        def gone() -> bool:
            answer = self.client.delete(address, headers={**self.xsrf("/hub/"), **referer})
            return answer.status_code in {204, 400, 404}

        until(gone, "the server has stopped", PATIENCE_SECONDS)


def wait_usable(seat: Seat) -> None:
    """Wait until the server answers, enter it, start a kernel and wait until it is idle."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _answers(seat):
        assert time.monotonic() < deadline, f"{seat.base} does not answer"
        time.sleep(POLL_SECONDS)
    page = follow(seat.client, seat.client.get(f"{seat.base}/lab"))
    assert page.status_code == 200, f"{page.url}: {page.status_code}"
    path = seat.base.removeprefix(seat.hub) + "/"
    started = seat.client.post(
        f"{seat.base}/api/kernels", json={"name": "python3"}, headers=seat.xsrf(path)
    )
    assert started.status_code == 201, started.text
    kernel = f"{seat.base}/api/kernels/{started.json()['id']}"
    while seat.client.get(kernel).json()["execution_state"] != "idle":
        assert time.monotonic() < deadline, "the kernel is not ready"
        time.sleep(POLL_SECONDS)


def _answers(seat: Seat) -> bool:
    answer = seat.client.get(f"{seat.base}/api")
    return answer.status_code == 200 and "version" in answer.text


def seat_of(client: httpx.Client, hub: str, page: httpx.Response) -> Seat:
    """Read from the page after the click whose server starts."""
    for answer in (page, *reversed(page.history)):
        if found := SERVER.search(str(answer.url)):
            return Seat(client, hub, found["user"], found["name"] or "")
    raise AssertionError(f"the click led to {page.url} ({page.status_code})")


def ours(demo: Demo, client: httpx.Client, user_id: str) -> tuple[float, Seat]:
    """Click in the demo's course page."""
    return _timed(
        lambda: demo.enter(client, user_id, target="notebook", name="Bench Mark"),
        client,
        demo.hub_url,
    )


def stock(hub: str, client: httpx.Client, user: str) -> tuple[float, Seat]:
    """Click "sign in" of the stock hub, on the way to the learner's server."""
    form = follow(client, client.get(f"{hub}/hub/login"))
    xsrf = client.cookies.get("_xsrf", path="/hub/") or ""
    assert form.status_code == 200

    def click() -> httpx.Response:
        return follow(
            client,
            client.post(
                f"{hub}/hub/login",
                params={"next": "/hub/spawn"},
                data={"username": user, "password": "", "_xsrf": xsrf},
                headers={"Referer": f"{hub}/hub/login"},
            ),
        )

    return _timed(click, client, hub)


def _timed(
    click: Callable[[], httpx.Response], client: httpx.Client, hub: str
) -> tuple[float, Seat]:
    began = time.monotonic()
    seat = seat_of(client, hub, click())
    wait_usable(seat)
    return time.monotonic() - began, seat
