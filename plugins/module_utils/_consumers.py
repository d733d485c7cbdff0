# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""The file of the hub's LTI 1.1 consumers: reads it, applies a wanted list, and writes it.

The hub reloads the file (``atelier.config.models.Consumers``) when it has changed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ansible_collections.mooc.atelier.plugins.module_utils._schema.consumer import (
    CONSUMER,
    grace_of,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.problems import (
    SchemaError,
    sentence,
)

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False

VERSION = 1


class ConsumersError(Exception):
    """The file or the wanted list is invalid; the text says why, without secrets."""


@dataclass(frozen=True)
class Previous:
    """A secret that was replaced; the hub accepts it until the end of its grace period."""

    secret: str = field(repr=False)
    until: datetime

    @property
    def end(self) -> str:
        """End of the grace period as in the file, results and diffs: UTC, in seconds."""
        return self.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @classmethod
    def parse(cls, item: dict[str, Any]) -> Previous:
        """Read one entry of the file; an unknown key is an error."""
        until = datetime.strptime(item["until"], "%Y-%m-%dT%H:%M:%SZ")
        known = cls(item["secret"], until.replace(tzinfo=UTC))
        if set(item) != {"secret", "until"}:
            raise ValueError("unknown key")
        return known


@dataclass(frozen=True)
class Consumer:
    """A platform's key; ``courses`` is ``None`` if it may launch all courses."""

    key: str
    secret: str = field(repr=False)
    platform: str
    courses: tuple[str, ...] | None = None
    trust_email: bool = False
    trust_roles: bool = False
    rotation: str | None = None
    previous: tuple[Previous, ...] = ()
    hosts: tuple[str, ...] = ()

    def passport(self, name: str) -> str:
        """Return Open edX's LTI passport string, to paste into Studio."""
        return f"{name}:{self.key}:{self.secret}"

    def shown(self, secret: str) -> dict[str, Any]:
        """Return the consumer for results and diffs; ``secret`` says what happens to the secret."""
        return {
            "platform": self.platform,
            "courses": None if self.courses is None else list(self.courses),
            "trust_email": self.trust_email,
            "trust_roles": self.trust_roles,
            "hosts": list(self.hosts),
            "rotation": self.rotation,
            "previous_until": [one.end for one in self.previous],
            "secret": secret,
        }


@dataclass(frozen=True)
class Wanted:
    """The wanted state of a key; ``secret`` None: keep the present one or generate one."""

    key: str
    platform: str | None = None
    secret: str | None = field(default=None, repr=False)
    courses: tuple[str, ...] | None = None
    trust_email: bool = False
    trust_roles: bool = False
    rotate: str | None = None
    grace: str | None = None
    present: bool = True
    hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Wanted:
        """Return the wanted state for a validated item of the list."""
        return cls(
            values["key"],
            platform=values.get("platform"),
            secret=values.get("secret"),
            courses=tuple(values["courses"]) if "courses" in values else None,
            trust_email=values.get("trust_email", False),
            trust_roles=values.get("trust_roles", False),
            rotate=values.get("rotate"),
            grace=values.get("grace"),
            present=values.get("state") != "absent",
            hosts=tuple(values.get("hosts", ())),
        )


@dataclass(frozen=True)
class Change:
    """The consumers after the change, and its diff by key (``None``: the consumer is absent)."""

    after: tuple[Consumer, ...]
    shown_before: dict[str, Any]
    shown_after: dict[str, Any]

    @property
    def changed(self) -> bool:
        """Whether there is any difference."""
        return self.shown_before != self.shown_after


def make_secret() -> str:
    """Return a new secret: 256 bits as 64 hexadecimal characters."""
    return secrets.token_hex(32)


def read(items: Iterable[Mapping[str, Any]]) -> list[Wanted]:
    """Read a task's list; a value of None means that the option was not given.

    Raises:
        ConsumersError: the list is invalid; the text has all errors.
    """
    wanted: list[Wanted] = []
    problems: list[str] = []
    for item in items:
        try:
            given = {name: value for name, value in item.items() if value is not None}
            wanted.append(Wanted.of(CONSUMER.read(given)))
        except SchemaError as error:
            problems += [f"consumer {item.get('key')!r}: {sentence(one)}" for one in error.problems]
    keys = [one.key for one in wanted]
    problems += [
        f"the key {key!r} is listed twice" for key in sorted(set(keys)) if keys.count(key) > 1
    ]
    if problems:
        raise ConsumersError("; ".join(problems))
    return wanted


def rotated(
    one: Wanted, old: Consumer, now: datetime, new_secret: Callable[[], str]
) -> tuple[str, tuple[Previous, ...]]:
    """Return a consumer's new secret, and its previous ones that are still accepted."""
    secret = one.secret or old.secret
    if one.rotate is not None and one.rotate != old.rotation:
        secret = new_secret()
    grace = None if one.grace is None else grace_of(one.grace)
    previous = old.previous
    if secret != old.secret and grace:
        # In seconds, as in the file.
        previous = (Previous(old.secret, now.replace(microsecond=0) + grace), *previous)
    if grace is not None and not grace:
        return secret, ()
    return secret, tuple(kept for kept in previous if kept.until > now and kept.secret != secret)


def change(
    before: tuple[Consumer, ...],
    wanted: list[Wanted],
    now: datetime,
    new_secret: Callable[[], str] = make_secret,
    *,
    exclusive: bool = False,
) -> Change:
    """Apply a wanted list to the consumers; keys that are not listed stay unchanged.

    Args:
        before: consumers in the file.
        wanted: the wanted list.
        now: present time with its time zone, for grace periods.
        new_secret: returns a new secret.
        exclusive: remove keys that are not listed.
    """
    if exclusive:
        named = {one.key for one in wanted}
        wanted = [
            *wanted,
            *(Wanted(one.key, present=False) for one in before if one.key not in named),
        ]
    consumers = {one.key: one for one in before}
    shown_before: dict[str, Any] = {}
    shown_after: dict[str, Any] = {}
    for one in wanted:
        old = consumers.get(one.key)
        new: Consumer | None = None
        if one.present:
            if old:
                secret, previous = rotated(one, old, now, new_secret)
            else:
                secret, previous = one.secret or new_secret(), ()
            rotation = one.rotate or (old.rotation if old else None)
            new = Consumer(
                one.key, secret, str(one.platform), one.courses,
                one.trust_email, one.trust_roles, rotation, previous,
                one.hosts,
            )  # fmt: skip
        if new == old:
            continue
        shown_before[one.key] = old.shown("kept") if old else None
        shown_after[one.key] = new.shown(secret_action(one, old, new)) if new else None
        if new:
            consumers[one.key] = new
        else:
            del consumers[one.key]
    return Change(tuple(consumers.values()), shown_before, shown_after)


def secret_action(one: Wanted, old: Consumer | None, new: Consumer) -> str:
    """Say in one word what happens to the secret."""
    if old is None:
        return "given" if one.secret else "generated"
    return "kept" if old.secret == new.secret else "replaced"


def load(text: str, origin: str) -> tuple[Consumer, ...]:
    """Read the file's text.

    Raises:
        ConsumersError: the text is invalid, or has unknown entries, which must not get lost.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        # The parser's own message may quote the line, and with it a secret.
        raise ConsumersError(f"{origin} is not valid YAML") from None
    data = {} if data is None else data
    if not isinstance(data, dict) or not isinstance(data.get("consumers", []), list):
        raise ConsumersError(f"{origin} does not hold a list of consumers")
    version = data.get("version", VERSION)
    if version != VERSION:
        raise ConsumersError(
            f"{origin} has version {version}, and this module knows {VERSION}: "
            "a newer release of the collection wrote it"
        )
    try:
        return tuple(parse(item) for item in data.get("consumers", []))
    except (TypeError, ValueError, KeyError) as error:
        raise ConsumersError(
            f"{origin} holds a consumer this module does not understand: {type(error).__name__}"
        ) from None


def parse(item: dict[str, Any]) -> Consumer:
    """Read one entry of the file; an unknown key is an error, so that it does not get lost."""
    known = Consumer(item["key"], item["secret"], item["platform"])
    extra = {
        name: value for name, value in item.items() if name not in {"key", "secret", "platform"}
    }
    if extra.get("courses") is not None:
        extra["courses"] = tuple(extra["courses"])
    if extra.get("hosts") is not None:
        extra["hosts"] = tuple(extra["hosts"])
    if extra.get("previous") is not None:
        extra["previous"] = tuple(Previous.parse(one) for one in extra["previous"])
    return replace(known, **extra)


def dump(consumers: tuple[Consumer, ...]) -> str:
    """Return the file's text: YAML, the consumers in the order in which they were added."""
    lines = [
        "# The hub's LTI consumers, written by mooc.atelier.lti_consumers.",
        f"version: {VERSION}",
        "consumers:" if consumers else "consumers: []",
    ]
    for one in consumers:
        courses = None if one.courses is None else list(one.courses)
        # JSON strings and lists are valid YAML.
        lines += [
            f"  - key: {json.dumps(one.key)}",
            f"    secret: {json.dumps(one.secret)}",
            f"    platform: {json.dumps(one.platform)}",
            f"    courses: {json.dumps(courses)}",
            f"    trust_email: {json.dumps(one.trust_email)}",
        ]
        # Only if set: a hub of an earlier release may read the file and not know these keys.
        if one.trust_roles:
            lines.append("    trust_roles: true")
        if one.hosts:
            lines.append(f"    hosts: {json.dumps(list(one.hosts))}")
        if one.rotation is not None:
            lines.append(f"    rotation: {json.dumps(one.rotation)}")
        if one.previous:
            lines.append("    previous:")
        for old in one.previous:
            lines += [
                f"      - secret: {json.dumps(old.secret)}",
                f"        until: {json.dumps(old.end)}",
            ]
    return "\n".join(lines) + "\n"
