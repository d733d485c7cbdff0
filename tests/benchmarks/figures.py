"""One line a figure: `bench NAME ours=V peer=V ratio=R unit=U`; a ratio above 1: ours is better."""

from __future__ import annotations


def line(name: str, ours: float, peer: float | None, unit: str) -> str:
    """Write a figure for which less is better (seconds, MiB).

    Args:
        name: without spaces.
        ours: what this project takes.
        peer: what the stock part takes in the same run; None where no stock part does the job.
        unit: e.g. `s`.
    """
    beside = "-" if peer is None else f"{peer:.2f}"
    ratio = "-" if peer is None else f"{peer / ours:.2f}"
    return f"bench {name} ours={ours:.2f} peer={beside} ratio={ratio} unit={unit}"
