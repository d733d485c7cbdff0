"""Rules about what one learner of a course may use, and what they may save."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    as_integer,
)
from ansible_collections.mooc.atelier.plugins.module_utils._sizes import (
    LEAST_INODES,
    LEAST_SPACE,
    MOST_INODES,
    MOST_SPACE,
    size_bytes,
)

FEWEST_PIDS = 32
LEAST_MEMORY = 128 * 1024**2
OUTPUTS = ("keep", "strip")


def limit_findings(variable: str, course: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules about what one learner's server may use, whatever the machine."""
    memory = course.get("memory")
    if memory is not None:
        size = size_bytes(memory)
        if size is None:
            yield Finding(
                f"{variable}.memory", f"is not a size ({memory})", "Examples: 512M, 1G, 1.5G."
            )
        elif size < LEAST_MEMORY:
            yield Finding(
                f"{variable}.memory",
                f"is too little to start a notebook ({memory})",
                "Use 512M or more. A number without a unit is in bytes.",
            )
    cpu = course.get("cpu")
    if cpu is not None and (cpu_count(cpu) or 0) <= 0:
        yield Finding(
            f"{variable}.cpu", f"is not a number of processors ({cpu})", "Examples: 0.5, 1, 2.0."
        )
    pids = course.get("pids")
    if pids is not None and (as_integer(pids) or 0) < FEWEST_PIDS:
        yield Finding(
            f"{variable}.pids",
            f"is not a usable number of processes ({pids})",
            f"Use {FEWEST_PIDS} or more; 256 suits most courses.",
        )


def home_findings(variable: str, course: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules about what one learner may keep on the server."""
    space = course.get("space")
    if space is not None:
        size = size_bytes(space)
        if size is None:
            yield Finding(f"{variable}.space", f"is not a size ({space})", "Examples: 512M, 1G.")
        elif not LEAST_SPACE <= size <= MOST_SPACE:
            yield Finding(
                f"{variable}.space",
                f"is not a usable space for a learner's files ({space})",
                "Use 64M to 4T; 1G suits most courses. A number without a unit is in bytes.",
            )
    inodes = course.get("inodes")
    if inodes is not None and not LEAST_INODES <= (as_integer(inodes) or 0) <= MOST_INODES:
        yield Finding(
            f"{variable}.inodes",
            f"is not a usable number of files and folders ({inodes})",
            f"Use {LEAST_INODES} to {MOST_INODES}; 65536 suits most courses.",
        )


def cpu_count(value: Any) -> float | None:
    """Return a number of processors; None when it is none."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", str(value)):
        return None
    return float(value)


def saving_findings(variable: str, course: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules about what learners save to GitLab."""
    outputs = course.get("outputs", OUTPUTS[0])
    if outputs not in OUTPUTS:
        yield Finding(
            f"{variable}.outputs",
            f"is unknown ({outputs})",
            "Use keep (commits have notebooks with their outputs) or strip (without).",
        )
    size = course.get("max_file_mb")
    if size is not None and (as_integer(size) or 0) < 1:
        yield Finding(
            f"{variable}.max_file_mb",
            f"is not a number of megabytes ({size})",
            "Use 1 or more; 10 suits most courses.",
        )
