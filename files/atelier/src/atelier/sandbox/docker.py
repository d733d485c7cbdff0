"""Sandboxes as containers of the machine's Docker engine."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
import socket
import struct
from typing import Any

import docker  # type: ignore[import-untyped]
from docker.errors import DockerException, NotFound  # type: ignore[import-untyped]
from docker.types import LogConfig, Ulimit  # type: ignore[import-untyped]

from atelier.sandbox.engine import ENVIRONMENT, LONGEST_LINE, EngineError
from atelier.sandbox.model import RunLimits

log = logging.getLogger(__name__)

LABEL = "org.atelier.sandbox"
FIRST_USER = 2_004_096
"""The first of the user numbers that no learner's server has (``atelier.homes.owners``)."""
USERS = 64
"""Each running sandbox has its own number: what the kernel counts for each user is not shared."""
_HEADER = 8


class DockerSandbox:
    """Starts sandboxes in containers.

    Args:
        client: client of the engine.
        name: beginning of the containers' names.
    """

    def __init__(self, client: docker.DockerClient, name: str = "atelier-sandbox") -> None:
        self._client = client
        self._name = name
        self._users = itertools.cycle(range(FIRST_USER, FIRST_USER + USERS))

    def tidy(self) -> None:
        """Remove what an earlier process has left."""
        for container in self._client.containers.list(
            all=True, filters={"label": f"{LABEL}={self._name}"}
        ):
            _remove(self._client, container.id)

    async def start(
        self, image: str, command: tuple[str, ...], stdin: bytes, limits: RunLimits
    ) -> ContainerStream:
        """Start a command in a new container; see :class:`atelier.sandbox.engine.Sandbox`."""
        name = f"{self._name}-{secrets.token_hex(6)}"
        starting = asyncio.create_task(asyncio.to_thread(self._start, name, image, command, limits))
        try:
            connection = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # A thread is not cancelled: the container that it makes is removed when it is there.
            with contextlib.suppress(EngineError):
                (await starting).close()
            await asyncio.to_thread(_remove, self._client, name)
            raise
        except EngineError:
            await asyncio.to_thread(_remove, self._client, name)
            raise
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        stream = ContainerStream(self._client, name, reader, writer)
        await stream.write(stdin)
        return stream

    def _start(
        self, name: str, image: str, command: tuple[str, ...], limits: RunLimits
    ) -> socket.socket:
        api = self._client.api
        memory = limits.memory_bytes
        try:
            host = api.create_host_config(
                cap_drop=["ALL"],
                cpu_period=100_000,
                cpu_quota=100_000,
                cpu_shares=256,  # hub, desk and learners' servers come first
                ipc_mode="private",
                log_config=LogConfig(type="none"),
                mem_limit=memory,
                memswap_limit=memory,
                network_mode="none",
                oom_score_adj=500,
                pids_limit=limits.processes,
                read_only=True,
                security_opt=["no-new-privileges"],
                shm_size=min(limits.disk_bytes, 64 * 2**20),
                tmpfs={"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={limits.disk_bytes}"},  # noqa: S108
                ulimits=[
                    Ulimit(name="core", soft=0, hard=0),
                    Ulimit(name="nofile", soft=1024, hard=1024),
                ],
            )
            made = api.create_container(
                image, list(command), name=name, entrypoint="", environment=ENVIRONMENT,
                host_config=host, labels={LABEL: self._name}, stdin_open=True, tty=False,
                user=f"{next(self._users)}:1000", working_dir="/", network_disabled=True,
            )  # fmt: skip
            attached = api.attach_socket(made["Id"], params={"stdin": 1, "stdout": 1, "stream": 1})
            connection = attached._sock if hasattr(attached, "_sock") else attached
            api.start(made["Id"])
        except (DockerException, OSError) as error:
            raise EngineError(f"{type(error).__name__}: {str(error)[:300]}") from None
        connection.setblocking(False)
        return _own(connection)


def _own(connection: Any) -> socket.socket:
    """Return the connection apart from the client's objects, which close it when they go."""
    return socket.socket(fileno=socket.dup(connection.fileno()))


def _remove(client: docker.DockerClient, name: str) -> None:
    for _again in range(3):
        try:
            client.api.remove_container(name, force=True, v=True)
        except NotFound:
            return
        except (DockerException, OSError) as error:
            log.warning("%s: not removed: %s", name, str(error)[:300])
        else:
            return


class ContainerStream:
    """A running container."""

    def __init__(
        self,
        client: docker.DockerClient,
        name: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._client = client
        self._name = name
        self._reader = reader
        self._writer = writer
        self._read = bytearray()
        self._looked = 0
        self._ended = False

    async def readline(self) -> bytes:
        """Return the next line; empty when the container has ended or the line is too long."""
        while not self._ended:
            end = self._read.find(b"\n", self._looked)
            if end >= 0:
                line = bytes(self._read[: end + 1])
                del self._read[: end + 1]
                self._looked = 0
                return line
            self._looked = len(self._read)
            if self._looked > LONGEST_LINE:
                break
            try:
                header = await self._reader.readexactly(_HEADER)
                size = struct.unpack(">4xI", header)[0]
                while size:
                    chunk = await self._reader.read(min(size, 65536))
                    if not chunk:
                        raise EOFError
                    size -= len(chunk)
                    self._read += chunk
            except (EOFError, OSError):  # IncompleteReadError is an EOFError
                break
        self._ended = True
        return b""

    async def write(self, data: bytes) -> None:
        """Send data to the standard input."""
        with contextlib.suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()

    async def ran_out_of_memory(self) -> bool:
        """Return whether the engine says so."""
        return await asyncio.to_thread(self._looked_up)

    def _looked_up(self) -> bool:
        try:
            state = self._client.api.inspect_container(self._name)["State"]
        except (DockerException, OSError):
            return False
        return bool(state.get("OOMKilled"))

    async def stop(self) -> None:
        """Remove the container."""
        self._writer.close()
        await asyncio.shield(asyncio.to_thread(_remove, self._client, self._name))
