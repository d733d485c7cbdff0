"""Chromium in a network of its own, whose only way out leads to ports of the tests.

Containers that come and go on this machine change its network interfaces, and Chromium then drops
the pages it is loading (ERR_NETWORK_CHANGED). In a network namespace with nothing but a loopback
interface nothing changes. It also shows that the pages need nothing from the Internet.

    outside:  Unix socket -> 127.0.0.1:PORT          (a thread of the tests)
    inside:   127.0.0.1:PORT -> Unix socket          (this file, run as a program)
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import shlex
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS = 0x8914
IFF_UP_RUNNING = 0x41


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _join(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    try:
        await asyncio.gather(_copy(one[0], other[1]), _copy(other[0], one[1]))
    finally:
        one[1].close()
        other[1].close()


async def _outside(folder: Path, ports: Sequence[int], ready: threading.Event) -> None:
    for port in ports:

        async def answer(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port
        ) -> None:
            try:
                there = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.close()
                return
            await _join((reader, writer), there)

        await asyncio.start_unix_server(answer, folder / str(port))
    ready.set()
    await asyncio.Event().wait()


async def _inside(folder: Path, ports: Sequence[int], ready: int) -> None:
    for port in ports:

        async def answer(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port
        ) -> None:
            there = await asyncio.open_unix_connection(folder / str(port))
            await _join((reader, writer), there)

        await asyncio.start_server(answer, "127.0.0.1", port)
    os.write(ready, b".")
    os.close(ready)
    await asyncio.Event().wait()


@contextlib.contextmanager
def wrapper(folder: Path, program: str, ports: Sequence[int]) -> Iterator[Path]:
    """Make a program that runs `program` in such a network; the ways out are open in the block."""
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    def serve() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(_outside(folder, ports, ready))

    threading.Thread(target=serve, daemon=True).start()
    assert ready.wait(10)
    script = folder / "browser"
    as_root = "" if os.geteuid() == 0 else "--map-root-user "
    inside = shlex.join([sys.executable, __file__, str(folder), ",".join(map(str, ports)), program])
    script.write_text(f'#!/bin/sh\nexec unshare --net {as_root}-- {inside} "$@"\n')
    script.chmod(0o755)
    try:
        yield script
    finally:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])


def main() -> None:
    """Inside: raise the loopback interface, lead the ports out, become the program."""
    folder, ports, program, *arguments = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP_RUNNING))
    reading, writing = os.pipe()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.closerange(3, reading)  # the pipes by which Playwright speaks to the browser
        os.close(reading)
        asyncio.run(_inside(Path(folder), [int(port) for port in ports.split(",")], writing))
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    os.execv(program, [program, *arguments])  # noqa: S606 - becoming it is this one's purpose


if __name__ == "__main__":
    main()
