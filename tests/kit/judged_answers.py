"""Reads the answers judged by hand in ``tests/answers``; its README describes the format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml
from world import paths

TABLE = paths.ROOT / "tests" / "answers"


@dataclass(frozen=True)
class Judged:
    """One answer: the learner's files by path (None: deleted), and what a person said of them."""

    name: str
    kind: str
    passes: bool
    fails: tuple[str, ...]
    files: dict[str, bytes | None]


@dataclass(frozen=True)
class JudgedExercise:
    """One exercise with the template's file and all answers; the model answer is the first."""

    data: dict[str, Any]
    template: bytes
    solution: bytes
    answers: tuple[Judged, ...]

    @property
    def file(self) -> str:
        """Path of the file that learners edit."""
        return str(self.data["file"])

    def earns(self, answer: Judged, part: str) -> bool | None:
        """Return whether an answer earns a part's points; None if nothing is said about that."""
        if answer.passes:
            return True
        if part in answer.fails:
            return False
        names = {one["name"] for one in self.data["parts"]}
        return True if answer.kind == "wrong" and names.issuperset(answer.fails) else None


def exercises() -> list[str]:
    """Return the names of all exercises."""
    return sorted(path.parent.name for path in TABLE.glob("*/exercise.yml"))


def read(name: str) -> JudgedExercise:
    """Read an exercise and its answers."""
    folder = TABLE / name
    data = yaml.safe_load((folder / "exercise.yml").read_text(encoding="utf-8"))
    file = str(data["file"])
    suffix = PurePosixPath(file).suffix
    template = (folder / f"template{suffix}").read_bytes()
    solution = (folder / f"solution{suffix}").read_bytes()
    answers = [Judged("the model answer", "plain", True, (), {file: solution})]
    for one in yaml.safe_load((folder / "answers.yml").read_text(encoding="utf-8")):
        files = _files(one, file, template)
        fails = tuple(one.get("fails", ()))
        answers.append(Judged(one["name"], one["kind"], one["verdict"] == "pass", fails, files))
    return JudgedExercise(data, template, solution, tuple(answers))


def _files(answer: dict[str, Any], file: str, template: bytes) -> dict[str, bytes | None]:
    if "files" in answer:
        written = {
            path: None if text is None else str(text).encode()
            for path, text in answer["files"].items()
        }
        return {file: template, **written}
    if "edits" in answer:
        text = template.decode()
        for edit in answer["edits"]:
            text = text.replace(edit["old"], edit["new"])
        return {file: text.encode()}
    if isinstance(answer["code"], str):
        return {file: answer["code"].encode()}
    return {file: _notebook(answer["code"], json.loads(template))}


def _notebook(cells: list[dict[str, Any]], template: dict[str, Any]) -> bytes:
    given = {cell["id"]: cell for cell in template["cells"]}
    made = []
    for number, cell in enumerate(cells):
        if "given" in cell:
            made.append(given[cell["given"]])
            continue
        for copy in range(cell.get("times", 1)):
            made.append(_cell(cell, f"new-{number}-{copy}", copy))
    return json.dumps({**template, "cells": made}).encode()


def _cell(cell: dict[str, Any], name: str, copy: int) -> dict[str, Any]:
    kind = "code" if "code" in cell else "markdown"
    source = str(cell[kind]).replace("{n}", str(copy))
    made = {"cell_type": kind, "id": cell.get("id", name), "metadata": {}, "source": source}
    if kind == "code":
        text = cell.get("outputs")
        shown = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
        made |= {"execution_count": cell.get("count"), "outputs": shown}
    return made
