"""Rules about LTI 1.3 registrations."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.courses import (
    course_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.registrations import (
    registration_findings,
)
from atelier.config.registrations import Registrations
from hypothesis import given
from hypothesis import strategies as some
from unit.schema.table import EC_KEY

GOOD: dict[str, Any] = {
    "key": "moodle-13",
    "platform": "moodle",
    "issuer": "https://moodle.univ.fr",
    "client_ids": ["Ab3dE5"],
    "deployment_ids": ["1"],
    "auth_login_url": "https://moodle.univ.fr/mod/lti/auth.php",
    "auth_token_url": "https://moodle.univ.fr/mod/lti/token.php",
    "jwks_url": "https://moodle.univ.fr/mod/lti/certs.php",
}


def wrong(*registrations: Any, consumers: tuple[str, ...] = ("fun",)) -> list[str]:
    found = registration_findings(list(registrations), list(consumers), ["rr1"])
    return [one.variable.partition("(moodle-13)")[2] or one.variable for one in found]


def test_what_passes_here_the_hub_accepts_too() -> None:
    trusted = {**GOOD, "courses": ["rr1"], "trust_email": True, "trust_roles": True}
    assert wrong(trusted) == []
    assert Registrations.model_validate({"registrations": [trusted]}).by_key("moodle-13")


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"key": "a b"}, "atelier_registrations[0] (a b).key"),
        ({"platform": None}, ".platform"),
        ({"platform": "Moodle"}, ".platform"),
        ({"issuer": ""}, ".issuer"),
        ({"client_ids": "Ab3dE5"}, ".client_ids"),
        ({"client_ids": []}, ".client_ids"),
        ({"deployment_ids": [1]}, ".deployment_ids"),
        ({"auth_login_url": None}, ".auth_login_url"),
        ({"auth_login_url": "http://moodle.univ.fr/"}, ".auth_login_url"),
        ({"auth_token_url": "moodle.univ.fr"}, ".auth_token_url"),
        ({"jwks_url": None}, ".jwks_url"),
        ({"jwks": {"keys": [EC_KEY]}}, ".jwks_url"),
        ({"jwks_url": "https://[::1"}, ".jwks_url"),
        ({"trust_email": "maybe"}, ".trust_email"),
        ({"state": "gone"}, ".state"),
        ({"secret": "x"}, ".secret"),
        ({"courses": ["rr2"]}, "atelier_registrations[0].courses"),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Any], variable: str) -> None:
    assert wrong({**GOOD, **changes}) == [variable]


def test_names_are_used_once() -> None:
    other = {**GOOD, "key": "second"}
    assert wrong(GOOD, GOOD) == ["atelier_registrations", "atelier_registrations"]
    assert wrong(GOOD, other) == ["atelier_registrations"], "the same client"
    assert wrong(GOOD, {**other, "client_ids": ["another"]}) == []
    assert wrong(GOOD, consumers=("moodle-13",)) == ["atelier_registrations"]


def test_a_registration_is_enough_to_enter_and_courses_may_name_it() -> None:
    course = {
        "slug": "rr1",
        "title": {"fr": "f", "en": "e"},
        "directory": "example",
        "consumers": ["moodle-13"],
    }
    settings = {"courses": [course], "consumers": [], "registrations": [GOOD]}
    assert list(course_findings(settings)) == []
    settings["registrations"] = []
    assert [one.variable for one in course_findings(settings)] == [
        "atelier_consumers",
        "atelier_courses[0] (rr1).consumers",
    ]


ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=6),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=6), inner),
    max_leaves=5,
)


@given(some.dictionaries(some.sampled_from(sorted(GOOD)), ANYTHING, max_size=4))
def test_whatever_is_written_is_answered(changes: dict[str, Any]) -> None:
    list(registration_findings([{**GOOD, **changes}], ["fun"], ["rr1"]))
    list(registration_findings(changes, ["fun"], ["rr1"]))
