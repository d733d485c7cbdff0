"""Learners who launch, many at a time, as their browsers do: a form posted, a page opened."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from kit.platform11 import launch_form

from benchmarks.kernel import LocalNames

ABREAST = 8
"""Browsers that launch at the same time."""


@dataclass(frozen=True)
class Hall:
    """A hub behind nginx.

    Attributes:
        hub_url: its address.
        secret: that of its consumer ``campus``.
        tls: trusts its certificate.
    """

    hub_url: str
    secret: str
    tls: ssl.SSLContext

    def forms(self, learners: Sequence[str]) -> list[dict[str, Any]]:
        """A launch of each learner, signed now."""
        address = f"{self.hub_url}/hub/lti/launch"
        return [launch_form(address, "campus", self.secret, one) for one in learners]

    def connections(self) -> aiohttp.TCPConnector:
        """Connections of many browsers."""
        return aiohttp.TCPConnector(resolver=LocalNames(), ssl=self.tls, limit=0)


async def launch(hall: Hall, door: aiohttp.TCPConnector, form: dict[str, Any]) -> float:
    """Launch from a browser without history. Returns seconds until the answer.

    Raises:
        AssertionError: it was not accepted.
    """
    jar = aiohttp.CookieJar()
    began = time.perf_counter()
    async with (
        aiohttp.ClientSession(connector=door, connector_owner=False, cookie_jar=jar) as browser,
        browser.post(f"{hall.hub_url}/hub/lti/launch", data=form, allow_redirects=False) as answer,
    ):
        assert answer.status == 302, f"{answer.status}: {(await answer.text())[:500]}"
        assert "jupyterhub-hub-login" in answer.cookies
    return time.perf_counter() - began


async def arrive(hall: Hall, door: aiohttp.TCPConnector, form: dict[str, Any]) -> float:
    """Launch, then open the list of courses. Returns seconds until that page is there."""
    jar = aiohttp.CookieJar()
    began = time.perf_counter()
    async with aiohttp.ClientSession(
        connector=door, connector_owner=False, cookie_jar=jar
    ) as browser:
        address = f"{hall.hub_url}/hub/lti/launch"
        async with browser.post(address, data=form, allow_redirects=False) as answer:
            assert answer.status == 302, f"{answer.status}: {(await answer.text())[:500]}"
        async with browser.get(f"{hall.hub_url}/hub/home") as page:
            assert page.status == 200, page.status
            await page.read()
    return time.perf_counter() - began


def abreast(hall: Hall, learners: Sequence[str]) -> tuple[float, list[float]]:
    """All launch, a few at a time. Returns seconds in all, and of each launch."""
    forms = iter(hall.forms(learners))
    times: list[float] = []

    async def one(door: aiohttp.TCPConnector) -> None:
        for form in forms:
            times.append(await launch(hall, door, form))

    async def all_of_them() -> None:
        async with hall.connections() as door:
            await asyncio.gather(*(one(door) for _ in range(ABREAST)))

    began = time.perf_counter()
    asyncio.run(all_of_them())
    return time.perf_counter() - began, times


def rush(hall: Hall, learners: Sequence[str], seconds: float) -> tuple[list[float], list[str]]:
    """All arrive within some seconds, whether the hub keeps up or not.

    Returns:
        Seconds from each click to the page, and what went wrong.
    """
    forms = hall.forms(learners)
    times: list[float] = []
    errors: list[str] = []

    async def one(door: aiohttp.TCPConnector, at: float, form: dict[str, Any]) -> None:
        await asyncio.sleep(at)
        try:
            times.append(await arrive(hall, door, form))
        except (AssertionError, aiohttp.ClientError, TimeoutError) as error:
            errors.append(f"{type(error).__name__}: {error}")

    async def all_of_them() -> None:
        async with hall.connections() as door:
            pause = seconds / len(forms)
            arrivals: list[Awaitable[None]] = [
                one(door, number * pause, form) for number, form in enumerate(forms)
            ]
            await asyncio.gather(*arrivals)

    asyncio.run(all_of_them())
    return times, errors
