# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Runs git on the server, for course templates: without prompts and secrets in arguments."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

# Commits fetched from other repositories are stored below this name, not in refs/heads, so that
# clones of the mirror do not include them.
PRIVATE = "refs/atelier"


class GitError(Exception):
    """A git command failed or a repository is in a wrong state; the text says what to do.

    Attributes:
        code: identifies the error for a translated text; empty for git's own errors.
        fields: values in the text.
    """

    def __init__(self, text: str, code: str = "", **fields: str | int) -> None:
        super().__init__(text)
        self.code = code
        self.fields = fields


def check_address(address: str) -> None:
    """Refuse an address with a password, which would appear in process lists and logs.

    Raises:
        GitError: the address has one.
    """
    parts = urlsplit(address)
    if parts.scheme in {"http", "https"} and "@" in parts.netloc:
        raise GitError(
            f"The address of the repository at {parts.hostname} carries a user name or password: "
            "leave it out, addresses end in logs.",
            "password",
            host=str(parts.hostname),
        )


def credential_options(token_file: str) -> list[str]:
    """Return options with which git reads a token from a file; only the file's path is visible."""
    token = f'"$(cat {shlex.quote(token_file)})"'
    answer = f'test "$1" = get && printf "username=atelier\\npassword=%s\\n" {token}'
    # The empty value resets the list, so that no other helper gives a token or stores this one.
    return [
        "-c",
        "credential.helper=",
        "-c",
        f"credential.helper=!f() {{ {answer}; }}; f",
    ]


class Repository:
    """A bare repository on this machine.

    Args:
        path: path of the repository.
        ca_file: certificate authorities to trust, by default the system's.
        env: environment variables for git in addition to this process's; ``None`` unsets one.
        lock: descriptor of a file that git inherits, so that a lock on it lasts until git exits.
    """

    def __init__(
        self,
        path: Path,
        ca_file: str | None = None,
        env: Mapping[str, str | None] | None = None,
        lock: int | None = None,
    ) -> None:
        self.path = path
        self.env = env or {}
        self.pass_fds = () if lock is None else (lock,)
        self.options = [
            "-c",
            "core.hooksPath=/dev/null",
            # Give up a connection that transfers nothing for a minute.
            "-c",
            "http.lowSpeedLimit=100",
            "-c",
            "http.lowSpeedTime=60",
        ]
        if ca_file:
            self.options += ["-c", f"http.sslCAInfo={ca_file}"]

    def run(
        self,
        *arguments: str,
        options: list[str] | None = None,
        env: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (0,),
        stdin: str | None = None,
    ) -> tuple[int, str]:
        """Run git in this repository; return exit code and standard output.

        Raises:
            GitError: the exit code is not in ``accept``.
        """
        program = shutil.which("git")
        if program is None:
            raise GitError("git is not installed on the server: Debian's package git brings it.")
        base: dict[str, str | None] = {**os.environ, **self.env}
        environment = {
            **{name: value for name, value in base.items() if value is not None},
            "GIT_DIR": str(self.path),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new",
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "C",
            **(env or {}),
        }
        done = subprocess.run(  # noqa: S603 - a fixed program, no shell
            [program, *self.options, *(options or []), *arguments],
            env=environment,
            **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            pass_fds=self.pass_fds,
        )
        if done.returncode not in accept:
            said = done.stderr.strip() or done.stdout.strip()
            raise GitError(f"git {arguments[0]} failed: {said[-600:]}")
        return done.returncode, done.stdout.strip()

    def exists(self) -> bool:
        """Return whether there is a repository at the path."""
        return (self.path / "HEAD").is_file() and (self.path / "objects").is_dir()

    def create(self, branch: str) -> None:
        """Create an empty repository whose HEAD is ``branch``."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.run("init", "--bare", "--quiet", "--template=", f"--initial-branch={branch}")
        self.run("config", "transfer.hideRefs", PRIVATE)

    def tip(self, ref: str) -> str | None:
        """Return the commit of a full reference name; ``None`` if there is no such reference."""
        code, commit = self.run(
            "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", accept=(0, 1, 128)
        )
        return commit if code == 0 else None

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit."""
        return self.run("rev-parse", f"{commit}^{{tree}}")[1]

    def has(self, commit: str) -> bool:
        """Return whether the repository has a commit."""
        return self.run("cat-file", "-e", f"{commit}^{{commit}}", accept=(0, 1, 128))[0] == 0

    def is_ancestor(self, old: str, new: str) -> bool:
        """Return whether ``old`` is an ancestor of ``new``."""
        return self.run("merge-base", "--is-ancestor", old, new, accept=(0, 1))[0] == 0

    def count(self, old: str | None, new: str) -> int:
        """Return the number of commits in ``new`` that are not in ``old``."""
        return int(self.run("rev-list", "--count", f"{old}..{new}" if old else new)[1])

    def move(self, ref: str, new: str, old: str | None) -> None:
        """Set ``ref`` to ``new`` if it still is ``old``."""
        self.run("update-ref", ref, new, old or "0" * 40)

    def remote_tip(self, address: str, branch: str, options: list[str] | None = None) -> str | None:
        """Return the head commit of a remote branch; ``None`` if the branch does not exist."""
        listed = self.run("ls-remote", address, f"refs/heads/{branch}", options=options)[1]
        return listed.split()[0] if listed else None

    def fetch(self, address: str, branch: str, name: str, options: list[str] | None = None) -> str:
        """Fetch a remote branch to ``refs/atelier/<name>``; return its commit."""
        ref = f"{PRIVATE}/{name}"
        self.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", address,
                 f"+refs/heads/{branch}:{ref}", options=options)  # fmt: skip
        commit = self.tip(ref)
        if commit is None:
            raise GitError(f"the branch {branch} of {address} did not arrive")
        return commit
