"""`make bench-check`: a comparison of notebooks beside nbdime, as a command and in one process.

Both read the same two files in the same run, and neither looks at outputs: ours never does unless
it is asked to, nbdiff is told `--sources`. Each figure is the median of several rounds, by turns.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from atelier.exercises.engine import compare
from atelier.exercises.model import Comparison, Rule
from atelier.exercises.runner import Checker
from world import paths, venv
from world.run import say

from benchmarks import check_load
from benchmarks.figures import line

ROUNDS = 5
RULE = Rule("ipynb")
MIB = 1024**2
WORDS = (
    "temperature", "minute", "series", "model", "residual", "mean", "median", "variance", "sample",
    "noise", "cooling", "slope", "intercept", "estimate", "interval", "bootstrap", "figure", "axis",
    "legend", "column", "row", "missing", "value", "check",
)  # fmt: skip


def notebook(cells: int, weight: int, seed: int) -> dict[str, Any]:
    """A notebook as a course has them: text and code by turns, with outputs that weigh so much.

    Args:
        cells: how many.
        weight: bytes of pictures in the outputs, together.
        seed: for the words.
    """
    chance = random.Random(seed)
    made = []
    for number in range(cells):
        words = [chance.choice(WORDS) for _ in range(40)]
        cell: dict[str, Any] = {"id": f"cell{number}", "metadata": {}}
        if number % 3 == 0:
            text = f"## Step {number}\n\n{' '.join(words[:20])}\n{' '.join(words[20:])}.\n"
            cell |= {"cell_type": "markdown", "source": text.splitlines(keepends=True)}
        else:
            lines = [
                f"{words[k]}_{number} = {words[k + 1]}({words[k + 2]}, {chance.random():.3f})\n"
                for k in range(0, 36, 3)
            ]
            picture = chance.randbytes(weight * 9 // (8 * cells))  # two cells in three, in base64
            data = {"image/png": base64.b64encode(picture).decode(), "text/plain": "<Figure>"}
            output = {"output_type": "display_data", "data": data, "metadata": {}}
            outputs = [output] if picture else []
            cell |= {"cell_type": "code", "source": lines, "execution_count": number}
            cell["outputs"] = outputs
        made.append(cell)
    metadata = {"language_info": {"name": "python"}}
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def answered(start: dict[str, Any], seed: int) -> dict[str, Any]:
    """The same as a learner hands it in: a tenth of the cells mended, some added, one removed."""
    chance = random.Random(seed)
    cells = json.loads(json.dumps(start["cells"]))
    for cell in chance.sample(cells, max(len(cells) // 10, 3)):
        place = chance.randrange(len(cell["source"]))
        cell["source"][place] = (
            cell["source"][place].replace("e", "a", 2).rstrip("\n") + " # mine\n"
        )
    for number in range(max(len(cells) // 50, 1)):
        source = [f"print('my own cell {number}')\n"]
        mine = {"cell_type": "code", "id": f"mine{number}", "metadata": {}, "source": source}
        cells.insert(chance.randrange(len(cells)), {**mine, "execution_count": 1, "outputs": []})
    del cells[chance.randrange(len(cells))]
    return {**start, "cells": cells}


def seconds(act: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


class Pair:
    """Two files and the four ways to compare them."""

    def __init__(self, folder: Path, name: str, start: dict[str, Any]) -> None:
        self.name = name
        self.files = [folder / f"{name}-{side}.ipynb" for side in ("expected", "answer")]
        self.files[0].write_text(json.dumps(start, indent=1))
        self.files[1].write_text(json.dumps(answered(start, 7), indent=1))
        self.size = self.files[1].stat().st_size

    def ours(self) -> Comparison:
        """Our engine, in this process, from the files' bytes."""
        expected, answer = (file.read_bytes() for file in self.files)
        return compare(expected, answer, RULE)

    def nbdimes(self) -> Any:
        """nbdime's, in this process, from the files."""
        import nbformat
        from nbdime.diffing import diff_notebooks

        return diff_notebooks(*(nbformat.read(file, as_version=4) for file in self.files))

    def command(self) -> None:
        """The command nbdiff."""
        words = [venv.program("nbdiff"), "--sources", "--no-color", *map(str, self.files)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    async def bounded(self, checker: Checker) -> float:
        """Our engine as the desk uses it, in a process with limits; seconds."""
        expected, answer = (file.read_bytes() for file in self.files)
        began = time.perf_counter()
        found = await checker.check(expected, answer, RULE)
        took = time.perf_counter() - began
        if found["problem"] or not 0.8 < found["score"] < 1:
            raise SystemExit(f"{self.name} was not compared: {found['problem']} {found['score']}")
        return took


def only_sources() -> None:
    """Have nbdime look at what ours looks at."""
    from nbdime.diffing.notebooks import set_notebook_diff_targets

    set_notebook_diff_targets(
        outputs=False, attachments=False, metadata=False, identifier=False, details=False
    )


async def figures(pair: Pair, checker: Checker) -> list[str]:
    """Two lines for a pair of files."""
    times: dict[str, list[float]] = {"bounded": [], "command": [], "ours": [], "nbdime": []}
    for _ in range(ROUNDS):
        times["bounded"].append(await pair.bounded(checker))
        times["command"].append(seconds(pair.command))
        times["ours"].append(seconds(pair.ours))
        times["nbdime"].append(seconds(pair.nbdimes))
    median = {kind: statistics.median(values) * 1000 for kind, values in times.items()}
    return [
        line(f"check_{pair.name}_against_nbdiff", median["bounded"], median["command"], "ms"),
        line(f"check_{pair.name}_in_process", median["ours"], median["nbdime"], "ms"),
    ]


async def measure(folder: Path) -> list[str]:
    """All figures."""
    pairs = [
        Pair(folder, "30_cells", notebook(30, 0, 1)),
        Pair(folder, "500_cells", notebook(500, 0, 2)),
        Pair(folder, "5_mib", notebook(120, 5 * MIB, 3)),
    ]
    only_sources()
    found = []
    async with Checker() as checker:
        for pair in pairs:
            say(f"   {pair.name}: {pair.size / MIB:.1f} MiB, {ROUNDS} rounds")
            found += await figures(pair, checker)
    return found


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="bench-check-") as name:
        found = asyncio.run(measure(Path(name)))
    start = notebook(30, 0, 1)
    found += check_load.figures(start, answered(start, 7))
    paths.RESULTS.mkdir(exist_ok=True)
    (paths.RESULTS / "bench-check.txt").write_text("\n".join(found) + "\n")
    say("\n".join(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
