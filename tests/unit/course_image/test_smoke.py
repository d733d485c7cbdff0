"""The smoke test names what does not work."""

from __future__ import annotations

from atelier_notebook import smoke

GOOD = {"python3": "python", "ir": "R"}


def test_all_well() -> None:
    said: list[str] = []
    assert smoke.check(GOOD, lambda _name, _language: None, said.append) == []
    assert [line.split(":")[0] for line in said] == ["kernel ir", "kernel python3"]


def test_a_kernel_that_does_not_start_is_named() -> None:
    failures = smoke.check(
        GOOD,
        lambda name, _: "does not start: no R" if name == "ir" else None,
        lambda _: None,
    )
    assert failures == ["kernel ir: does not start: no R"]


def test_a_missing_kernel_is_named() -> None:
    failures = smoke.check({"python3": "python"}, lambda *_: None, lambda _: None)
    assert failures == ["kernel ir: is not installed"]


def test_a_courses_own_kernel_is_tried_too() -> None:
    tried: list[str] = []

    def try_one(name: str, _: str) -> None:
        tried.append(name)

    smoke.check({**GOOD, "julia-1.11": "julia"}, try_one, lambda _: None)
    assert sorted(tried) == ["ir", "julia-1.11", "python3"]
