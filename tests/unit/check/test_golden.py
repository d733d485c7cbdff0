"""Comparisons by hand: one file of cases for each format in golden/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from atelier.exercises.engine import compare
from atelier.exercises.model import Rule

FOLDER = Path(__file__).with_name("golden")
CASES = [
    pytest.param(file.stem, case, id=f"{file.stem}-{case['name']}")
    for file in sorted(FOLDER.glob("*.yml"))
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


def cell(data: dict[str, Any]) -> dict[str, Any]:
    kind = "code" if "code" in data else "markdown"
    made: dict[str, Any] = {"cell_type": kind, "metadata": data.get("metadata", {})}
    made["source"] = data[kind].splitlines(keepends=True)
    if "id" in data:
        made["id"] = data["id"]
    if kind == "code":
        made["execution_count"] = data.get("execution_count")
        made["outputs"] = [
            {"output_type": "stream", "name": "stdout", "text": text}
            for text in data.get("outputs", [])
        ]
    return made


def written(content: Any, encoding: str = "utf-8") -> bytes | None:
    if isinstance(content, list):
        cells = [cell(one) for one in content]
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        content = json.dumps(notebook, ensure_ascii=False)
    return None if content is None else str(content).encode(encoding)


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_a_case_comes_out_as_by_hand(kind: str, case: dict[str, Any]) -> None:
    rule = Rule.from_json({"format": kind, **case.get("rule", {})})
    answer = written(case.get("answer", case["expected"]), case.get("encoding", "utf-8"))
    if "text" in case:
        answer = case["text"].encode()
    if "bytes" in case:
        answer = bytes.fromhex(case["bytes"])
    expected = written(case["expected"]) or b""
    found = compare(expected, answer, rule, written(case.get("given")))

    parts = []
    for part in found["parts"]:
        shown = f"{part['state']} {part['kind']}"
        parts.append(shown if part["score"] in (0, 1) else f"{shown} {part['score']:.2g}")
    problem = found["problem"]
    notes = [note["key"] for part in found["parts"] for note in part["notes"]]
    outcome = {
        "score": found["score"],
        "problem": problem and problem["key"].removeprefix("check_"),
        "warnings": [one["key"].removeprefix("check_") for one in found["warnings"]],
    }
    wanted = {
        "score": case["score"],
        "problem": case.get("problem"),
        "warnings": case.get("warnings", []),
    }
    if "parts" in case:
        outcome |= {"parts": parts, "notes": [key.removeprefix("check_") for key in notes]}
        wanted |= {"parts": case["parts"], "notes": case.get("notes", [])}
    assert outcome == wanted
    json.dumps(found)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yml")), ids=lambda file: file.stem)
def test_each_format_has_a_dozen_cases(file: Path) -> None:
    assert len(yaml.safe_load(file.read_text(encoding="utf-8"))) >= 12
