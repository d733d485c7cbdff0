"""Notebooks as git sees them: without outputs where the course says so, merged cell by cell."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from atelier_toolbar import cells, git

SUFFIX = ".ipynb"
MERGE_SECONDS = 60
LAST_WITHOUT_IDS = 4
"""The last minor version of nbformat 4 whose cells have no ids."""
Merge = Callable[[bytes, bytes, bytes], bytes | None]
"""(base, ours, theirs) -> merged, or None when they contradict each other."""


def without_outputs(raw: bytes) -> bytes:
    """Return a notebook without outputs and execution counts.

    One that has none, and whatever is no notebook (nbformat 4), is returned as it is.
    """
    notebook = _read(raw)
    if notebook is None:
        return raw
    changed = False
    for cell in notebook["cells"]:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            if cell.get("outputs") or cell.get("execution_count") is not None:
                changed = True
            cell["outputs"] = []
            cell["execution_count"] = None
    if not changed:
        return raw
    # as nbformat writes it: the next save of an unchanged notebook is no change
    return (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict) and found.get("nbformat") == 4 and _cells(found) is not None:
        return found
    return None


def _cells(notebook: Mapping[str, Any]) -> list[Any] | None:
    cells = notebook.get("cells")
    return cells if isinstance(cells, list) else None


def _lines(notebook: Mapping[str, Any]) -> set[str]:
    """The lines that people wrote, of all cells."""
    found: set[str] = set()
    for cell in notebook["cells"]:
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        found.update(text.splitlines())
    return found


def _name_cells(notebook: Any) -> None:
    """Give every cell a name of its own where the format wants one (nbformat 4.5)."""
    if notebook.get("nbformat_minor", 0) < 5:
        return
    seen: set[str] = set()
    for cell in notebook["cells"]:
        if not cell.get("id") or cell["id"] in seen:
            cell["id"] = uuid.uuid4().hex[:8]
        seen.add(cell["id"])


def merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Merge two versions of a notebook, cell by cell.

    Cells are found by their ids (:mod:`atelier_toolbar.cells`), and by their likeness (nbdime) in
    notebooks that have none. What both changed, each in its own way, makes it None; what Jupyter
    writes by itself, such as outputs, never does.

    Every line that one of the versions added must be in the result; this is checked here,
    whatever was decided.
    """
    from nbformat.v4 import nbjson

    reader: Any = nbjson.JSONReader()
    writer: Any = nbjson.JSONWriter()
    versions = (base, ours, theirs)
    if any(_read(raw) is None for raw in versions):
        return None
    try:
        before, here, there = (reader.reads(raw.decode("utf-8")) for raw in versions)
        merged = _merged(before, here, there)
        added = (_lines(here) | _lines(there)) - _lines(before)
        if not added <= _lines(merged):
            return None
        return f"{writer.writes(merged)}\n".encode()
    except Exception:  # whatever a strange notebook does to the libraries: both are kept
        return None


def _merged(before: Any, here: Any, there: Any) -> Any:
    """Merge three notebooks that were read.

    Raises:
        ContradictionError: both sides changed the same thing, each in its own way.
    """
    if all(cells.has_ids(one) for one in (before, here, there)):
        return _node(cells.merge(before, here, there, _merge_cell))
    # Without ids on all sides they say nothing: a newer Jupyter adds them when it saves.
    metadata = cells.merge_metadata(
        before["metadata"], here["metadata"], there["metadata"], cells.OF_THE_KERNEL
    )
    merged = _by_nbdime(
        _without_ids(before, metadata, cells.OF_THE_DISPLAY),
        _without_ids(here, metadata),
        _without_ids(there, metadata, cells.OF_THE_DISPLAY),
    )
    merged["nbformat_minor"] = max(here["nbformat_minor"], there["nbformat_minor"])
    _name_cells(merged)
    return merged


def _merge_cell(before: Any, here: Any, there: Any) -> Any:
    """Merge the text of a cell that both sides changed; what it had computed is of neither.

    Raises:
        ContradictionError: both changed the same lines.
    """
    sides = (f"{cell['source']}\n".encode() for cell in (before, here, there))
    with TemporaryDirectory() as folder:
        result = git.merge_lines(Path(folder), *sides)
    if not result.ok:
        raise cells.ContradictionError(here["id"])
    merged = {**here, "source": result.raw.decode()[:-1]}
    if here["cell_type"] == "code":
        merged |= {"outputs": [], "execution_count": None}
    return merged


def _node(notebook: dict[str, Any]) -> Any:
    """Return a notebook as nbdime and nbformat's writer want it."""
    import nbformat

    from_dict: Any = nbformat.from_dict
    return from_dict(notebook)


def _without_ids(
    notebook: Any, metadata: dict[str, Any], dropped: frozenset[str] = frozenset()
) -> Any:
    """Return a notebook as a Jupyter that knows no ids would have written it.

    Args:
        notebook: what was read.
        metadata: that of the result.
        dropped: keys that are left out of the cells' metadata.
    """
    bare = []
    for cell in notebook["cells"]:
        kept = {key: value for key, value in cell["metadata"].items() if key not in dropped}
        bare.append({**cell, "metadata": kept})
        bare[-1].pop("id", None)
    minor = min(notebook["nbformat_minor"], LAST_WITHOUT_IDS)
    return _node({**notebook, "cells": bare, "metadata": metadata, "nbformat_minor": minor})


def _by_nbdime(before: Any, here: Any, there: Any) -> Any:
    """Merge notebooks by the likeness of their cells.

    Raises:
        ContradictionError: nbdime found a contradiction.
    """
    from nbdime.merging.notebooks import merge_notebooks

    how = Namespace(
        merge_strategy="mergetool",  # decide nothing that contradicts
        input_strategy=None,
        output_strategy="clear-all",
        ignore_transients=True,
        log_level="WARNING",
    )
    merged, decisions = merge_notebooks(before, here, there, how)
    if any(decision.conflict for decision in decisions):
        raise cells.ContradictionError
    return merged


def merge_apart(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Do :func:`merge` in a process of its own, which may take `MERGE_SECONDS`.

    The server stays free, and a notebook that nbdime cannot digest costs a minute at most.
    """
    question = json.dumps([raw.decode("latin-1") for raw in (base, ours, theirs)])
    try:
        done = subprocess.run(  # noqa: S603 - our own file, no shell
            # -P: no file of the learner's is taken for a library
            [sys.executable, "-P", __file__],
            input=question.encode(),
            capture_output=True,
            timeout=MERGE_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout or None if done.returncode == 0 else None


def main() -> None:
    """Merge what stands on standard input; write the result, or nothing."""
    base, ours, theirs = (text.encode("latin-1") for text in json.load(sys.stdin))
    merged = merge(base, ours, theirs)
    if merged is not None:
        sys.stdout.buffer.write(merged)


if __name__ == "__main__":
    main()
