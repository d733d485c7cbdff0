"""Rules about courses and consumers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.action.preflight import repositories
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.courses import (
    course_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import report
from ansible_collections.mooc.atelier.plugins.module_utils._schema import course as schema
from ansible_collections.mooc.atelier.plugins.module_utils._schema.sizes import size_bytes
from hypothesis import given
from hypothesis import strategies as some

COURSE: dict[str, Any] = {
    "slug": "rr1",
    "title": {"fr": "Recherche reproductible", "en": "Reproducible research"},
    "repository": "https://git.univ.fr/mooc/rr1.git",
}
CONSUMER: dict[str, Any] = {
    "key": "fun",
    "secret": "0123456789abcdef0123456789abcdef",
    "platform": "fun",
}


def grave(courses: Any = (COURSE,), consumers: Any = (CONSUMER,)) -> list[str]:
    settings = {"courses": courses, "consumers": consumers}
    return [finding.variable for finding in course_findings(settings) if finding.grave]


def course(**changes: Any) -> list[dict[str, Any]]:
    changed = {**COURSE, **changes}
    return [{key: value for key, value in changed.items() if value is not ...}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"repository": "git@git.univ.fr:mooc/rr1.git", "branch": "2026/autumn"},
        {"repository": "ssh://git@git.univ.fr:2222/mooc/rr1.git"},
        {"repository": "/srv/git/rr1.git"},
        {"repository": ..., "directory": "example"},
        {"memory": "1.5G", "cpu": 0.5, "pids": "256", "image": {"recipe": "none"}},
        {"consumers": ["fun"], "start_file": "module1/a b.ipynb"},
        {"state": "absent", "visibility": "private", "staff": []},
        {"expected": {"directory": "example"}, "grade": "last"},
        {"outputs": "strip", "max_file_mb": "25"},
        {"space": "512M", "inodes": "20000"},
    ],
)
def test_good_courses_pass(changes: dict[str, Any]) -> None:
    assert grave(course(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"slug": ...}, ".slug"),
        ({"slug": "RR1"}, ".slug"),
        ({"slug": "r"}, ".slug"),
        ({"slug": "rr-"}, ".slug"),
        ({"slug": "a" * 41}, ".slug"),
        ({"slug": "api"}, ".slug"),
        ({"slug": "uabcdefghijklmnop"}, ".slug"),
        ({"title": "Recherche"}, ".title"),
        ({"title": {"fr": "Recherche"}}, ".title"),
        ({"repository": ...}, ""),
        ({"directory": "example"}, ""),
        ({"repository": "rr1"}, ".repository"),
        ({"repository": "--upload-pack=x"}, ".repository"),
        ({"repository": "https://bot:glpat-x@git.univ.fr/rr1.git"}, ".repository"),
        ({"repository": "https://glpat-x@git.univ.fr/rr1.git"}, ".repository"),
        ({"branch": "-x"}, ".branch"),
        ({"expected": "example"}, ".expected"),
        ({"expected": {}}, ".expected"),
        ({"expected": {"repository": "rr1"}}, ".expected.repository"),
        ({"expected": {"directory": "example", "path": "x"}}, ".expected.path"),
        ({"grade": "mean"}, ".grade"),
        ({"outputs": "none"}, ".outputs"),
        ({"outputs": True}, ".outputs"),
        ({"max_file_mb": 0}, ".max_file_mb"),
        ({"space": "1 G"}, ".space"),
        ({"space": 1}, ".space"),
        ({"space": "99T"}, ".space"),
        ({"inodes": 10}, ".inodes"),
        ({"inodes": "many"}, ".inodes"),
        ({"max_file_mb": "10M"}, ".max_file_mb"),
        ({"image": "debian"}, ".image"),
        ({"image": {"recipe": "binder"}}, ".image.recipe"),
        ({"image": {"recipes": "auto"}}, ".image.recipes"),
        ({"memory": "1GB"}, ".memory"),
        ({"memory": 1}, ".memory"),
        ({"cpu": 0}, ".cpu"),
        ({"cpu": "two"}, ".cpu"),
        ({"pids": 3}, ".pids"),
        ({"consumers": ["moodle"]}, ".consumers"),
        ({"start_file": "../secret"}, ".start_file"),
        ({"start_file": "/etc/passwd"}, ".start_file"),
        ({"repositry": "x"}, ".repositry"),
    ],
)
def test_each_mistake_in_a_course_is_named(changes: dict[str, Any], key: str) -> None:
    (variable,) = grave(course(**changes))
    assert variable.startswith("atelier_courses[0]")
    assert variable.endswith(key)


def test_a_course_that_goes_is_not_looked_for() -> None:
    gone = {**COURSE, "slug": "gone", "state": "absent"}
    settings = {"courses": [gone, COURSE]}
    assert [url["url"] for url in repositories(settings)] == [COURSE["repository"]]
    assert grave([{key: gone[key] for key in ("slug", "title", "state")}]) == []


def test_numbers_are_keys_as_well() -> None:
    numbered = {**CONSUMER, "key": 12345}
    assert grave(course(consumers=[12345]), [numbered]) == []
    assert grave(course(consumers=["12345"]), [numbered]) == []


def test_courses_must_be_a_list_of_dictionaries() -> None:
    assert grave(courses="rr1") == ["atelier_courses"]
    assert grave(courses={"rr1": COURSE}) == ["atelier_courses"]
    assert grave(courses=["rr1"]) == ["atelier_courses[0]"]


def test_two_courses_with_one_slug() -> None:
    assert grave([COURSE, COURSE]) == ["atelier_courses"]


def test_an_empty_site_is_only_advice() -> None:
    assert grave([], []) == []


@pytest.mark.parametrize(
    "consumer",
    [
        {**CONSUMER, "trust_email": True, "state": "present", "courses": ["rr1"]},
        {"key": "fun", "state": "absent"},
        {**CONSUMER, "grace": "14d", "trust_roles": True},
        {"key": "fun", "platform": "fun", "rotate": "2027-spring", "grace": "2w"},
        {"key": "fun", "platform": "fun", "rotate": 2027, "grace": 0},
    ],
)
def test_good_consumers_pass(consumer: dict[str, Any]) -> None:
    assert grave(consumers=[consumer]) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"key": ""}, ".key"),
        ({"key": "with space"}, ".key"),
        ({"secret": ""}, ".secret"),
        ({"secret": None}, ".secret"),
        ({"secret": "short"}, ".secret"),
        ({"secret": "change-me"}, ".secret"),
        ({"secret": "a" * 40}, ".secret"),
        ({"platform": ""}, ".platform"),
        ({"platform": "FUN MOOC"}, ".platform"),
        ({"courses": ["rr2"]}, ".courses"),
        ({"secrets": "x"}, ".secrets"),
        ({"state": "gone"}, ".state"),
        ({"trust_email": "maybe"}, ".trust_email"),
        ({"trust_roles": "staff"}, ".trust_roles"),
        ({"rotate": "2027-spring"}, ".rotate"),
        ({"secret": None, "rotate": "two words"}, ".rotate"),
        ({"grace": "a while"}, ".grace"),
        ({"grace": "365d"}, ".grace"),
    ],
)
def test_each_mistake_in_a_consumer_is_named(changes: dict[str, Any], key: str) -> None:
    (variable,) = grave(consumers=[{**CONSUMER, **changes}])
    assert variable.startswith("atelier_consumers[0]")
    assert variable.endswith(key)


def test_keys_and_secrets_are_each_platforms_own() -> None:
    other = {**CONSUMER, "secret": "fedcba9876543210fedcba9876543210"}
    assert grave(consumers=[CONSUMER, other]) == ["atelier_consumers"]
    same_secret = {**CONSUMER, "key": "moodle", "platform": "moodle"}
    assert grave(consumers=[CONSUMER, same_secret]) == [
        "atelier_consumers[0] (fun).secret",
        "atelier_consumers[1] (moodle).secret",
    ]


@given(some.text(min_size=1, max_size=31))
def test_short_secrets_are_refused_and_never_quoted(secret: str) -> None:
    marked = f"\N{SNOWMAN}{secret}"
    settings = {"courses": [COURSE], "consumers": [{**CONSUMER, "secret": marked[:31]}]}
    message = report(course_findings(settings))
    assert ".secret" in message
    assert "\N{SNOWMAN}" not in message


anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["slug", "title", "image", "key", "secret"]), inner)
    ),
    max_leaves=8,
)


@given(anything, anything)
def test_no_value_is_too_odd_to_be_judged(courses: Any, consumers: Any) -> None:
    assert isinstance(report(course_findings({"courses": courses, "consumers": consumers})), str)


@given(some.dictionaries(some.sampled_from(schema.COURSE.names), anything))
def test_no_course_is_too_odd_to_be_judged(odd: dict[str, Any]) -> None:
    assert isinstance(report(course_findings({"courses": [odd], "consumers": []})), str)


def test_sizes() -> None:
    assert size_bytes("512M") == 512 * 1024**2
    assert size_bytes("1.5G") == 3 * 512 * 1024**2
    assert size_bytes(1048576) == 1048576
    assert size_bytes("1 G") is size_bytes("G") is size_bytes(None) is size_bytes(True) is None
