# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``mooc.atelier.entry_problems``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mooc.atelier.plugins.module_utils._schema.consumer import LISTED_CONSUMER
from ansible_collections.mooc.atelier.plugins.module_utils._schema.course import COURSE
from ansible_collections.mooc.atelier.plugins.module_utils._schema.hosts import PlatformHosts
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import Reading
from ansible_collections.mooc.atelier.plugins.module_utils._schema.problems import sentence
from ansible_collections.mooc.atelier.plugins.module_utils._schema.registration import REGISTRATION

DOCUMENTATION = r"""
name: entry_problems
author: The Atelier maintainers
short_description: What is wrong with a course, a consumer or a registration
version_added: 0.1.0
description:
  - Judges an item of C(atelier_courses), C(atelier_consumers) or C(atelier_registrations) as the
    preflight and the hub do, but for what it names elsewhere.
  - Secrets are not in what it returns.
positional: kind
options:
  _input:
    description: The item.
    type: raw
    required: true
  kind:
    description: What it is.
    type: str
    choices: [course, consumer, registration]
    required: true
  private_hosts:
    description: C(atelier_platform_private_hosts), hosts that may be asked without TLS.
    type: list
    elements: str
    default: []
  only:
    description: Keys to look at; all when not given.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Check a course's definition
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}"
  vars:
    problems: "{{ atelier_courses[0] | mooc.atelier.entry_problems('course') }}"
"""

RETURN = r"""
_value:
  description: A sentence for each problem; empty where the item is right.
  type: list
  elements: str
"""

TABLES = {"course": COURSE, "consumer": LISTED_CONSUMER, "registration": REGISTRATION}


def entry_problems(
    entry: Any,
    kind: str,
    private_hosts: Iterable[str] = (),
    only: Collection[str] | None = None,
) -> list[str]:
    """Return the problems of an entry, one sentence each.

    Raises:
        AnsibleFilterError: the kind of entry is unknown.
    """
    if kind not in TABLES:
        raise AnsibleFilterError(f"entry_problems: {kind!r} is none of {', '.join(TABLES)}")
    reading = Reading(private_hosts=PlatformHosts(private_hosts))
    named = entry.get("slug" if kind == "course" else "key") if isinstance(entry, Mapping) else None
    who = f"{kind} {named!r}" if isinstance(named, str) else kind
    return [
        f"{who}: {sentence(one)}"
        for one in TABLES[kind].problems(entry, reading)
        if only is None or not one.key or re.split(r"[.\[]", one.key)[0] in only
    ]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        """Return the filters by name."""
        return {"entry_problems": entry_problems}
