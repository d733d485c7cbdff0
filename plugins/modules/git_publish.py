#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Pushes a branch to GitLab, fast-forward only, with a token from a file."""

from __future__ import annotations

DOCUMENTATION = r"""
module: git_publish
short_description: Push a course's template, forward only
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Pushes a branch of a bare repository on the server to a repository reached over HTTPS.
  - Never forces. When the other side has commits that this one has not, nothing is pushed; when
    both have, that is an error that says what to do.
  - The token is read from its file by git's credential helper. It is never part of an address, an
    argument, an environment or a configuration.
options:
  path:
    description: The bare repository on the server.
    type: path
    required: true
  branch:
    description: Branch to push, under the same name.
    type: str
    default: main
  url:
    description: Address to push to, without password.
    type: str
    required: true
  token_file:
    description: File on the server with the access token, scope C(write_repository).
    type: path
  validate:
    description:
      - A command that must accept the head of O(branch) before it is pushed. What it has accepted
        is noted in the repository, and it is asked again when the head or its inputs have changed.
      - It only reads, and is asked in check mode too.
    type: dict
    suboptions:
      command:
        description: The command and its arguments. It accepts with code 0 and refuses with 1.
        type: list
        elements: str
        required: true
      inputs:
        description: Files that its answer depends on beside the branch, such as its program.
        type: list
        elements: path
        default: []
      refused:
        description: What the failure says before the command's own words.
        type: str
        required: true
extends_documentation_fragment:
  - mooc.atelier.git
"""

EXAMPLES = r"""
- name: Publish the course's template
  mooc.atelier.git_publish:
    path: /var/lib/atelier/templates/rr1.git
    url: https://gitlab.mooc.example.org/rr1/template.git
    token_file: /etc/atelier/secrets/gitlab_admin_token
    validate:
      command: [atelier-exercises, check, --git, /var/lib/atelier/templates/rr1.git]
      refused: The exercises of the course rr1 are not right.
"""

RETURN = r"""
state:
  description:
    - C(equal), C(pushed), or C(ahead) when the other side has newer commits and nothing was pushed.
  type: str
  returned: success
  sample: pushed
commit:
  description: Commit at the head of the branch over there afterwards (or as it would be).
  type: str
  returned: success
  sample: 4f5f2a9c0e6b4f0c8f8dd1f6a7d2b1c3d4e5f607
commits:
  description: How many commits were pushed.
  type: int
  returned: success
  sample: 2
"""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._git import git, push


class Validation:
    """A command that validates a commit, with a note of the last commit that it accepted."""

    def __init__(self, params: dict[str, Any], repository: git.Repository) -> None:
        self.command: list[str] = params["command"]
        self.inputs: list[str] = params["inputs"]
        self.refused: str = params["refused"]
        self.note = repository.path / "atelier-validated"

    def run(self, commit: str, check_mode: bool) -> None:
        """Run the command, unless it has already accepted this commit.

        Raises:
            git.GitError: the command refuses the commit, or fails.
        """
        asked = self.identity(commit)
        if self.note.is_file() and self.note.read_text(encoding="utf-8") == asked:
            return
        done = subprocess.run(  # noqa: S603 - the task's own command, no shell
            self.command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        said = done.stderr.strip() or done.stdout.strip()
        if done.returncode == 1:
            raise git.GitError(f"{self.refused}\n{said}")
        if done.returncode:
            raise git.GitError(
                f"Nothing was pushed: '{' '.join(self.command)}' fails with code "
                f"{done.returncode}: {said[-2000:]}"
            )
        if not check_mode:
            self.note.write_text(asked, encoding="utf-8")

    def identity(self, commit: str) -> str:
        """Return a hash of all inputs of the command."""
        total = hashlib.sha256(repr((commit, self.command)).encode())
        for name in self.inputs:
            path = Path(name)
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "none"
            total.update(f"\n{name} {content}".encode())
        return f"{total.hexdigest()}\n"


def publish(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Push if that is a fast-forward; return the module's result."""
    url, branch = params["url"], params["branch"]
    git.check_address(url)
    repository = git.Repository(Path(params["path"]), params["ca_file"])
    ours = repository.tip(f"refs/heads/{branch}") if repository.exists() else None
    if ours is None:
        if check_mode:
            return result(None, "", "pushed", 0)
        raise git.GitError(f"There is no branch {branch} in {repository.path} to push.")
    if params["validate"]:
        Validation(params["validate"], repository).run(ours, check_mode)
    options = git.credential_options(params["token_file"]) if params["token_file"] else []
    found = push.compare(repository, url, branch, ours, options)
    if found.state == "ahead":
        return result(found.theirs, str(found.theirs), "ahead", 0)
    if found.state == "equal":
        return result(found.theirs, ours, "equal", 0)
    if not check_mode:
        push.push(repository, url, branch, ours, options)
    return result(found.theirs, ours, "pushed", found.commits)


def result(before: str | None, after: str, state: str, commits: int) -> dict[str, Any]:
    """Return the module's result."""
    return {
        "changed": state == "pushed",
        "state": state,
        "commit": after,
        "commits": commits,
        "diff": {"before": {"commit": before or ""}, "after": {"commit": after or "a new commit"}},
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "branch": {"type": "str", "default": "main"},
            "url": {"type": "str", "required": True},
            "token_file": {"type": "path", "no_log": False},
            "ca_file": {"type": "path"},
            "validate": {
                "type": "dict",
                "options": {
                    "command": {"type": "list", "elements": "str", "required": True},
                    "inputs": {"type": "list", "elements": "path", "default": []},
                    "refused": {"type": "str", "required": True},
                },
            },
        },
        supports_check_mode=True,
    )
    try:
        answer = publish(module.params, module.check_mode)
    except (git.GitError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
