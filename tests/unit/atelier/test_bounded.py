"""What one address may hold of hub and desk: connections, and bodies that are under way."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from atelier.limits import requests as bounded
from tornado import web
from tornado.httpserver import HTTPServer

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
"""This machine's own address, and what stands for a container's."""


@pytest.fixture(autouse=True)
def as_in_the_hub() -> Iterator[None]:
    """The server that whoever makes one gets, while the test lasts."""
    former = HTTPServer._save_configuration()  # type: ignore[no-untyped-call]
    bounded.bound_hub()
    yield
    HTTPServer._restore_configuration(former)  # type: ignore[no-untyped-call]


class _Sized(web.RequestHandler):
    def post(self) -> None:
        self.write(str(len(self.request.body)))


@asynccontextmanager
async def hub() -> AsyncIterator[int]:
    """A server as JupyterHub makes it; its port."""
    server = HTTPServer(web.Application([("/", _Sized)]), xheaders=True)
    server.listen(0, HERE)
    port: int = next(iter(server._sockets.values())).getsockname()[1]
    yield port
    server.stop()
    await server.close_all_connections()


async def post(port: int, size: int, *, source: str = HERE, sent: int | None = None) -> bytes:
    """Announce a body of that size, send so much of it; the answer, empty when cut off."""
    reader, writer = await asyncio.open_connection(HERE, port, local_addr=(source, 0))
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    writer.write(head.encode() + b"x" * (size if sent is None else sent))
    answer = b""
    with suppress(ConnectionError):
        await writer.drain()
        answer = await reader.read(300)
    writer.close()
    return answer


def in_a_hub(story: Callable[[int], Awaitable[None]]) -> None:
    async def run() -> None:
        async with hub() as port:
            await story(port)

    asyncio.run(run())


def test_a_body_is_a_megabyte_at_most() -> None:
    async def story(port: int) -> None:
        assert (await post(port, bounded.MAX_BODY_BYTES)).startswith(b"HTTP/1.1 200")
        assert b" 200" not in await post(port, bounded.MAX_BODY_BYTES + 1, sent=0)

    in_a_hub(story)


async def open_halves(port: int, source: str, size: int, count: int) -> list[Any]:
    """Connections that have sent nearly all of a body, and stay."""
    opened = []
    for _ in range(count):
        pair = await asyncio.open_connection(HERE, port, local_addr=(source, 0))
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
        pair[1].write(head.encode() + b"x" * (size - 1))
        await pair[1].drain()
        opened.append(pair)
    return opened


async def cut_off(pairs: list[Any], at_least: int) -> int:
    """Wait until so many have ended; how many have once the others were asked."""
    ends = [asyncio.ensure_future(reader.read()) for reader, _ in pairs]
    done: set[Any] = set()
    while len(done) < at_least:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED, timeout=10)
        assert done, "nobody was cut off"
        if len(done) < at_least:
            await asyncio.sleep(0)
    return len(done)


def test_one_address_holds_few_bodies_and_others_do_not_notice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded, "MAX_HELD_BYTES", 100_000)

    async def story(port: int) -> None:
        halves = await open_halves(port, ELSEWHERE, 50_000, 5)
        assert await cut_off(halves, 3) == 3
        assert (await post(port, 50_000)).startswith(b"HTTP/1.1 200")
        for _, writer in halves:
            writer.close()
        again = b""
        while not again.startswith(b"HTTP/1.1 200"):  # as soon as the hub has seen them end
            again = await post(port, 90_000, source=ELSEWHERE)

    in_a_hub(story)


def test_one_address_has_few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MAX_CONNECTIONS", 3)

    async def story(port: int) -> None:
        halves = await open_halves(port, ELSEWHERE, 100, 5)
        assert await cut_off(halves, 2) == 2
        mine = await open_halves(port, HERE, 100, 10)
        for _, writer in mine:
            writer.write(b"x")
        for reader, _ in mine:
            assert (await reader.read(12)).startswith(b"HTTP/1.1 200")
        for _, writer in halves + mine:
            writer.close()
        again = b""
        while not again.startswith(b"HTTP/1.1 200"):
            again = await post(port, 10, source=ELSEWHERE)

    in_a_hub(story)


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "BODY_SECONDS", 0.2)

    async def story(port: int) -> None:
        (half,) = await open_halves(port, HERE, 1000, 1)
        assert await asyncio.wait_for(half[0].read(), 10) == b""

    in_a_hub(story)


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


def test_one_address_has_few_connections_with_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MAX_CONNECTIONS", 3)
    config = uvicorn.Config(
        _answer, http=bounded.BoundedProtocol, lifespan="off", log_config=None, loop="asyncio"
    )
    server = uvicorn.Server(config)
    listening = socket.create_server((HERE, 0))
    port: int = listening.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()

    async def story() -> None:
        pairs = []
        for source in (*[ELSEWHERE] * 5, *[HERE] * 10):
            pairs.append(await asyncio.open_connection(HERE, port, local_addr=(source, 0)))
        assert await cut_off(pairs[:5], 2) == 2
        for reader, writer in pairs[5:]:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.read(12)).startswith(b"HTTP/1.1 200")
        for _, writer in pairs:
            writer.close()

    try:
        asyncio.run(story())
    finally:
        server.should_exit = True
        thread.join(10)
    assert not bounded.BoundedProtocol._open


def test_one_address_asks_the_hub_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "REQUESTS_AT_ONCE", 5)
    monkeypatch.setattr(bounded, "SECONDS_A_REQUEST", 3600.0)

    async def story(port: int) -> None:
        answers = [await post(port, 10, source=ELSEWHERE) for _ in range(7)]
        assert [answer.startswith(b"HTTP/1.1 200") for answer in answers] == [True] * 5 + [
            False
        ] * 2
        mine = [await post(port, 10) for _ in range(20)]
        assert all(answer.startswith(b"HTTP/1.1 200") for answer in mine)

    in_a_hub(story)


def test_an_address_is_this_machines_when_it_goes_to_itself() -> None:
    assert bounded.foreign_address(("172.30.0.1", 5000), ("172.30.0.1", 8081)) is None
    assert bounded.foreign_address(("172.30.0.9", 5000), ("172.30.0.1", 8081)) == "172.30.0.9"
    assert bounded.foreign_address(None, ("172.30.0.1", 8081)) is None
