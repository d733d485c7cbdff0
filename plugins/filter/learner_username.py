# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter ``mooc.atelier.learner_username``."""

from __future__ import annotations

from collections.abc import Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.mooc.atelier.plugins.module_utils._identity import username

DOCUMENTATION = r"""
name: learner_username
author: The Atelier maintainers
short_description: Username of a learner on the site
version_added: 0.1.0
description:
  - Gives the pseudonymous username that the hub and GitLab know a learner by.
  - It depends on the platform and the learner's LTI C(user_id) only, so that a learner made
    beforehand from a list is the learner who enters later by a click.
positional: platform
options:
  _input:
    description: The learner's LTI C(user_id) (LTI 1.3, C(sub)), exactly as the platform sends it.
    type: str
    required: true
  platform:
    description: Slug of the platform, as in the consumer's C(platform).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show under which name learner 42 of the platform "campus" is known
  ansible.builtin.debug:
    msg: "{{ '42' | mooc.atelier.learner_username('campus') }}"
"""

RETURN = r"""
_value:
  description: The letter C(u) and sixteen characters of C([a-z2-7]).
  type: str
"""


def learner_username(user_id: object, platform: object) -> str:
    """Return the learner's username; numbers are converted to text.

    Raises:
        AnsibleFilterError: one of the two is empty or not a text.
    """
    for name, value in (("the user_id", user_id), ("platform", platform)):
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise AnsibleFilterError(f"learner_username: {name} must be a text, not {value!r}")
    try:
        return username(str(platform), str(user_id))
    except ValueError as error:
        raise AnsibleFilterError(f"learner_username: {error}") from error


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return the filters by name."""
        return {"learner_username": learner_username}
