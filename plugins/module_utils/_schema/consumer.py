# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schema of a consumer (LTI 1.1), in ``atelier_consumers`` and in the hub's file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from .keys import Key, Table
from .kinds import Kind, Reading, Text
from .launcher import (
    ALWAYS,
    COURSES,
    HOSTS,
    KEY,
    PLAIN_CHARACTERS,
    PLATFORM,
    STATE,
    TRUST_EMAIL,
    TRUST_ROLES,
)
from .problems import Problem, wrong

SECRET_LENGTH = 32
FEWEST_CHARACTERS = 6
"""Least number of different characters in a secret, which is else easy to guess."""
PLACEHOLDER = re.compile(
    r"(change[-_ ]?me|change[-_ ]?it|replace[-_ ]?me|password|secret|passw0rd|example|todo|xxx+"
    r"|test)"
    r"[-_ !.0-9]*",
    re.IGNORECASE,
)
GRACE = re.compile(r"0|([1-9][0-9]{0,5})([mhdw])")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST_GRACE = timedelta(days=90)
EXAMPLE = '{key: fun, platform: fun, secret: "{{ vault_consumer_fun_secret }}"}'
PUT_A_SECRET = (
    f"Put at least {SECRET_LENGTH} characters in the vault, for example what"
    " `openssl rand -hex 32` prints; the same goes into the course platform."
)


def placeholder(value: str) -> bool:
    """Return whether a secret is a placeholder that was not replaced."""
    return PLACEHOLDER.fullmatch(value.strip()) is not None


def repetitive(value: str) -> bool:
    """Return whether a text has very few different characters."""
    return len(set(value)) < FEWEST_CHARACTERS


def _secret(value: str, reading: Reading) -> str:
    del reading
    if placeholder(value):
        raise wrong("is still the example's value", PUT_A_SECRET)
    if len(value) < SECRET_LENGTH:
        raise wrong(f"is too short ({len(value)} characters)", PUT_A_SECRET)
    if not re.fullmatch(PLAIN_CHARACTERS + "*", value):
        raise wrong("has spaces, colons or other characters than ASCII", PUT_A_SECRET)
    if repetitive(value):
        raise wrong("is too easy to guess", PUT_A_SECRET)
    return value


def _earlier_secret(value: str, reading: Reading) -> str:
    del reading
    if len(value) < SECRET_LENGTH:
        raise wrong(f"is too short ({len(value)} characters)", PUT_A_SECRET)
    return value


def grace_of(text: str) -> timedelta:
    """Parse a grace period: ``0``, or a number with ``m``, ``h``, ``d`` or ``w``.

    Raises:
        ValueError: it is invalid, or longer than ``LONGEST_GRACE``.
    """
    match = GRACE.fullmatch(text)
    if match is None:
        raise ValueError("is no duration")
    length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match[1] else timedelta(0)
    if length > LONGEST_GRACE:
        raise ValueError(f"is longer than {LONGEST_GRACE.days} days")
    return length


def _grace(value: str, reading: Reading) -> str:
    del reading
    grace_of(value)
    return value


MARK = Text(
    pattern=r"[A-Za-z0-9._:+-]{1,64}",
    numbers=True,
    fix="Use 1 to 64 letters, digits, '.', '_', ':', '+' and '-', for example 2027-spring.",
)
"""Name of a rotation."""


def _one_source_of_the_secret(
    values: Mapping[str, Any], named: frozenset[str], reading: Reading
) -> Iterator[Problem]:
    del named, reading
    if {"rotate", "secret"} <= values.keys():
        yield Problem(
            "rotate",
            "makes a secret, and one is given as well",
            "Keep one of the two. A secret that is given is rotated by giving another.",
        )


def _some_source_of_the_secret(
    values: Mapping[str, Any], named: frozenset[str], reading: Reading
) -> Iterator[Problem]:
    del reading
    if not {"rotate", "secret"} & (named | values.keys()):
        yield Problem("secret", "is not set", PUT_A_SECRET)


def _secret_is_not_the_key(
    values: Mapping[str, Any], named: frozenset[str], reading: Reading
) -> Iterator[Problem]:
    del named
    if not reading.kept and "secret" in values and values["secret"] == values.get("key"):
        yield Problem("secret", "is too easy to guess", PUT_A_SECRET)


SECRET = Key(
    "secret",
    Text(check=_secret, numbers=True, problem="is not set", fix=PUT_A_SECRET),
    en=f"{SECRET_LENGTH} characters at least, in the vault; or `rotate` instead",
    fr=f"{SECRET_LENGTH} caractères au moins, dans le coffre ; ou bien `rotate`",
    secret=True,
    earlier=Text(check=_earlier_secret, problem="is not set", fix=PUT_A_SECRET),
)
ROTATE = Key(
    "rotate",
    MARK,
    en="instead of `secret`: a mark of your choice, such as `2027-spring`. The server generates the"
    " secret, and a new one when the mark changes",
    fr="au lieu de `secret` : une marque de votre choix, par exemple `2027-printemps`. Le serveur"
    " génère le secret, et un nouveau quand la marque change",
)
GRACE_KEY = Key(
    "grace",
    Text(check=_grace, numbers=True, fix="Write 0, 90m, 36h, 14d or 2w."),
    en="how long a secret that is replaced is accepted beside the new one: `36h`, `14d`, 90 days at"
    " most. Without it, not at all",
    fr="combien de temps un secret remplacé est accepté à côté du nouveau : `36h`, `14d`, 90 jours"
    " au plus. Sans elle, pas du tout",
    link="operations.md#a-new-secret-for-a-platform",
)
HOSTS_OF_A_CONSUMER = replace(
    HOSTS,
    en="the hosts that take this LMS's grades: `[lms.fun.example]`. A launch by LTI 1.1 says where"
    " its grade goes, and nothing else ties that place to the LMS: with `hosts`, a grade for"
    " another host is not sent; without, any public host will do",
    fr="les machines qui reçoivent les notes de cette plateforme : `[lms.fun.example]`. Un"
    " lancement LTI 1.1 dit où va sa note, et rien d'autre ne lie ce lieu à la plateforme : avec"
    " `hosts`, une note pour une autre machine n'est pas envoyée ; sans, toute machine publique"
    " convient",
)
KEY_OF_A_CONSUMER = replace(
    KEY,
    unset=f"Example: {EXAMPLE}.",
    en="the consumer key, as the LMS will send it",
    fr="la clé client, telle que la plateforme l'enverra",
)

CONSUMER = Table(
    "consumer",
    (
        KEY_OF_A_CONSUMER, SECRET, PLATFORM, COURSES, TRUST_EMAIL, TRUST_ROLES, HOSTS_OF_A_CONSUMER,
        ROTATE, GRACE_KEY, STATE,
    ),
    rules=(_one_source_of_the_secret, _secret_is_not_the_key),
    always=ALWAYS,
)  # fmt: skip
"""An item of module ``lti_consumers``, which keeps or generates a secret if none is given."""
LISTED_CONSUMER = replace(CONSUMER, rules=(*CONSUMER.rules, _some_source_of_the_secret))
"""An item of ``atelier_consumers``, which must have a secret or a rotation."""
KEPT_CONSUMER = Table(
    "consumer",
    (
        KEY, replace(SECRET, required=True), PLATFORM, COURSES, TRUST_EMAIL, TRUST_ROLES, HOSTS,
        Key("rotation", MARK, en="the mark of the rotation that made the secret",
            fr="la marque de la rotation qui a fait le secret", earlier=Text()),
    ),
    rules=(_secret_is_not_the_key,),
)  # fmt: skip
"""An item of the hub's ``consumers.yml``, without its previous secrets."""
FORMER_SECRET: Kind = SECRET.earlier or SECRET.kind
