# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schema of a registration (LTI 1.3), in ``atelier_registrations`` and in the hub's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .jwks import Keyset
from .keys import Key, Table
from .kinds import Items, Reading, Text
from .launcher import (
    ALWAYS,
    COURSES,
    HOSTS,
    KEY,
    PLATFORM,
    STATE,
    TRUST_EMAIL,
    TRUST_ROLES,
)
from .paths import LONGEST_URL, platform_address, platform_url
from .problems import Problem

EXAMPLE = (
    "{key: moodle-13, platform: moodle, issuer: https://moodle.univ.fr, client_ids: [...],"
    ' deployment_ids: ["1"], auth_login_url: ..., auth_token_url: ..., jwks_url: ...}'
)
COPY_THE_KEYS = "Copy the address of the platform's public key set."

IDENTIFIER = Text(
    pattern=r"[\x21-\x7e]{1,255}",
    problem="is not a list of texts",
    fix="Write a list of what the platform gave, numbers in quotes.",
)
"""A client id or a deployment id: compared as text, so that 01 differs from 1."""
ADDRESS = Text(
    check=platform_address, fix="Copy it from the platform's page about the tool, with https://."
)
EARLIER_ADDRESS = replace(ADDRESS, check=lambda value, _: platform_url(value))
"""With or without TLS; requests without TLS are later refused unless
``atelier_platform_private_hosts`` names the host."""


def _identifiers(name: str) -> Items:
    fix = f'Write a list, numbers in quotes: {name}: ["1"].'
    problem = "is not a list of texts"
    return Items(of=replace(IDENTIFIER, fix=fix), least=1, problem=problem, fix=fix)


def _keys_from_one_place(
    values: Mapping[str, Any], named: frozenset[str], reading: Reading
) -> Iterator[Problem]:
    del reading
    if bool(values.get("jwks_url") or "jwks_url" in named) == bool(
        values.get("jwks") or "jwks" in named
    ):
        yield Problem("jwks_url", "is needed, or jwks, and not both", COPY_THE_KEYS)


def _each_client_once(
    values: Mapping[str, Any], named: frozenset[str], reading: Reading
) -> Iterator[Problem]:
    del named, reading
    clients = list(values.get("client_ids") or ())
    if len(set(clients)) < len(clients):
        yield Problem("client_ids", "has the same client id twice", "Write each once.")


KEYS = (
    replace(
        KEY,
        unset=f"Example: {EXAMPLE}.",
        en="its name in logs and in courses' `consumers`; no key of `atelier_consumers`",
        fr="son nom dans les journaux et dans `consumers` des cours ; aucune clé de"
        " `atelier_consumers`",
    ),
    replace(
        PLATFORM,
        en="the LMS it belongs to, as in `atelier_consumers`: the same LMS, the same word",
        fr="la plateforme (LMS) à laquelle elle appartient, comme dans `atelier_consumers` : même"
        " plateforme, même mot",
    ),
    Key(
        "issuer",
        Text(longest=255, fix="Copy the platform's issuer (platform id), character by character."),
        en="the platform's issuer (*Platform ID*), character by character",
        fr="l'émetteur de la plateforme (*Platform ID*), caractère par caractère",
        required=True,
    ),
    Key(
        "client_ids",
        _identifiers("client_ids"),
        en="list of the client ids it gave this site",
        fr="liste des identifiants de client (*client id*) qu'elle a donnés à ce site",
        required=True,
    ),
    Key(
        "deployment_ids",
        _identifiers("deployment_ids"),
        en='list of the deployments that may launch, in quotes: `["1"]`',
        fr='liste des déploiements qui peuvent lancer, entre guillemets : `["1"]`',
        required=True,
    ),
    Key(
        "auth_login_url",
        ADDRESS,
        en="its authentication request address",
        fr="son adresse de demande d'authentification",
        required=True,
        unset="It is the platform's authentication address.",
        earlier=EARLIER_ADDRESS,
    ),
    Key(
        "auth_token_url",
        ADDRESS,
        en="its access token address, for grades",
        fr="son adresse de jetons d'accès, pour les notes",
        empty=True,
        earlier=EARLIER_ADDRESS,
    ),
    Key(
        "auth_audience",
        Text(longest=LONGEST_URL, fix="Copy it from the platform's page about the tool."),
        en="the audience it wants in requests for access tokens, where that is not the address"
        " itself",
        fr="l'audience qu'elle attend dans les demandes de jetons d'accès, quand ce n'est pas"
        " l'adresse elle-même",
        empty=True,
        earlier=Text(),
    ),
    Key(
        "jwks_url",
        ADDRESS,
        en="address of its public keys. They are read through `atelier_https_proxy` and with"
        " `atelier_ca_certificates`, kept for an hour, and read again when it has a new one",
        fr="adresse de ses clés publiques. Elles sont lues par `atelier_https_proxy` et avec"
        " `atelier_ca_certificates`, gardées une heure, et relues quand elle en a une nouvelle",
        empty=True,
        earlier=EARLIER_ADDRESS,
    ),
    Key(
        "jwks",
        Keyset(),
        en="instead of `jwks_url`: the keys themselves, `{keys: [...]}`",
        fr="au lieu de `jwks_url` : les clés elles-mêmes, `{keys: [...]}`",
        empty=True,
        earlier=Keyset(usable=False),
    ),
    COURSES,
    TRUST_EMAIL,
    TRUST_ROLES,
    replace(
        HOSTS,
        en="the hosts that take this platform's grades, besides those of `issuer` and of the"
        " addresses above. A grade for another host is not sent, and a teacher's choice of a link"
        " (deep linking) is not returned there. Canvas needs it: `[your-school.instructure.com]`",
        fr="les machines qui reçoivent les notes de cette plateforme, en plus de celles de `issuer`"
        " et des adresses ci-dessus. Une note pour une autre machine n'est pas envoyée, et le lien"
        " choisi par un enseignant (deep linking) n'y est pas renvoyé. Canvas en a besoin :"
        " `[votre-ecole.instructure.com]`",
    ),
)
REGISTRATION = Table(
    "registration",
    (*KEYS, STATE),
    rules=(_keys_from_one_place, _each_client_once),
    always=ALWAYS,
)
KEPT_REGISTRATION = Table("registration", KEYS, rules=REGISTRATION.rules)
"""An item of the hub's ``registrations.yml``."""
