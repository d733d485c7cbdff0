"""Running git, with nothing taken from the machine's or a person's configuration."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

HOOKS = Path(__file__).parent / "hooks"

_CONFIG = {
    "core.hooksPath": str(HOOKS),
    "http.receivepack": "true",
    "receive.advertisePushOptions": "true",
    "receive.denyCurrentBranch": "ignore",
    "receive.fsckObjects": "true",
    "transfer.hideRefs": "refs/keep-around",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "core.quotePath": "false",
    "core.logAllRefUpdates": "false",
    "gc.auto": "0",
    "init.defaultBranch": "main",
    "safe.directory": "*",
    "merge.directoryRenames": "false",
}


class GitError(Exception):
    """git failed; the text is its own, without the command."""


def environment(
    extra: Mapping[str, str] | None = None, config: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Environment for git: our settings only, with ``config`` added to them."""
    settings = {**_CONFIG, **(config or {})}
    env = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for index, (key, value) in enumerate(settings.items()):
        env[f"GIT_CONFIG_KEY_{index}"] = key
        env[f"GIT_CONFIG_VALUE_{index}"] = value
    env.update(extra or {})
    return env


def git(
    directory: Path,
    arguments: Sequence[str],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    accept: tuple[int, ...] = (0,),
) -> bytes:
    """Run git in a bare repository and return what it prints; GitError on another exit code."""
    done = subprocess.run(
        ["git", "--git-dir", str(directory), *arguments],
        input=stdin or b"",
        capture_output=True,
        env=environment(env),
        check=False,
    )
    if done.returncode not in accept:
        raise GitError(done.stderr.decode(errors="replace").strip())
    return done.stdout
