# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""A class list on the controller, as the modules take it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: learners_csv
short_description: Learners of a CSV file, with the usernames that the hub gives them
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Reads class lists on the controller and returns learners as M(mooc.atelier.gitlab_learners)
    takes them.
  - The first line names the columns, C(platform) and C(user_id), and C(name) and C(email) where
    they are known. Cells are
    separated by commas, semicolons or tabs; the file is UTF-8.
  - Everything that is wrong is reported at once, by line number. A missing id, a learner or an
    e-mail address that is there
    twice, an unknown column, another encoding, a cell that a spreadsheet would take for a formula,
    an id that a spreadsheet has rounded or that holds an invisible character.
options:
  _terms:
    description: Files to read.
    type: list
    elements: path
    required: true
  platforms:
    description: Platforms that may occur; any when not given.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: How many learners are there?
  ansible.builtin.debug:
    msg: "{{ lookup('mooc.atelier.learners_csv', 'class.csv') | length }}"
"""

RETURN = r"""
_raw:
  description:
    - For each file, its learners with C(username), derived from platform and user id, and
      C(name) and C(email) where they are known.
  type: list
  elements: list
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible_collections.mooc.atelier.plugins.module_utils import _learners_csv


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible's base class has no types
    """Reads the files."""

    def run(
        self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        """One list of learners for each file."""
        self.set_options(var_options=variables, direct=kwargs)
        given = self.get_option("platforms")
        platforms = frozenset(given) if given is not None else None
        return [self._learners(term, variables, platforms) for term in terms]

    def _learners(
        self, term: str, variables: dict[str, Any] | None, platforms: frozenset[str] | None
    ) -> list[dict[str, str]]:
        path = self.find_file_in_search_path(variables, "files", term, ignore_missing=True)
        if path is None:
            raise AnsibleError(f"The class list {term} does not exist.")
        try:
            rows = _learners_csv.read(Path(path).read_bytes(), platforms)
        except OSError as error:
            raise AnsibleError(f"The class list {path} cannot be read: {error.strerror}") from error
        except _learners_csv.ListError as error:
            problems = "\n".join(f"  {problem}" for problem in error.problems[:50])
            count = len(error.problems)
            more = f"\n  and {count - 50} more" if count > 50 else ""
            raise AnsibleError(
                f"The class list {path} has {count} problem{'s' if count > 1 else ''}; "
                f"nothing was changed:\n{problems}{more}"
            ) from error
        learners = []
        for row in rows:
            learner = {"username": row.username}
            if row.name is not None:
                learner["name"] = row.name
            if row.email is not None:
                learner["email"] = row.email
            learners.append(learner)
        return learners
