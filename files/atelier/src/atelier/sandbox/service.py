"""``atelier-runner``: runs learners' files and teachers' tests for the desk.

It uses the container engine, as the hub does; it has no token of GitLab's, no secret of the hub's
and no database. A request names a registered course, whose image is used; it cannot name an image,
a volume or a command.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import grp
import json
import logging
import os
import pwd
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]

from atelier.config.live import Courses
from atelier.config.schema.sizes import size_bytes
from atelier.limits.fair_queue import FairQueue
from atelier.limits.peers import peer_user
from atelier.sandbox import relay
from atelier.sandbox.docker import DockerSandbox
from atelier.sandbox.engine import Sandbox
from atelier.sandbox.model import LONGEST_LINE, Job, RunnerError

log = logging.getLogger("atelier-runner")

REQUEST_SECONDS = 30.0
"""Timeout for reading a request."""
MOST_WAITING = 500
"""Most jobs that wait. A job's files come when its turn has come: waiting takes no memory."""

FindImage = Callable[[str], Awaitable[tuple[str, int]]]
"""Returns the image of a course, and the memory that a learner's server of it has."""


class Service:
    """Answers requests.

    Args:
        sandbox: starts sandboxes.
        image: finds the image of a course.
        users: ids of the users who may send requests.
        workers: jobs at the same time.
    """

    def __init__(self, sandbox: Sandbox, image: FindImage, users: set[int], workers: int) -> None:
        self._sandbox = sandbox
        self._image = image
        self._users = users
        self._queue = FairQueue(workers)
        self._waiting = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection."""
        try:
            answer = await self._answer(reader, writer)
            _say(writer, answer)
            await writer.drain()
        except (TimeoutError, OSError, ValueError, EOFError) as error:
            log.warning("a connection ended: %s", type(error).__name__)
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> dict[str, Any]:
        if peer_user(writer.get_extra_info("socket")) not in self._users:
            return {"problem": "refused"}
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = json.loads(await reader.readline())
            if not isinstance(request, dict) or set(request) != {"course", "who"}:
                raise RunnerError("refused", "not a request")
            course, who = str(request["course"]), str(request["who"])
            if self._waiting >= MOST_WAITING:
                raise RunnerError("busy")
            image, memory = await self._image(course)
            return {"result": await self._turn(reader, writer, course, who, image, memory)}
        except RunnerError as error:
            log.log(logging.INFO if error.code == "busy" else logging.ERROR, "%s", error)
            return {"problem": error.code}
        except (RecursionError, json.JSONDecodeError):
            return {"problem": "refused"}

    async def _turn(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        course: str,
        who: str,
        image: str,
        memory: int,
    ) -> dict[str, Any]:
        self._waiting += 1
        turn = self._queue.turn(who, moved=lambda number: _say(writer, {"waiting": number}))
        try:
            await _unless_gone(reader, turn.__aenter__())
        finally:
            self._waiting -= 1
        try:
            _say(writer, {"go": True})
            async with asyncio.timeout(REQUEST_SECONDS):
                job = Job.from_json(json.loads(await reader.readline()))
            if (job.course, job.who) != (course, who):
                raise RunnerError("refused", "another job than the one that waited")
            limits = replace(job.limits, memory_bytes=min(job.limits.memory_bytes, memory))
            job = replace(job, limits=limits)
            result = await _unless_gone(reader, relay.run(self._sandbox, image, job))
        finally:
            await turn.__aexit__(None, None, None)
        log.info("%s: %s in %.1f s", course, result.problem or "ran", result.seconds)
        told: dict[str, Any] = result.to_json()
        return told


async def _unless_gone(reader: asyncio.StreamReader, work: Coroutine[Any, Any, Any]) -> Any:
    """Wait for work, which is cancelled when the client has gone.

    Raises:
        EOFError: the client has gone.
    """
    gone = asyncio.ensure_future(reader.read(1))
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({gone, task}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise EOFError
        return task.result()
    finally:
        for one in (gone, task):
            if not one.done():
                one.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await one


def _say(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")


def course_images(courses: Courses, client: docker.DockerClient) -> FindImage:
    """Return a function that finds courses' images, which are never pulled."""

    async def find(slug: str) -> tuple[str, int]:
        course = courses.get(slug)
        if course is None:
            raise RunnerError("course", "not registered")
        try:
            await asyncio.to_thread(client.api.inspect_image, course.image)
        except ImageNotFound:
            raise RunnerError("course", f"{slug}: {course.image} is not on this server") from None
        except (DockerException, OSError) as error:
            raise RunnerError("failed", f"{type(error).__name__}: {error}") from None
        return course.image, size_bytes(course.memory) or 2**30

    return find


async def serve(service: Service, path: Path, group: int = -1) -> None:
    """Listen on a socket that its owner and a group can use."""
    path.unlink(missing_ok=True)
    mask = os.umask(0o117)
    try:
        server = await asyncio.start_unix_server(service.connected, path, limit=LONGEST_LINE)
    finally:
        os.umask(mask)
    os.chown(path, -1, group)
    async with server:
        await server.serve_forever()


def main(arguments: list[str] | None = None) -> None:
    """Run the service."""
    parser = argparse.ArgumentParser(prog="atelier-runner", description=__doc__)
    parser.add_argument("--courses", type=Path, default=Path("/etc/atelier/courses.d"))
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--user", required=True, help="who may ask")
    parser.add_argument("--group", required=True, help="a group of theirs and of this process")
    parser.add_argument("--workers", type=int, default=2, help="jobs at the same time")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        client = docker.from_env(timeout=60)
        sandbox = DockerSandbox(client)
        sandbox.tidy()
    except (DockerException, OSError) as error:
        raise SystemExit(f"Docker: {type(error).__name__}: {error}") from None
    image = course_images(Courses(given.courses), client)
    users = {pwd.getpwnam(given.user).pw_uid}
    service = Service(sandbox, image, users, given.workers)
    asyncio.run(serve(service, given.socket, grp.getgrnam(given.group).gr_gid))


if __name__ == "__main__":
    main()
