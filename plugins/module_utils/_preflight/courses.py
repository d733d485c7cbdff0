"""Rules about courses and about the course platforms that may launch them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.mooc.atelier.plugins.module_utils._consumers import (
    MARK,
    ConsumersError,
    grace_of,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.findings import (
    KEY,
    SLUG,
    Finding,
    Settings,
    dictionaries,
    duplicates,
    placeholder,
    reference_findings,
    repetitive,
    unknown_keys,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.limits import (
    home_findings,
    limit_findings,
    saving_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    host_findings,
    private_hosts,
    staff_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.registrations import (
    registration_findings,
)

CONSUMER_KEYS = (
    "key", "secret", "platform", "courses", "trust_email", "trust_roles", "hosts", "rotate",
    "grace", "state",
)  # fmt: skip
CONSUMER_STATES = ("present", "absent")
COURSE_KEYS = (
    "slug", "title", "directory", "repository", "branch", "image", "memory", "cpu", "pids",
    "consumers", "start_file", "state", "visibility", "staff", "expected", "grade", "outputs",
    "max_file_mb", "space", "inodes",
)  # fmt: skip
EXPECTED_KEYS = ("directory", "repository", "branch")
GRADES = ("best", "last")
IMAGE_KEYS = ("recipe",)
RECIPES = ("auto", "none")
SECRET_LENGTH = 32
LANGUAGES = ("fr", "en")

# A course has a GitLab group of its own name: GitLab's top-level routes are taken
# (G:doc/user/reserved_names.md), and so are names that learners get.
TAKEN_BY_GITLAB = frozenset({
    "admin", "api", "assets", "dashboard", "explore", "files", "groups", "help", "import", "jwt",
    "login", "oauth", "profile", "projects", "public", "s", "search", "snippets", "unsubscribes",
    "uploads", "users", "v2",
})  # fmt: skip
LEARNER = re.compile(r"u[a-z2-7]{16}")

CONSUMER_EXAMPLE = '{key: fun, platform: fun, secret: "{{ vault_consumer_fun_secret }}"}'
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
    consumers, findings = dictionaries(settings["consumers"], "atelier_consumers", CONSUMER_EXAMPLE)
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
            f"Add your course platform: {CONSUMER_EXAMPLE}.",
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
    """Rules about one course; messages name it by its slug where it has one."""
    slug = course.get("slug")
    if isinstance(slug, str) and slug:
        variable = f"{variable} ({slug})"
    yield from unknown_keys(variable, course, COURSE_KEYS)
    yield from slug_findings(variable, slug)
    title = course.get("title")
    if not isinstance(title, Mapping) or not all(
        isinstance(title.get(language), str) and title[language] for language in LANGUAGES
    ):
        yield Finding(
            f"{variable}.title",
            "does not give the title in French and in English",
            'Write it as {fr: "...", en: "..."}.',
        )
    yield from source_findings(variable, course)
    yield from grade_findings(variable, course)
    yield from image_findings(variable, course.get("image"))
    yield from limit_findings(variable, course)
    yield from saving_findings(variable, course)
    yield from home_findings(variable, course)
    yield from reference_findings(
        f"{variable}.consumers",
        course.get("consumers"),
        keys,
        "key",
        "atelier_consumers and atelier_registrations",
    )
    start = course.get("start_file")
    if start is not None and not is_inner_path(start):
        yield Finding(
            f"{variable}.start_file",
            f"is not a path inside the course ({start})",
            "Example: module1/exercise1.ipynb.",
        )


def slug_findings(variable: str, slug: Any) -> Iterator[Finding]:
    """Rules about the name a course has in addresses, GitLab and Docker."""
    rule = "Use 2 to 40 lower-case letters, digits and hyphens, a letter first, no hyphen last."
    if not slug:
        yield Finding(f"{variable}.slug", "is not set", rule)
    elif not isinstance(slug, str) or not SLUG.fullmatch(slug):
        yield Finding(f"{variable}.slug", f"is not usable ({slug})", rule)
    elif slug in TAKEN_BY_GITLAB or LEARNER.fullmatch(slug):
        yield Finding(
            f"{variable}.slug",
            f"is taken ({slug})",
            "GitLab or a learner's account has that name. Choose another, such as a course number.",
        )


def source_findings(variable: str, course: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules about where a course's files come from; reaching them is tried elsewhere."""
    directory, repository = course.get("directory"), course.get("repository")
    if not directory and not repository:
        yield Finding(
            variable,
            "has neither repository nor directory",
            "Give the git address of the course's template repository, or a directory on the"
            " machine that runs Ansible.",
        )
    if directory and repository:
        yield Finding(
            variable, "has both repository and directory", "Keep the one its files come from."
        )
    if repository and not is_repository(repository):
        yield Finding(
            f"{variable}.repository",
            "is not the address of a git repository",
            "Examples: https://git.example.org/mooc/rr1.git, git@git.example.org:mooc/rr1.git.",
        )
    elif repository and has_password(str(repository)):
        yield Finding(
            f"{variable}.repository",
            "has a password in it, which would end in logs",
            "Use a deploy key (git@...), or make the template repository public.",
        )
    branch = course.get("branch")
    if branch is not None and not re.fullmatch(r"(?!-)[A-Za-z0-9._/-]{1,200}", str(branch)):
        yield Finding(f"{variable}.branch", f"is not a branch name ({branch})", "Example: main.")


def grade_findings(variable: str, course: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules about expected answers, and which check makes the grade."""
    expected, grade = course.get("expected"), course.get("grade", GRADES[0])
    if grade not in GRADES:
        yield Finding(f"{variable}.grade", f"is unknown ({grade})", f"Use {' or '.join(GRADES)}.")
    if isinstance(expected, Mapping):
        yield from unknown_keys(f"{variable}.expected", expected, EXPECTED_KEYS)
        yield from source_findings(f"{variable}.expected", expected)
    elif expected is not None:
        example = "{repository: git@git.example.org:mooc/rr1-expected.git}"
        yield Finding(f"{variable}.expected", "is not a dictionary", f"Write it as {example}.")


def is_repository(value: Any) -> bool:
    """Tell whether the value looks like what `git clone` takes."""
    if not isinstance(value, str) or re.search(r"[\s\x00-\x1f]", value) or value.startswith("-"):
        return False
    if re.fullmatch(r"[\w.-]+@[\w.-]+:[^:]+", value) or value.startswith("/"):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    if parts.scheme == "file":
        return bool(parts.path)
    return parts.scheme in {"https", "http", "ssh", "git"} and bool(parts.hostname)


def has_password(repository: str) -> bool:
    """Tell whether an address carries a password or a token."""
    try:
        parts = urlsplit(repository)
    except ValueError:
        return False
    named = parts.scheme in {"http", "https"} and bool(parts.username)
    return parts.password is not None or named


def image_findings(variable: str, image: Any) -> Iterator[Finding]:
    """Rules about how a course's image is made."""
    if image is None:
        return
    if not isinstance(image, Mapping):
        yield Finding(
            f"{variable}.image",
            "is not a dictionary",
            "Write it as {recipe: auto}, or leave it out.",
        )
        return
    yield from unknown_keys(f"{variable}.image", image, IMAGE_KEYS)
    recipe = image.get("recipe", "auto")
    if recipe not in RECIPES:
        yield Finding(
            f"{variable}.image.recipe",
            f"is unknown ({recipe})",
            "Use auto (apt.txt, requirements.txt, install.R or a Dockerfile of the course's"
            " repository are followed) or none (the standard image as it is).",
        )


def is_inner_path(value: Any) -> bool:
    """Tell whether the value is a relative path that stays where it starts."""
    if not isinstance(value, str) or not value or value.startswith("/") or "\\" in value:
        return False
    return ".." not in value.split("/") and not re.search(r"[\x00-\x1f]", value)


def consumer_findings(
    consumers: list[tuple[str, dict[str, Any]]], slugs: list[str]
) -> Iterator[Finding]:
    """Rules about keys and secrets; a secret is never shown."""
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
        yield from unknown_keys(name, consumer, CONSUMER_KEYS)
        if not key:
            yield Finding(f"{name}.key", "is not set", f"Example: {CONSUMER_EXAMPLE}.")
        elif not isinstance(key, str) or not KEY.fullmatch(key):
            yield Finding(
                f"{name}.key",
                "is not usable",
                "Use letters, digits, dots, hyphens and underscores.",
            )
        state = consumer.get("state", "present")
        if state not in CONSUMER_STATES:
            yield Finding(
                f"{name}.state", f"is unknown ({state})", f"Use {' or '.join(CONSUMER_STATES)}."
            )
        for trust in ("trust_email", "trust_roles"):
            if not isinstance(consumer.get(trust, False), bool):
                yield Finding(
                    f"{name}.{trust}", "is neither true nor false", "Write true or false."
                )
        if state == "absent":
            continue  # its key says which one to remove
        platform = consumer.get("platform")
        if not isinstance(platform, str) or not SLUG.fullmatch(platform):
            yield Finding(
                f"{name}.platform",
                f"is not usable ({platform})" if platform else "is not set",
                "Use 2 to 40 lower-case letters, digits and hyphens, a letter first. It must never"
                " change: learners' accounts are made from it.",
            )
        if consumer.get("rotate") is None:
            yield from secret_findings(f"{name}.secret", consumer, secrets)
        yield from rotation_findings(name, consumer)
        yield from host_findings(f"{name}.hosts", consumer.get("hosts", []))
        yield from reference_findings(
            f"{name}.courses", consumer.get("courses"), slugs, "course", "atelier_courses"
        )


def rotation_findings(name: str, consumer: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules about how a secret is replaced; the module knows them."""
    rotate = consumer.get("rotate")
    if rotate is not None and consumer.get("secret"):
        yield Finding(
            f"{name}.rotate",
            "makes a secret, and one is given as well",
            "Keep one of the two. A secret in the vault is rotated by writing another one there.",
        )
    elif rotate is not None and not MARK.fullmatch(str(rotate)):
        yield Finding(
            f"{name}.rotate",
            "is not usable",
            "Use 1 to 64 letters, digits, dots, hyphens and underscores, for example 2027-spring.",
        )
    grace = consumer.get("grace")
    try:
        grace_of(None if grace is None else str(grace))
    except ConsumersError as error:
        yield Finding(f"{name}.grace", f"is not usable: {error}", "Example: 14d.")


def secret_findings(
    variable: str, consumer: Mapping[str, Any], secrets: list[str]
) -> Iterator[Finding]:
    """Rules about one secret."""
    value = str(consumer.get("secret") or "")
    fix = (
        f"Put at least {SECRET_LENGTH} characters in the vault, for example what"
        " `openssl rand -hex 32` prints; the same goes into the course platform."
    )
    if not value:
        yield Finding(variable, "is not set", fix)
    elif placeholder(value):
        yield Finding(variable, "is still the example's value", fix)
    elif len(value) < SECRET_LENGTH:
        yield Finding(variable, f"is too short ({len(value)} characters)", fix)
    elif repetitive(value) or value == consumer.get("key"):
        yield Finding(variable, "is too easy to guess", fix)
    elif secrets.count(value) > 1:
        yield Finding(variable, "is also another platform's secret", fix)
