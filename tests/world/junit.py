"""The report `test-results/junit.xml`: a second try put into it, and minutes by directory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

Case = ElementTree.Element
COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""Attributes of a suite, and the tags of the tests that they count."""


def put_in(whole: Path, second: Path) -> None:
    """Replace in `whole` the tests that ran a second time; both tries' seconds count."""
    tree = _read(whole)
    again = _by_name(_read(second).iter("testcase"))
    for suite in tree.iter("testsuite"):
        # a test has two entries when it failed and its fixture's end did too
        former = _by_name(suite.findall("testcase"))
        for name in again.keys() & former.keys():
            cases = again[name]
            seconds = sum(_seconds(case) for case in (*former[name], cases[0]))
            cases[0].set("time", f"{seconds:.3f}")
            for case in former[name]:
                suite.remove(case)
            suite.extend(cases)
        every = suite.findall("testcase")
        suite.set("tests", str(len(every)))
        for attribute, tag in COUNTED.items():
            suite.set(attribute, str(sum(case.find(tag) is not None for case in every)))
    tree.write(whole, encoding="utf-8", xml_declaration=True)


def _read(path: Path) -> ElementTree.ElementTree[Case]:
    return ElementTree.parse(path)  # noqa: S314 - pytest has written it


def _by_name(cases: Iterable[Case]) -> dict[tuple[str | None, str | None], list[Case]]:
    found: dict[tuple[str | None, str | None], list[Case]] = {}
    for case in cases:
        found.setdefault((case.get("classname"), case.get("name")), []).append(case)
    return found


def _seconds(case: Case) -> float:
    return float(case.get("time", 0))


def minutes(report: Path) -> dict[str, float]:
    """Add up the tests' minutes, fixtures included, by directory; the longest first."""
    total: dict[str, float] = defaultdict(float)
    for case in _read(report).iter("testcase"):
        if directory := _directory(case.get("classname", "")):  # an interruption has none
            total[directory] += _seconds(case) / 60
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def _directory(classname: str) -> str:
    """Return `unit` for tests.unit.world.test_run, `integration_modules` for what is in there."""
    _, _, below = classname.partition("tests.")
    first, *others = below.split(".")
    return f"{first}_{others[0]}" if first == "integration" and len(others) > 1 else first


def table(total: Mapping[str, float], whole: float) -> str:
    """Write minutes by directory for people, and those of the whole run."""
    rows = [*total.items(), ("from beginning to end", whole)]
    return "\n".join(f"{minutes:8.1f} min  {name}" for name, minutes in rows)
