"""``atelier-homes``: the service that prepares learners' homes for the hub, as root.

A request has the names of a learner and of a course and two numbers, but no path and no command.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import pwd
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from atelier.homes import LONGEST_LINE, Home, HomeError, Limits
from atelier.homes.store import Store
from atelier.limits.peers import peer_user

log = logging.getLogger("atelier-homes")

AT_ONCE = 8
"""Most homes that are created, mounted or measured at the same time."""
REQUEST_SECONDS = 5
"""Timeout for reading a request."""
REPORT_SECONDS = 3
"""Time for which the usage of a home is cached."""
MOST_REPORTS = 1000

_Result = TypeVar("_Result")


class Service:
    """Answers requests, one at a time for each home.

    Args:
        store: the homes.
        users: ids of the users who may send requests.
    """

    def __init__(self, store: Store, users: set[int]) -> None:
        self._store = store
        self._users = users
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="homes")
        self._locks: WeakValueDictionary[Home, asyncio.Lock] = WeakValueDictionary()
        self._reports: dict[Home, tuple[float, dict[str, Any]]] = {}

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection: read one line, write one line."""
        try:
            answer = await self._reply(reader, writer)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (TimeoutError, OSError, ValueError) as error:
            log.warning("a connection ended: %s", type(error).__name__)
        finally:
            writer.close()

    async def _reply(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> dict[str, Any]:
        async with asyncio.timeout(REQUEST_SECONDS):
            line = await reader.readline()
        if peer_user(writer.get_extra_info("socket")) not in self._users:
            return {"problem": "refused"}
        try:
            return await self.answer(json.loads(line))
        except HomeError as error:
            log.log(
                logging.INFO if error.code == "missing" else logging.ERROR,
                "%s: %s", error.code, error,
            )  # fmt: skip
            return {"problem": error.code}
        except (ValueError, RecursionError):
            return {"problem": "refused"}
        except Exception:
            log.exception("a request failed")
            return {"problem": "failed"}

    async def answer(self, request: Any) -> dict[str, Any]:
        """Handle a request.

        Raises:
            HomeError: it failed, or is not a valid request.
        """
        if not isinstance(request, dict):
            raise HomeError("refused", "not a request")
        home = Home(request.get("learner", ""), request.get("course", ""))
        what = request.get("do")
        lock = self._locks.setdefault(home, asyncio.Lock())
        async with lock:
            if what == "open":
                limits = Limits.of(request.get("space"), request.get("inodes"))
                path, user = await self._in_thread(lambda: self._open(home, limits))
                self._reports.pop(home, None)
                return {
                    "path": path,
                    "user": user,
                    "volume_left": self._store.has_former_volume(home),
                }
            if what == "close":
                await self._in_thread(lambda: self._store.close(home))
                return {}
            if what == "report":
                return await self._report(home)
        raise HomeError("refused", f"nothing to do: {what!r:.80}")

    def _open(self, home: Home, limits: Limits) -> tuple[str | None, int | None]:
        path = self._store.open(home, limits)
        return (None, None) if path is None else (str(path), self._store.owner(home))

    async def _report(self, home: Home) -> dict[str, Any]:
        now = time.monotonic()
        known = self._reports.get(home)
        if known is not None and now - known[0] < REPORT_SECONDS:
            return known[1]
        found = await self._in_thread(lambda: self._store.report(home))
        answer = {"usage": None if found is None else found.as_json()}
        if len(self._reports) >= MOST_REPORTS:
            self._reports.clear()
        self._reports[home] = (now, answer)
        return answer

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def serve(path: Path, service: Service, owner: int) -> None:
    """Listen on a socket that only its owner can use."""
    path.unlink(missing_ok=True)
    mask = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(service.connected, path, limit=LONGEST_LINE)
    finally:
        os.umask(mask)
    os.chown(path, owner, -1)
    async with server:
        await server.serve_forever()


def main(arguments: list[str] | None = None) -> None:
    """Run the service."""
    parser = argparse.ArgumentParser(prog="atelier-homes", description=__doc__)
    parser.add_argument(
        "--directory", type=Path, required=True, help="directory of the homes' images and mounts"
    )
    parser.add_argument(
        "--volumes",
        type=Path,
        default=Path("/var/lib/docker/volumes"),
        help="directory of Docker's volumes (default: %(default)s)",
    )
    parser.add_argument(
        "--mode",
        choices=("auto", "image", "none"),
        default="auto",
        help="how to limit a home's size (default: %(default)s)",
    )
    parser.add_argument(
        "--socket", type=Path, required=True, help="path of the socket to listen on"
    )
    parser.add_argument("--user", required=True, help="user who may send requests")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    store = Store(given.directory, given.volumes, given.mode)
    try:
        store.prepare()
    except (HomeError, OSError) as error:
        raise SystemExit(f"{given.directory}: {error}") from None
    owner = pwd.getpwnam(given.user).pw_uid
    asyncio.run(serve(given.socket, Service(store, {owner}), owner))


if __name__ == "__main__":
    main()
