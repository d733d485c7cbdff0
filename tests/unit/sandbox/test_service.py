"""The runner's service and its client: who is heard, for what, and in which order."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from atelier.sandbox.client import RunnerClient
from atelier.sandbox.engine import EngineError
from atelier.sandbox.model import Job, RunnerError, RunResult, Test
from atelier.sandbox.service import Service, serve
from kit.local_sandbox import LocalSandbox

JOB = Job("demo", "basile", "a.py", {"a.py": b"x = 3"}, "python", (Test("x", "assert x == 3"),))
SLOW = Job("demo", "basile", "a.py", {"a.py": b"import time\ntime.sleep(60)"}, "python")


async def image_of(course: str) -> tuple[str, int]:
    if course != "demo":
        raise RunnerError("course", course)
    return "image", 2**28


def served(
    path: Path,
    use: Callable[[RunnerClient], Awaitable[None]],
    sandbox: Any = None,
    user: int | None = None,
) -> None:
    """Run a service while it is used."""

    async def both() -> None:
        users = {os.getuid() if user is None else user}
        service = Service(sandbox or LocalSandbox(), image_of, users, workers=1)
        serving = asyncio.create_task(serve(service, path))
        while not path.exists():
            await asyncio.sleep(0.01)
        try:
            await use(RunnerClient(path))
        finally:
            serving.cancel()

    asyncio.run(both())


async def said(path: Path, line: bytes) -> dict[str, Any]:
    """What the service answers to a line."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    assert isinstance(answer, dict)
    return answer


def test_a_job_runs(tmp_path: Path) -> None:
    async def use(client: RunnerClient) -> None:
        result = await client.run(JOB)
        assert (result.problem, result.tests[0].score) == ("", 1)
        assert oct((tmp_path / "socket").stat().st_mode)[-3:] == "660"

    served(tmp_path / "socket", use)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"[]", b'{"course": "demo"}',
        b'{"course": "demo", "who": "a", "image": "debian"}',
        b'{"course": "demo", "who": "a", "volumes": ["/"]}', b"[" * 5000,
    ],
)  # fmt: skip
def test_a_request_has_a_course_and_a_name_and_nothing_else(tmp_path: Path, line: bytes) -> None:
    async def use(_client: RunnerClient) -> None:
        assert await said(tmp_path / "socket", line) == {"problem": "refused"}

    served(tmp_path / "socket", use)


def test_only_the_desk_s_user_is_heard(tmp_path: Path) -> None:
    async def use(client: RunnerClient) -> None:
        with pytest.raises(RunnerError, match="refused"):
            await client.run(JOB)

    served(tmp_path / "socket", use, user=12345)


def test_a_course_that_is_not_registered_has_no_sandbox(tmp_path: Path) -> None:
    async def use(client: RunnerClient) -> None:
        with pytest.raises(RunnerError) as refused:
            await client.run(Job("other", "basile", "a.py", {"a.py": b""}, "python"))
        assert refused.value.code == "course"

    served(tmp_path / "socket", use)


def test_the_job_is_that_of_the_request(tmp_path: Path) -> None:
    async def use(_client: RunnerClient) -> None:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        writer.write(b'{"course": "demo", "who": "another"}\n')
        assert json.loads(await reader.readline()) == {"go": True}
        writer.write(json.dumps(JOB.to_json()).encode() + b"\n")
        assert json.loads(await reader.readline()) == {"problem": "refused"}
        writer.close()

    served(tmp_path / "socket", use)


def test_an_engine_that_does_not_start_sandboxes_is_told_apart(tmp_path: Path) -> None:
    class Broken:
        async def start(self, *_given: Any) -> Any:
            raise EngineError("no space left")

    async def use(client: RunnerClient) -> None:
        with pytest.raises(RunnerError) as failed:
            await client.run(JOB)
        assert failed.value.code == "failed"

    served(tmp_path / "socket", use, Broken())


def test_without_a_service_the_client_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunnerError) as failed:
        asyncio.run(RunnerClient(tmp_path / "socket").run(JOB))
    assert failed.value.code == "failed"


def test_learners_wait_in_turn_and_see_their_place(tmp_path: Path) -> None:
    """One who has had much waits behind one who has had nothing."""
    sandbox = LocalSandbox()

    async def use(client: RunnerClient) -> None:
        order: list[str] = []

        async def one(who: str) -> list[int]:
            places: list[int] = []
            await client.run(Job("demo", who, "a.py", {"a.py": b"x = 1"}, "python"), places.append)
            order.append(who)
            return places

        greedy = [asyncio.create_task(one("greedy")) for _ in range(3)]
        while not sandbox.streams:
            await asyncio.sleep(0.01)
        modest = asyncio.create_task(one("modest"))
        places = await asyncio.gather(*greedy, modest)
        assert order == ["greedy", "modest", "greedy", "greedy"]
        assert places[0][-1] == 0
        assert [found[-1] for found in places] == [0, 0, 0, 0]
        assert max(max(found) for found in places) >= 2

    served(tmp_path / "socket", use, sandbox)


def test_a_client_that_goes_ends_its_sandboxes(tmp_path: Path) -> None:
    sandbox = LocalSandbox()

    async def use(client: RunnerClient) -> None:
        running = asyncio.create_task(client.run(SLOW))
        waiting = asyncio.create_task(client.run(SLOW))
        while not sandbox.streams:
            await asyncio.sleep(0.01)
        waiting.cancel()
        running.cancel()
        result: RunResult = await client.run(JOB)
        assert result.tests[0].score == 1
        assert all(stream.stopped for stream in sandbox.streams)

    served(tmp_path / "socket", use, sandbox)
