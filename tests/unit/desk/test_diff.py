"""How a comparison is shown: escaped, marked, coloured within bounds, folded."""

from __future__ import annotations

from typing import Any

from atelier.desk.pages.diff import COLOURED_CHARACTERS, stretches


def line(*segments: tuple[str, str], number: int = 1) -> dict[str, Any]:
    return {"line": number, "segments": [list(one) for one in segments]}


def part(*rows: dict[str, Any], kind: str = "prose", state: str = "changed") -> dict[str, Any]:
    side = {"number": 1, "line": 1, "cell": None, "language": "python", "level": None}
    return {
        "kind": kind,
        "state": state,
        "score": 0.5,
        "weight": 1.0,
        "expected": side,
        "answer": side,
        "rows": list(rows),
        "notes": [],
        "cut": False,
    }


def row(state: str, answer: Any, expected: Any = None) -> dict[str, Any]:
    return {"state": state, "answer": answer, "expected": expected}


def answers(*parts: dict[str, Any]) -> list[str]:
    return [
        str(one.answer.html)
        for stretch in stretches({"parts": list(parts)})
        for block in stretch.blocks
        for run in block.runs
        for one in run.rows
        if one.answer is not None
    ]


def test_a_text_is_escaped_and_its_differences_are_marked() -> None:
    shown = answers(
        part(row("changed", line(("equal", "a <b> & "), ("added", "<script>"), ("near", "3.1"))))
    )
    assert shown == ["a &lt;b&gt; &amp; <ins>&lt;script&gt;</ins><mark>3.1</mark>"]


def test_code_is_coloured_and_its_marks_stay_where_they_are() -> None:
    (shown,) = answers(
        part(
            row("changed", line(("equal", "import "), ("added", "os"), ("equal", "  # <x>"))),
            kind="code",
        )
    )
    assert '<span class="k">import</span>' in shown
    assert "<ins>" in shown
    assert "&lt;x&gt;" in shown
    assert shown.count("<ins>") == shown.count("</ins>") == 1


def test_a_string_over_several_lines_is_coloured_in_each() -> None:
    shown = answers(
        part(
            row("equal", line(("equal", "x = '''one"))),
            row("equal", line(("equal", "two'''"))),
            kind="code",
            state="equal",
        )
    )
    assert all('class="s' in one for one in shown)


def test_long_code_is_left_plain() -> None:
    (shown,) = answers(
        part(row("added", line(("added", "x" * COLOURED_CHARACTERS + " = 1"))), kind="code")
    )
    assert "<span" not in shown


def test_what_is_equal_is_folded() -> None:
    rows = [row("equal", line(("equal", str(number)))) for number in range(30)]
    equal, changed = part(state="equal"), part(*rows)
    found = stretches({"parts": [equal, equal, changed]})
    assert [(stretch.folded, len(stretch.blocks)) for stretch in found] == [(True, 2), (False, 1)]
    assert [(run.folded, len(run.rows)) for run in found[1].blocks[0].runs] == [
        (False, 3),
        (True, 24),
        (False, 3),
    ]
