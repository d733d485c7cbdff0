"""What starts sandboxes, as the relay sees it."""

from __future__ import annotations

from typing import Protocol

from atelier.sandbox.model import RunLimits

LONGEST_LINE = 8 * 2**20
"""Longest line that is read from a sandbox."""

ENVIRONMENT = {
    "HOME": "/tmp/home",  # noqa: S108 (the sandbox's own memory)
    "IPYTHONDIR": "/tmp/ipython",  # noqa: S108
    "LANG": "C.UTF-8",
    "LANGUAGE": "en",  # R's error messages are read
    "LC_ALL": "C.UTF-8",
    "MPLCONFIGDIR": "/tmp/matplotlib",  # noqa: S108
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "USER": "learner",
}
"""What every sandbox has in its environment: the same at each run, and nothing of the site."""


class EngineError(Exception):
    """A sandbox cannot be started."""


class Stream(Protocol):
    """A running sandbox: its standard input and output."""

    async def readline(self) -> bytes:
        """Return the next line; empty when the sandbox has ended or the line is too long."""

    async def write(self, data: bytes) -> None:
        """Send data; nothing happens when the sandbox has ended."""

    async def ran_out_of_memory(self) -> bool:
        """Return whether a process was ended because memory was short."""

    async def stop(self) -> None:
        """End and remove the sandbox."""


class Sandbox(Protocol):
    """Starts sandboxes."""

    async def start(
        self, image: str, command: tuple[str, ...], stdin: bytes, limits: RunLimits
    ) -> Stream:
        """Start a command in a new sandbox, and send it the beginning of its standard input.

        Raises:
            EngineError: it does not start.
        """
