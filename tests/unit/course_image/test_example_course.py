"""The example course, which a teacher may copy: clean notebooks, data as described."""

from __future__ import annotations

import csv
import json
import math
import re

import pytest

from .conftest import ROOT

COURSE = ROOT / "files/example-course"
FILES = (
    "README.md",
    "data/series.csv",
    "journal.md",
    "notebooks/pi_python.ipynb",
    "notebooks/pi_r.ipynb",
    "notes.org",
    "rapport.Rmd",
)


def test_every_file_is_there_and_described() -> None:
    readme = (COURSE / "README.md").read_text(encoding="utf-8")
    for name in FILES:
        assert (COURSE / name).is_file()
        assert name == "README.md" or readme.count(f"`{name}`") >= 2, f"{name}: in both languages"


@pytest.mark.parametrize(("name", "kernel"), [("pi_python", "python3"), ("pi_r", "ir")])
def test_notebooks_are_clean(name: str, kernel: str) -> None:
    notebook = json.loads((COURSE / f"notebooks/{name}.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == kernel
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", identifier) for identifier in identifiers)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_the_series_is_what_the_readme_says() -> None:
    with (COURSE / "data/series.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["minute"]) for row in rows] == list(range(61))
    for row in rows:
        expected = 20 + 65 * math.exp(-int(row["minute"]) / 25)
        assert abs(float(row["temperature"]) - expected) < 4 * 0.4


def test_to_open_a_notebook_changes_nothing_in_it() -> None:
    """JupyterLab writes the running kernel's language into a notebook that lacks a part of it."""
    parts = {"codemirror_mode", "file_extension", "mimetype", "name", "version"}
    found = sorted((ROOT / "files").glob("example-*/**/*.ipynb"))
    assert found
    for notebook in found:
        language = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["language_info"]
        assert parts <= language.keys(), notebook
