"""Of a drawn test's cases a run takes one."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CASES = """
import pytest

@pytest.mark.drawn
@pytest.mark.parametrize("moment", ["early", "late", "last"])
def test_killed(moment):
    pass

@pytest.mark.parametrize("number", [1, 2])
def test_whole(number):
    pass
"""


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("ATELIER_SOAK", raising=False)
    pytester.makeini("[pytest]\nmarkers = drawn")
    pytester.makepyfile(test_cases=CASES)
    return pytester


def names(folder: pytest.Pytester, *words: str) -> list[str]:
    seen = folder.inline_run("--collect-only", "-p", "pytest_hooks.drawn", *words)
    [finished] = seen.getcalls("pytest_collection_finish")
    return [item.name for item in finished.session.items]


def test_the_seed_draws_one_case_and_leaves_other_tests_whole(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = set()
    for seed in range(3):
        monkeypatch.setenv("ATELIER_SEED", str(seed))
        case, *others = names(folder)
        assert others == ["test_whole[1]", "test_whole[2]"]
        drawn.add(case)
    assert drawn == {f"test_killed[{moment}]" for moment in ("early", "late", "last")}


def test_each_test_draws_for_itself(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = (CASES.replace("killed", f"killed_{number}") for number in range(20))
    folder.makepyfile(**{f"test_more_{number}": text for number, text in enumerate(tests)})
    monkeypatch.setenv("ATELIER_SEED", "0")
    cases = {name.partition("[")[2] for name in names(folder) if name.startswith("test_killed_")}
    assert cases == {"early]", "late]", "last]"}


def test_a_case_that_is_named_runs(
    folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_SEED", "0")
    assert names(folder, "test_cases.py::test_killed[last]") == ["test_killed[last]"]


def test_the_soak_runs_all(folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_SOAK", "1")
    assert len(names(folder)) == 5
