#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Keep a bare mirror of a course's source, from a git repository or from a directory."""

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
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._git import git


class Mirror:
    """The repository and where it comes from."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.branch: str = params["branch"]
        self.head = f"refs/heads/{self.branch}"
        self.repository = git.Repository(Path(params["path"]), params["ca_file"])

    def run(self) -> dict[str, Any]:
        """Bring the mirror up to date; the module's result."""
        if not self.repository.exists():
            if self.check_mode:
                return self.result(None, "", True)
            self.repository.create(self.branch)
        before = self.repository.tip(self.head)
        update = self.from_repository if self.params["repository"] else self.from_directory
        after = update(before)
        return self.result(before, after, after != before)

    def result(self, before: str | None, after: str, changed: bool) -> dict[str, Any]:
        """The module's result."""
        return {
            "changed": changed,
            "commit": after,
            "diff": {
                "before": {"commit": before or ""},
                "after": {"commit": after or "a new commit"},
            },
        }

    def published(self, before: str | None) -> str | None:
        """The published commit when it is newer than the mirror's, else ``None``."""
        address, token_file = self.params["base"], self.params["base_token_file"]
        if not address:
            return None
        git.check_address(address)
        options = git.credential_options(token_file) if token_file else []
        tip = self.repository.remote_tip(address, self.branch, options)
        if tip is None or tip == before:
            return None
        if not self.repository.has(tip):
            # Also in check mode: brings objects that nothing refers to but a name of our own.
            self.repository.fetch(address, self.branch, "base", options)
        newer = before is None or self.repository.is_ancestor(before, tip)
        return tip if newer else None

    def from_repository(self, before: str | None) -> str:
        """Move forward to the head of the source repository's branch; its commit."""
        address, branch = self.params["repository"], self.params["repository_branch"]
        git.check_address(address)
        there = self.repository.remote_tip(address, branch)
        if there is None:
            raise git.GitError(f"The repository {address} has no branch {branch}.")
        if there == before or self.check_mode:
            return there
        there = self.repository.fetch(address, branch, "source")
        if before is not None and not self.repository.is_ancestor(before, there):
            raise git.GitError(
                f"The branch {branch} of {address} does not contain commit {before[:12]} any more, "
                "which learners' forks were made from: its history was rewritten, or the course "
                "changed its source. Bring that commit back into the branch (merge it, do not "
                f"rebase), for example from {self.repository.path}."
            )
        self.repository.move(self.head, there, before)
        return there

    def from_directory(self, before: str | None) -> str:
        """Commit the directory's files if they differ; the commit at the head afterwards."""
        directory = Path(self.params["directory"])
        if not directory.is_dir():
            raise git.GitError(f"There is no directory {directory} on the server.")
        with tempfile.TemporaryDirectory() as scratch:
            tree = self.tree(directory, Path(scratch))
        if before is not None and self.repository.tree_of(before) == tree:
            return before
        published = self.published(before)
        if published is None:
            return self.commit(tree, before, before)
        if self.repository.tree_of(published) == tree:
            if not self.check_mode:
                self.repository.move(self.head, published, before)
            return published
        if before is not None:
            raise git.GitError(
                f"The template at {self.params['base']} has commits that the course's directory "
                f"has not (the latest is {published[:12]}), and the directory has changed too. "
                "Nothing was published and nothing is lost. Copy the template's files into the "
                "directory, run this again, then make your changes."
            )
        return self.commit(tree, published, None)

    def commit(self, tree: str, parent: str | None, before: str | None) -> str:
        """Put a commit of these files on top of ``parent``; empty in check mode."""
        if self.check_mode:
            return ""
        person = {
            f"GIT_{role}_{what}": self.params[f"author_{what.lower()}"]
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        parents = ["-p", parent] if parent else []
        message = self.params["commit_message"]
        made = self.repository.run("commit-tree", tree, *parents, "-m", message, env=person)[1]
        self.repository.move(self.head, made, before)
        return made

    def tree(self, directory: Path, scratch: Path) -> str:
        """The directory's files as a git tree; in check mode its objects go to ``scratch``."""
        env = {"GIT_WORK_TREE": str(directory), "GIT_INDEX_FILE": str(scratch / "index")}
        if self.check_mode:
            objects = self.repository.path / "objects"
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(objects)
            env["GIT_OBJECT_DIRECTORY"] = str(scratch / "objects")
            (scratch / "objects").mkdir()
        # bare=false: the repository lends itself to a work tree for this command.
        self.repository.run(
            "add", "--all", "--", str(directory), options=["-c", "core.bare=false"], env=env
        )
        listed = self.repository.run("ls-files", options=["-c", "core.bare=false"], env=env)[1]
        if not listed:
            raise git.GitError(f"The directory {directory} holds no file for the course.")
        return self.repository.run("write-tree", env=env)[1]


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
