"""Which names of a test come from the answer."""

from __future__ import annotations

import pytest
from atelier.sandbox.programs.names import brought, wanted


@pytest.mark.parametrize(
    ("code", "answers", "own"),
    [
        ("assert mean == 3", {"mean"}, set()),
        ("expected = 3\nassert mean == expected", {"mean"}, {"expected"}),
        ("values = sorted(values)", {"values", "sorted"}, set()),
        ("total += 1", {"total"}, set()),
        ("import numpy as np\nassert np.isclose(mean, 3)", {"mean"}, {"np"}),
        ("import os.path\nos.path", set(), {"os"}),
        ("def check(x):\n    y = x\n    return y == limit\ncheck(a)", {"a", "limit"}, {"check"}),
        ("def f():\n    return expected\nexpected = 3\nf()", set(), {"f", "expected"}),
        ("for x in values:\n    assert f(x)", {"values", "f"}, {"x"}),
        ("[mean for mean in values]\nmean", {"values", "mean"}, set()),
        ("[f(x) for x in range(3)]", {"f", "range"}, set()),
        ("lambda x: f(x)", {"f"}, set()),
        ("try:\n    f()\nexcept Own as error:\n    error", {"f", "Own"}, {"error"}),
        ("with open('x') as file:\n    file", {"open"}, {"file"}),
        ("(y := f(1)) + y", {"f"}, {"y"}),
        ("class A(B):\n    c = d\nA", {"B", "d"}, {"A"}),
        ("x: int = mean", {"int", "mean"}, {"x"}),
    ],
)  # fmt: skip
def test_names_of_a_test(code: str, answers: set[str], own: set[str]) -> None:
    assert wanted(code) == answers
    assert brought(code) == own
