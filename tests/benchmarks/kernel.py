"""A kernel over its web socket, as JupyterLab speaks to it: computes, or is not ready."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from uuid import uuid4

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from kit.learner import Seat

PATIENCE_SECONDS = 120


class LocalNames(AbstractResolver):
    """Find names under .localhost on this machine, as browsers do; take addresses as they are."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the one address."""
        address = "127.0.0.1" if host.endswith(".localhost") else host
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Have nothing to close."""


def computes(seat: Seat, kernel: str, ca_file: str | None) -> None:
    """Run `6 * 7` in a kernel and wait for the answer.

    Raises:
        TimeoutError: none came within two minutes.
    """
    asyncio.run(asyncio.wait_for(_computes(seat, kernel, ca_file), PATIENCE_SECONDS))


async def _computes(seat: Seat, kernel: str, ca_file: str | None) -> None:
    cookies = "; ".join(
        f"{cookie.name}={cookie.value}"
        for cookie in seat.client.cookies.jar
        if seat.path.startswith(cookie.path) and cookie.domain.lstrip(".") in seat.origin
    )
    trust = ssl.create_default_context(cafile=ca_file) if ca_file else False
    connector = aiohttp.TCPConnector(resolver=LocalNames(), ssl=trust)
    headers = {"Cookie": cookies, "Origin": seat.origin, **seat.xsrf(seat.path)}
    session = uuid4().hex
    address = seat.url(f"api/kernels/{kernel}/channels?session_id={session}")
    async with (
        aiohttp.ClientSession(connector=connector, headers=headers) as client,
        client.ws_connect(address) as channel,
    ):
        await channel.send_str(json.dumps(_question(session)))
        async for message in channel:
            if message.type == aiohttp.WSMsgType.TEXT and _answers(json.loads(message.data)):
                return
    raise ConnectionError("the kernel's channel was closed")


def _question(session: str) -> dict[str, object]:
    header = {
        "msg_id": uuid4().hex,
        "msg_type": "execute_request",
        "session": session,
        "username": "",
        "version": "5.3",
    }
    content = {"code": "6 * 7", "silent": False, "store_history": False, "allow_stdin": False}
    return {
        "channel": "shell",
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
    }


def _answers(message: dict[str, dict[str, dict[str, str]]]) -> bool:
    content = message.get("content", {})
    return content.get("data", {}).get("text/plain") == "42"
