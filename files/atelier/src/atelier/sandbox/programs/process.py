"""Runs a script, or the code of a document, in a process of its own."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from atelier.sandbox.programs.answer import Door, Failure, Opened, Output, explained, interrupt
from atelier.sandbox.programs.bundle import host_program
from atelier.sandbox.programs.cells import Code

_CHUNK = 65536
_LINE = 8 * 2**20
FILES: dict[str, str] = getattr(sys, "_atelier_files", {})
"""The programs in R that the loader has been given."""


class Pipes:
    """Two named pipes to R, which has no Unix sockets."""

    def __init__(self, private: Path) -> None:
        self.paths = [str(private / name) for name in ("to-r", "from-r")]

    async def open(self) -> None:
        """Make them."""
        for path in self.paths:
            os.mkfifo(path, 0o600)
        # Held open in both directions: else R would wait for somebody to write.
        self._held = os.open(self.paths[0], os.O_RDWR)
        self._reader = asyncio.StreamReader(limit=_LINE)
        reading = asyncio.StreamReaderProtocol(self._reader)
        back = os.fdopen(os.open(self.paths[1], os.O_RDONLY | os.O_NONBLOCK), "rb", 0)
        await asyncio.get_running_loop().connect_read_pipe(lambda: reading, back)

    async def wait(self) -> Opened:
        """Return the connection, once R says that it is ready."""
        await self._reader.readline()
        loop = asyncio.get_running_loop()
        to = os.fdopen(os.open(self.paths[0], os.O_WRONLY | os.O_NONBLOCK), "wb", 0)
        os.close(self._held)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, to)
        return self._reader, asyncio.StreamWriter(transport, protocol, None, loop)


class ProcessRunner:
    """Runs one file that is no Python notebook."""

    def __init__(self, code: Code, job: dict[str, Any], folder: Path) -> None:
        self.output = Output(job["output_bytes"])
        self.begun = asyncio.Event()
        self.pid = 0
        self.place: int | None = None
        self._code = code
        self._file = folder / job["file"]
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> Opened:
        """Run the file."""
        private = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 (the sandbox's own)
        given, told = private / "cells.json", private / "told.json"
        described = {
            "file": str(self._file),
            "folder": str(self._file.parent),
            "cells": [(cell.source, cell.place) for cell in self._code.cells],
            "shows": self._file.suffix.lower() in {".rmd", ".qmd"},
            "notebook": self._code.notebook is not None,
        }
        given.write_text(json.dumps(described), "utf-8")
        door: Door | Pipes
        if self._code.language == "python":
            door = Door(str(private / "door"))
            await door.open()
            host = private / "host.py"
            host.write_text(host_program("script"), "utf-8")
            command = [sys.executable, str(host), str(given), door.path, str(told)]
        else:
            door = Pipes(private)
            await door.open()
            paths = [private / name for name in ("answer.R", "wire.R")]
            for path in paths:
                path.write_text(FILES[path.name], "utf-8")
            command = ["Rscript", "--vanilla", str(paths[0]), str(given), str(told), *door.paths]
            command.append(str(paths[1]))
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._file.parent, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "MPLBACKEND": "Agg"},
        )  # fmt: skip
        self._process = process
        self.pid = process.pid
        self.begun.set()
        assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018
        readers = [
            asyncio.ensure_future(self._read(process.stdout, kept=True)),
            asyncio.ensure_future(self._read(process.stderr, kept=False)),
        ]
        ended = asyncio.ensure_future(process.wait())
        opened = asyncio.ensure_future(door.wait())
        await asyncio.wait({ended, opened}, return_when=asyncio.FIRST_COMPLETED)
        if opened.done() and not told.exists():
            raise Failure("run_died")
        if not opened.done():
            await asyncio.wait(readers, timeout=1)
            self._explain(told)
            raise Failure("run_died")
        self._explain(told)
        return opened.result()

    def _explain(self, told: Path) -> None:
        """Raise the failure that the process has written, if there is one."""
        try:
            report = json.loads(told.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return
        if report:
            raise explained(
                self._code, int(report["at"]), str(report["kind"]), str(report["message"]),
                int(report["line"]),
            )  # fmt: skip

    async def _read(self, stream: asyncio.StreamReader, *, kept: bool) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := await stream.read(_CHUNK):
            self.output.add(decoder.decode(chunk), kept=kept)

    def interrupt(self) -> None:
        """Interrupt the process."""
        if self._process is not None:
            interrupt(self._process.pid)

    def kill(self) -> None:
        """End the process."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                os.kill(self._process.pid, signal.SIGKILL)
