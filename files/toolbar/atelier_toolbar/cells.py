"""Three-way merges of notebooks whose cells have ids (nbformat 4.5): a cell is found by its id.

What Jupyter writes by itself never contradicts: outputs, execution counts and times, the kernel's
name and version, widgets' states, what is folded or scrolled. Where both wrote it, ours stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Cell = dict[str, Any]
MergeCell = Callable[[Cell, Cell, Cell], Cell]
"""(base, ours, theirs) -> a cell whose text has what both wrote.

Raises:
    ContradictionError: there is none.
"""

OF_THE_KERNEL = frozenset({"kernelspec", "language_info", "widgets"})
"""Keys of a notebook's metadata that Jupyter writes when a kernel starts or a notebook is saved."""
OF_THE_DISPLAY = frozenset(
    {"scrolled", "collapsed", "autoscroll", "jupyter", "execution", "ExecuteTime", "hidden"}
)
"""Keys of a cell's metadata that say how it is shown, and when it ran."""
_RUN = ("outputs", "execution_count")
_MISSING = object()


class ContradictionError(Exception):
    """Both sides changed the same thing, each in its own way."""


def has_ids(notebook: Mapping[str, Any]) -> bool:
    """Whether each cell has an id of its own."""
    ids = [cell.get("id") for cell in notebook["cells"]]
    return all(ids) and len(set(ids)) == len(ids)


def merge(
    base: Mapping[str, Any],
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    merge_cell: MergeCell,
) -> dict[str, Any]:
    """Merge notebooks of which each cell has an id.

    A cell that one side removed and the other changed stays, as the other has it. Where both sides
    added cells in the same place, ours come first.

    Raises:
        ContradictionError: both sides changed the same cell, or the notebook's own metadata, each
            in its own way; or both put cells that were there in another order.
    """
    versions = [{cell["id"]: cell for cell in one["cells"]} for one in (base, ours, theirs)]
    before, here, there = versions
    cells: dict[str, Cell] = {}
    for name in {**here, **there}:
        if (cell := _cell(before.get(name), here.get(name), there.get(name), merge_cell)) is None:
            continue
        cells[name] = cell
    order = _order(list(before), list(here), list(there), cells)
    return {
        **ours,
        "cells": [cells[name] for name in order],
        "metadata": merge_metadata(
            base["metadata"], ours["metadata"], theirs["metadata"], OF_THE_KERNEL
        ),
        "nbformat_minor": max(ours["nbformat_minor"], theirs["nbformat_minor"]),
    }


def merge_metadata(
    base: Any, ours: Any, theirs: Any, never: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Merge mappings key by key, and mappings in them likewise.

    Args:
        base: what was there.
        ours: what we have.
        theirs: what they have.
        never: keys that never contradict; ours stays where both changed them.

    Raises:
        ContradictionError: both changed the same value of another key, each in its own way.
    """
    merged = {}
    for key in {**ours, **theirs}:
        old, mine, new = (side.get(key, _MISSING) for side in (base, ours, theirs))
        if mine == new or new == old:
            value = mine
        elif mine == old:
            value = new
        elif key in never:
            value = new if mine is _MISSING else mine
        elif isinstance(mine, dict) and isinstance(new, dict):
            value = merge_metadata(old if isinstance(old, dict) else {}, mine, new)
        else:
            raise ContradictionError(key)
        if value is not _MISSING:
            merged[key] = value
    return merged


def _written(cell: Cell) -> tuple[Any, ...]:
    """What a person wrote of a cell."""
    metadata = {k: v for k, v in cell["metadata"].items() if k not in OF_THE_DISPLAY}
    return cell["cell_type"], cell["source"], cell.get("attachments"), metadata


def _cell(old: Cell | None, mine: Cell | None, new: Cell | None, both: MergeCell) -> Cell | None:
    """Return the cell that remains of three versions; None: it was removed."""
    if mine is None or new is None:
        one = mine or new
        if one is None or old is None:
            return one
        return None if _written(one) == _written(old) else one
    if old is None:  # added on both sides, as a copy of one file may be
        if _written(mine) != _written(new):
            raise ContradictionError(mine["id"])
        return mine
    if mine["cell_type"] != new["cell_type"]:
        changed = [one for one in (mine, new) if one["cell_type"] != old["cell_type"]]
        (one,) = changed if len(changed) == 1 else (None,)
        other = new if one is mine else mine
        if one is None or _written(other) != _written(old):
            raise ContradictionError(mine["id"])
        return one
    metadata = merge_metadata(old["metadata"], mine["metadata"], new["metadata"], OF_THE_DISPLAY)
    if mine["source"] == new["source"] or new["source"] == old["source"]:
        cell = dict(mine)
        if mine["source"] == old["source"] and _run(mine) == _run(old):
            cell |= _run(new)  # only they ran it
    elif mine["source"] == old["source"]:
        cell = dict(new)
    else:
        cell = both(old, mine, new)
    before, here, there = (one.get("attachments") or {} for one in (old, mine, new))
    attachments = merge_metadata(before, here, there)
    if attachments:
        cell["attachments"] = attachments
    else:
        cell.pop("attachments", None)
    return {**cell, "metadata": metadata}


def _run(cell: Cell) -> Cell:
    """What the last run of a cell left in it."""
    return {key: cell[key] for key in _RUN if key in cell}


def _order(
    before: Sequence[str], here: Sequence[str], there: Sequence[str], kept: Iterable[str]
) -> list[str]:
    """Return the ids of the cells that are kept, in the order that both sides want."""
    keep = set(kept)
    common = set(before) & set(here) & set(there)
    old, mine, new = ([name for name in side if name in common] for side in (before, here, there))
    if mine == old:
        spine, other = there, here
    elif new in (old, mine):
        spine, other = here, there
    else:
        raise ContradictionError("the order of the cells")
    order = [name for name in spine if name in keep]
    placed = set(order)
    after = 0  # the place behind the last cell that the other side has before the next one
    for name in other:
        if name in placed:
            after = order.index(name) + 1
        elif name in keep:
            if spine is here:  # ours come first, where both added cells
                while after < len(order) and order[after] not in before and order[after] in here:
                    after += 1
            order.insert(after, name)
            placed.add(name)
            after += 1
    return order
