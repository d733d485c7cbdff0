#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Updates a bare mirror of a course's source, from a git repository or from a directory."""

from __future__ import annotations

DOCUMENTATION = r"""
module: git_mirror
short_description: Bare mirror of a course's source, moving forward only
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Brings a branch of a git repository, or the files of a directory, into a bare repository on the
    server, readable for everybody there.
  - The history only grows. A source whose history was rewritten is an error, because learners have
    clones and forks of what was there before.
  - From a directory, a commit is made when its files differ from those of the last one.
options:
  path:
    description: The bare repository on the server. Made when missing.
    type: path
    required: true
  branch:
    description: Its branch.
    type: str
    default: main
  repository:
    description: Address of the source repository, without password.
    type: str
  repository_branch:
    description: Branch of the source repository.
    type: str
    default: main
  directory:
    description: Directory on the server with the source's files. Its C(.gitignore) files count.
    type: path
  base:
    description:
      - Address where the mirror is published, with O(directory).
      - Its O(branch) is taken as the history so far when the mirror has none, as on a new server
        whose GitLab was restored.
      - When it has commits that the mirror has not, they are taken over if the directory has the
        same files; if the directory has changes of its own, that is an error that says what to do.
    type: str
  base_token_file:
    description: File with the access token for O(base).
    type: path
  author_name:
    description: Author of commits made from a directory.
    type: str
    default: Atelier
  author_email:
    description: Address of that author.
    type: str
    default: atelier@localhost
  commit_message:
    description: Message of commits made from a directory.
    type: str
    default: Update the course's files
extends_documentation_fragment:
  - mooc.atelier.git
"""

EXAMPLES = r"""
- name: Mirror the course's repository
  mooc.atelier.git_mirror:
    path: /var/lib/atelier/templates/rr1.git
    repository: https://git.example.org/mooc/rr1-template.git
"""

RETURN = r"""
commit:
  description: The commit at the head of the mirror; empty when a check mode run cannot know it.
  type: str
  returned: success
  sample: 4f5f2a9c0e6b4f0c8f8dd1f6a7d2b1c3d4e5f607
"""

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._git import git, source


class Mirror:
    """The mirror and its source."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.branch: str = params["branch"]
        self.head = f"refs/heads/{self.branch}"
        self.repository = git.Repository(Path(params["path"]), params["ca_file"])

    def run(self) -> dict[str, Any]:
        """Update the mirror; return the module's result."""
        if not self.repository.exists():
            if self.check_mode:
                return self.result(None, "", True)
            self.repository.create(self.branch)
        before = self.repository.tip(self.head)
        update = self.from_repository if self.params["repository"] else self.from_directory
        after = update(before)
        return self.result(before, after, after != before)

    def result(self, before: str | None, after: str, changed: bool) -> dict[str, Any]:
        """Return the module's result."""
        return {
            "changed": changed,
            "commit": after,
            "diff": {
                "before": {"commit": before or ""},
                "after": {"commit": after or "a new commit"},
            },
        }

    def from_repository(self, before: str | None) -> str:
        """Fast-forward to the head of the source repository's branch; return its commit."""
        address, branch = self.params["repository"], self.params["repository_branch"]
        there = source.branch_tip(self.repository, address, branch)
        if there == before or self.check_mode:
            return there
        there = source.fetch_branch(self.repository, address, branch, before, self.repository.path)
        self.repository.move(self.head, there, before)
        return there

    def from_directory(self, before: str | None) -> str:
        """Commit the directory's files if they differ; return the new head."""
        address, token_file = self.params["base"], self.params["base_token_file"]
        options = git.credential_options(token_file) if token_file else []

        def newer() -> str | None:
            if not address:
                return None
            return source.newer_tip(self.repository, address, self.branch, before, options)

        step = source.directory_step(
            self.repository,
            Path(self.params["directory"]),
            before,
            newer,
            address,
            self.check_mode,
        )
        if self.check_mode:
            return step.commit or ""
        author = source.Author(
            self.params["author_name"], self.params["author_email"], self.params["commit_message"]
        )
        after = step.make(self.repository, author)
        if after != before:
            self.repository.move(self.head, after, before)
        return after


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "branch": {"type": "str", "default": "main"},
            "repository": {"type": "str"},
            "repository_branch": {"type": "str", "default": "main"},
            "directory": {"type": "path"},
            "base": {"type": "str"},
            "base_token_file": {"type": "path", "no_log": False},
            "ca_file": {"type": "path"},
            "author_name": {"type": "str", "default": "Atelier"},
            "author_email": {"type": "str", "default": "atelier@localhost"},
            "commit_message": {"type": "str", "default": "Update the course's files"},
        },
        required_one_of=[("repository", "directory")],
        mutually_exclusive=[("repository", "directory")],
        supports_check_mode=True,
    )
    # Learners' containers read the mirror as another user.
    os.umask(0o022)
    try:
        result = Mirror(module.params, module.check_mode).run()
    except (git.GitError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
