"""From the click to a usable notebook: the server answers and a Python kernel is ready."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from e2e.seat import PATIENCE_SECONDS, POLL_SECONDS, Seat
from e2e.visit import Demo, follow


def wait_usable(seat: Seat) -> None:
    """Wait until the server answers, enter it, start a kernel and wait until it is idle."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seat.enter()
    started = seat.send("POST", "api/kernels", {"name": "python3"})
    assert started.status_code == 201, started.text
    kernel = f"api/kernels/{started.json()['id']}"
    while seat.get(kernel).json()["execution_state"] != "idle":
        assert time.monotonic() < deadline, "the kernel is not ready"
        time.sleep(POLL_SECONDS)


def end_kernels(seat: Seat) -> None:
    """Leave the server without kernels: an idle learner."""
    for kernel in seat.get("api/kernels").json():
        seat.send("DELETE", f"api/kernels/{kernel['id']}")


def ours(demo: Demo, client: httpx.Client, user_id: str) -> tuple[float, Seat]:
    """Click in the demo's course page."""

    def click() -> httpx.Response:
        return demo.enter(client, user_id, target="notebook", full_name="Bench Mark")

    return _timed(click, client, demo.hub_url)


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

    return _timed(click, client, hub)


def _timed(
    click: Callable[[], httpx.Response], client: httpx.Client, hub: str
) -> tuple[float, Seat]:
    began = time.monotonic()
    seat = Seat.after(client, hub, click())
    wait_usable(seat)
    return time.monotonic() - began, seat
