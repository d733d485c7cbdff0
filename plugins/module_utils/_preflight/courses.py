"""Preflight rules for courses and for the course platforms that may launch them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    Finding,
    Settings,
    dictionaries,
    duplicates,
    reference_findings,
    schema_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    private_hosts,
    staff_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.registrations import (
    registration_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.consumer import (
    EXAMPLE,
    LISTED_CONSUMER,
    PUT_A_SECRET,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.course import COURSE

COURSE_EXAMPLE = (
    "{slug: rr1, title: {fr: ..., en: ...}, repository: https://git.example.org/rr1.git}"
)


def course_findings(settings: Settings) -> Iterator[Finding]:
    """Apply every rule of this file.

    Args:
        settings: the variables of role preflight, without their prefix.
    """
    courses, findings = dictionaries(settings["courses"], "atelier_courses", COURSE_EXAMPLE)
    yield from findings
    consumers, findings = dictionaries(settings["consumers"], "atelier_consumers", EXAMPLE)
    yield from findings
    registrations = settings.get("registrations") or []
    slugs = [str(course.get("slug", "")) for _, course in courses]
    keys = [str(consumer.get("key", "")) for _, consumer in consumers]
    known = keys + [str(one.get("key")) for one in registrations if isinstance(one, Mapping)]

    if not courses and not settings["courses"]:
        yield Finding(
            "atelier_courses", "is empty", f"Add a course: {COURSE_EXAMPLE}.", grave=False
        )
    if not consumers and not settings["consumers"] and not registrations:
        yield Finding(
            "atelier_consumers",
            "is empty: nobody can enter",
            f"Add your course platform: {EXAMPLE}.",
            grave=False,
        )
    for slug in duplicates(filter(None, slugs)):
        yield Finding(
            "atelier_courses", f"has two courses with the slug {slug}", "Give each its own slug."
        )
    for variable, course in courses:
        yield from one_course(variable, course, known)
    yield from consumer_findings(consumers, slugs)
    yield from registration_findings(registrations, keys, slugs, private_hosts(settings))
    yield from staff_findings(settings)


def one_course(variable: str, course: Mapping[str, Any], keys: list[str]) -> Iterator[Finding]:
    """Check a course; messages contain its slug, if it has one."""
    slug = course.get("slug")
    if isinstance(slug, str) and slug:
        variable = f"{variable} ({slug})"
    problems = COURSE.problems(course)
    yield from schema_findings(variable, problems)
    if not any(problem.key == "consumers" for problem in problems):
        yield from reference_findings(
            f"{variable}.consumers",
            course.get("consumers"),
            keys,
            "key",
            "atelier_consumers and atelier_registrations",
        )


def consumer_findings(
    consumers: list[tuple[str, dict[str, Any]]], slugs: list[str]
) -> Iterator[Finding]:
    """Check keys and secrets; messages never contain a secret."""
    for twice in duplicates(str(item["key"]) for _, item in consumers if item.get("key")):
        yield Finding(
            "atelier_consumers", f"has the key {twice} twice", "Give each platform its own key."
        )
    secrets = [str(item["secret"]) for _, item in consumers if item.get("secret")]
    for variable, consumer in consumers:
        key: Any = consumer.get("key")
        name = variable
        if isinstance(key, str) and key:
            name = f"{variable} ({key})"
        problems = LISTED_CONSUMER.problems(consumer)
        yield from schema_findings(name, problems)
        if consumer.get("state") == "absent":
            continue  # only its key is used
        wrong = {problem.key for problem in problems}
        secret = consumer.get("secret")
        if secret is not None and "secret" not in wrong and secrets.count(str(secret)) > 1:
            yield Finding(f"{name}.secret", "is also another platform's secret", PUT_A_SECRET)
        if "courses" not in wrong:
            yield from reference_findings(
                f"{name}.courses", consumer.get("courses"), slugs, "course", "atelier_courses"
            )
