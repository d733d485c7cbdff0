# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``mooc.atelier.hub_entry``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.mooc.atelier.plugins.module_utils._schema.course import (
    COURSE,
    REGISTERED_COURSE,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.problems import SchemaError
from ansible_collections.mooc.atelier.plugins.module_utils._schema.registration import (
    KEPT_REGISTRATION,
    REGISTRATION,
)

DOCUMENTATION = r"""
name: hub_entry
author: The Atelier maintainers
short_description: What the hub's files have of a course or a registration
version_added: 0.1.0
description:
  - Gives the keys that the hub reads of an item of C(atelier_courses) or C(atelier_registrations),
    each in the form that its file has. A course has all of them, with their defaults.
positional: kind
options:
  _input:
    description: The item.
    type: dict
    required: true
  kind:
    description: What it is.
    type: str
    choices: [course, registration]
    required: true
  template:
    description: For a course, the path of its template project in GitLab.
    type: str
    default: ""
  image:
    description: For a course, the tag of its image.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Write what the hub knows of a course
  ansible.builtin.copy:
    dest: /etc/atelier/courses.d/rr1.yml
    content: "{{ entry | to_nice_yaml }}"
    mode: "0640"
  vars:
    entry: "{{ course | mooc.atelier.hub_entry('course', template='rr1/template', image='rr1:1') }}"
"""

RETURN = r"""
_value:
  description: The entry.
  type: dict
"""


def hub_entry(entry: Any, kind: str, template: str = "", image: str = "") -> dict[str, Any]:
    """Return an entry in the form of the hub's file.

    Raises:
        AnsibleFilterError: the entry is invalid; the text has all problems.
    """
    try:
        if kind == "course":
            values = COURSE.read(entry) | {"template": template, "image": image}
            return {key.name: values.get(key.name, key.default) for key in REGISTERED_COURSE.keys}
        if kind == "registration":
            values = REGISTRATION.read(entry)
            # Keep the inventory's order, for readers of the file.
            return {
                name: values[name] for name in entry if name in KEPT_REGISTRATION and name in values
            }
    except SchemaError as error:
        raise AnsibleFilterError(f"hub_entry: {kind}: {error}") from error
    raise AnsibleFilterError(f"hub_entry: {kind!r} is neither course nor registration")


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        """Return the filters by name."""
        return {"hub_entry": hub_entry}
