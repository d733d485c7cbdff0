"""What a wrong answer does to its own process helps it in no test."""

from __future__ import annotations

import pytest
from atelier.sandbox.model import RunLimits
from kit import cheats
from kit.local_sandbox import LocalSandbox, run_file, scores

LIMITS = RunLimits(seconds=3)

pytestmark = pytest.mark.long


def test_the_right_answer_passes_and_the_wrong_one_does_not() -> None:
    right = run_file(LocalSandbox(), "a.py", cheats.RIGHT, cheats.TESTS, limits=LIMITS)
    wrong = run_file(LocalSandbox(), "a.py", cheats.WRONG, cheats.TESTS, limits=LIMITS)
    assert set(scores(right).values()) == {1.0}
    assert set(scores(wrong).values()) == {0.0}


@pytest.mark.parametrize("name", cheats.PYTHON)
def test_a_cheat_passes_no_test(name: str) -> None:
    source = cheats.WRONG + cheats.PYTHON[name].replace("{terces}", cheats.SECRET[::-1])
    found = run_file(LocalSandbox(), "a.py", source, cheats.TESTS, limits=LIMITS)
    assert set(scores(found).values()) == {0.0}
    assert cheats.SECRET not in str(found.error)


@pytest.mark.parametrize("name", ["sitecustomize.py", "math.py", "json.py", "ast.py", "random.py"])
def test_a_file_beside_the_answer_is_no_module_of_the_tests(name: str) -> None:
    """Neither for the tests nor for what runs the answer."""
    planted = {name: b"import os\nisclose = lambda *a: True\ndumps = lambda *a: 'true'\n"}
    right = run_file(LocalSandbox(), "a.py", cheats.RIGHT, cheats.TESTS, files=planted)
    wrong = run_file(LocalSandbox(), "a.py", cheats.WRONG, cheats.TESTS, files=planted)
    assert set(scores(right).values()) == {1.0}
    assert set(scores(wrong).values()) == {0.0}
