"""Notebooks as git sees them: without outputs where the course says so, merged cell by cell."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

SUFFIX = ".ipynb"
MERGE_SECONDS = 60
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
    """Merge two versions of a notebook, cell by cell (nbdime).

    Outputs and execution counts that contradict each other are left out: running the notebook
    makes them again. Anything else that contradicts makes it None.

    Every line that one of the versions added must be in the result; this is checked here,
    whatever nbdime decided.
    """
    from nbdime.merging.notebooks import merge_notebooks
    from nbformat.v4 import nbjson

    reader: Any = nbjson.JSONReader()
    writer: Any = nbjson.JSONWriter()

    versions = (base, ours, theirs)
    if any(_read(raw) is None for raw in versions):
        return None
    try:
        before, here, there = (reader.reads(raw.decode("utf-8")) for raw in versions)
        how = Namespace(
            merge_strategy="mergetool",  # decide nothing that contradicts
            input_strategy=None,
            output_strategy="clear-all",
            ignore_transients=True,
            log_level="WARNING",
        )
        merged, decisions = merge_notebooks(before, here, there, how)
        if any(decision.conflict for decision in decisions):
            return None
        _name_cells(merged)
        added = (_lines(here) | _lines(there)) - _lines(before)
        if not added <= _lines(merged):
            return None
        return f"{writer.writes(merged)}\n".encode()
    except Exception:  # whatever a strange notebook does to the libraries: both are kept
        return None


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
