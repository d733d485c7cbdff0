"""The most memory that any module of a playbook run takes, also one that goes on in the background.

Modules inherit the controller's environment on this machine: a mark in it tells them from all
other processes.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MARK = "ATELIER_BENCH_RUN"
EVERY = 0.2

_PEAK = re.compile(rb"VmHWM:\s*(\d+) kB")


@dataclass
class Weight:
    """What was weighed: the peak of the heaviest module, in MiB."""

    mark: str
    mib: float = 0.0
    _known: dict[str, bool] = field(default_factory=dict)

    def look(self) -> None:
        """Weigh all that are there now."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self._is_module(folder):
                    found = _PEAK.search((folder / "status").read_bytes())
                    self.mib = max(self.mib, int(found[1]) / 1024 if found else 0.0)
            except OSError:
                continue  # it has ended

    def _is_module(self, folder: Path) -> bool:
        if folder.name not in self._known:
            marked = f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes()
            controller = b"ansible-playbook" in (folder / "cmdline").read_bytes()
            self._known[folder.name] = marked and not controller
        return self._known[folder.name]


@contextmanager
def weighing() -> Iterator[Weight]:
    """Weigh, several times a second, what runs with ``MARK`` set to the mark given."""
    weight, over = Weight(secrets.token_hex(8)), threading.Event()

    def work() -> None:
        while not over.wait(EVERY):
            weight.look()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield weight
    finally:
        over.set()
        thread.join()
