"""Rules about what one learner of a course may use, and what they may save."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight import Finding, as_integer

FEWEST_PIDS = 32
LEAST_MEMORY = 128 * 1024**2
UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
OUTPUTS = ("keep", "strip")


def limit_findings(variable: str, course: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules about what one learner's server may use, whatever the machine."""
    memory = course.get("memory")
    if memory is not None:
        size = memory_bytes(memory)
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


def memory_bytes(value: Any) -> int | None:
    """Return a size such as 512M, 1.5G or a number of bytes; None when it is none.

    >>> memory_bytes("1.5G"), memory_bytes("1GB")
    (1610612736, None)
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([KMGT]?)", str(value))
    if match is None or isinstance(value, bool):
        return None
    return int(float(match[1]) * UNITS[match[2]])


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
