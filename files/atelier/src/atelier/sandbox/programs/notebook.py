"""Runs a Python notebook with nbclient and a real kernel, from top to bottom."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from atelier.sandbox.programs.answer import Door, Failure, Opened, Output, explained, interrupt
from atelier.sandbox.programs.bundle import host_program
from atelier.sandbox.programs.cells import Code

_SERVE = (
    "from atelier.sandbox.programs.agent import serve as _atelier_serve; _atelier_serve({path!r})"
)
"""Only an import and a call: a notebook may use any name of Python's own for something else."""


class NotebookRunner:
    """Runs one notebook."""

    def __init__(self, code: Code, job: dict[str, Any], folder: Path) -> None:
        self.output = Output(job["output_bytes"])
        self.begun = asyncio.Event()
        self.pid = 0
        self.place: int | None = None
        self._code = code
        self._folder = (folder / job["file"]).parent
        self._manager: AsyncKernelManager | None = None
        self._output_bytes = job["output_bytes"]

    async def run(self) -> Opened:
        """Run the notebook."""
        private = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 (the sandbox's own)
        door = Door(str(private / "door"))
        await door.open()
        host = private / "kernel.py"
        host.write_text(host_program("kernel", self._output_bytes), "utf-8")
        try:
            notebook: Any = nbformat.reads(json.dumps(self._code.notebook), as_version=4)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise Failure("run_unreadable", None, f"{type(error).__name__}: {error}") from None
        client = _Client(notebook, self.output)
        manager = self._manager = AsyncKernelManager(transport="ipc", ip=str(private / "kernel"))
        argv = [sys.executable, str(host), "-f", "{connection_file}"]
        manager._kernel_spec = KernelSpec(argv=argv, display_name="Python", language="python")
        client.km = manager
        await client.async_start_new_kernel(
            cwd=str(self._folder), stdout=_quiet(), stderr=_quiet(), stdin=_quiet()
        )
        self.pid = int(getattr(manager.provisioner, "pid", 0) or 0)
        await client.async_start_new_kernel_client()
        await self._run_cells(client)
        assert client.kc is not None  # noqa: S101 (for mypy)
        client.kc.execute(_SERVE.format(path=door.path), silent=True, store_history=False)
        return await door.connected(self._dead())

    async def _run_cells(self, client: _Client) -> None:
        at = -1
        self.begun.set()
        for number, cell in enumerate(client.nb.cells, start=1):
            if cell.cell_type != "code":
                continue
            at += 1
            self.place = number
            cell.outputs = []
            try:
                await client.async_execute_cell(cell, number - 1)
            except CellExecutionError as error:
                raise explained(self._code, at, error.ename, error.evalue, number) from None
            except DeadKernelError:
                raise Failure("run_died", number) from None
        self.place = None

    async def _dead(self) -> None:
        """Wait for the kernel's end, which only looking at it tells."""
        while self._manager is not None and await self._manager.is_alive():
            await asyncio.sleep(0.5)

    def interrupt(self) -> None:
        """Interrupt the kernel."""
        if self.pid:
            interrupt(self.pid)

    def kill(self) -> None:
        """End the kernel."""
        if self.pid:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)


class _Client(NotebookClient):
    """Counts outputs rather than keeping them."""

    def __init__(self, notebook: Any, output: Output) -> None:
        super().__init__(
            notebook, timeout=None, record_timing=False, store_widget_state=False,
            error_on_timeout=None, allow_errors=False, coalesce_streams=False,
            skip_cells_with_tag="",
        )  # fmt: skip
        self._output = output

    def output(self, outs: Any, msg: Any, display_id: Any, cell_index: int) -> Any:  # noqa: ARG002
        """Count one output."""
        content = msg["content"]
        kind = msg["msg_type"]
        if kind == "stream":
            self._output.add(content["text"], kept=content["name"] == "stdout")
        elif kind in {"execute_result", "display_data", "update_display_data"}:
            data = dict(content["data"])
            text = data.pop("text/plain", "")
            self._output.show(len(str(data)))
            self._output.add(f"{text}\n", kept=kind == "execute_result")
        return None


def _quiet() -> int:
    return os.open(os.devnull, os.O_RDWR)
