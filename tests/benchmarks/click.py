"""From the click to a usable notebook: the server answers and a Python kernel is ready."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from kit.demo import Demo, follow
from kit.learner import Seat

from benchmarks import kernel


def wait_usable(seat: Seat, ca_file: str | None) -> None:
    """Wait until the server answers, enter it, start a kernel and let it compute."""
    seat.enter()
    started = seat.send("POST", "api/kernels", {"name": "python3"})
    assert started.status_code == 201, started.text
    kernel.computes(seat, started.json()["id"], ca_file)


def end_kernels(seat: Seat) -> None:
    """Leave the server without kernels: an idle learner."""
    for running in seat.get("api/kernels").json():
        seat.send("DELETE", f"api/kernels/{running['id']}")


def ours(demo: Demo, client: httpx.Client, user_id: str) -> tuple[float, Seat]:
    """Click in the demo's course page."""

    def click() -> httpx.Response:
        return demo.enter(client, user_id, target="notebook", full_name="Bench Mark")

    return _timed(click, client, demo.hub_url, demo.ca_file, demo.server_origin)


def stock(hub: str, client: httpx.Client, user: str) -> tuple[float, Seat]:
    """Click "sign in" of the stock hub, on the way to the learner's server."""
    follow(client, client.get(f"{hub}/hub/logout"))
    form = follow(client, client.get(f"{hub}/hub/login"))
    assert form.status_code == 200, form.text
    xsrf = client.cookies.get("_xsrf", path="/hub/") or ""

    def click() -> httpx.Response:
        sent = client.post(
            f"{hub}/hub/login",
            params={"next": "/hub/spawn"},
            data={"username": user, "password": "", "_xsrf": xsrf},
            headers={"Referer": f"{hub}/hub/login"},
        )
        return follow(client, sent)

    return _timed(click, client, hub, None)


def _timed(
    click: Callable[[], httpx.Response],
    client: httpx.Client,
    hub: str,
    ca_file: str | None,
    origin: Callable[[str], str] | None = None,
) -> tuple[float, Seat]:
    began = time.monotonic()
    seat = Seat.after(client, hub, click(), origin)
    wait_usable(seat, ca_file)
    return time.monotonic() - began, seat
