"""Runs inside a server: prints the memory of a process and its descendants, in MiB.

Shared pages count by halves, thirds, ... (proportional set size), so that sums are true.
"""

from __future__ import annotations

import sys
from pathlib import Path


def family(pid: str) -> list[str]:
    """Return a process and its descendants."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = [child for tasks in lists for child in tasks.read_text().split()]
    return [pid, *(member for child in children for member in family(child))]


def kib(pid: str) -> int:
    """Return one process's proportional set size, in KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


print(sum(kib(pid) for pid in family(sys.argv[1])) / 1024)
