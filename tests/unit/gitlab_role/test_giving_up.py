"""When waiting for GitLab is pointless, told from what Docker says of the container."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from world import paths


def pointless(tmp_path: Path, docker_says: str) -> str | None:
    """Run the role's own command with a Docker that says so; the reason, or ``None``."""
    variables = yaml.safe_load((paths.ROOT / "roles/gitlab/vars/main.yml").read_text())
    shell, option, script = variables["__gitlab_stopped_command"]
    script = re.sub(r"{% (raw|endraw) %}", "", script).replace(
        "{{ gitlab_container | quote }}", "gitlab"
    )
    fake = tmp_path / "docker"
    fake.write_text(f"#!/bin/sh\necho '{docker_says}'\n")
    fake.chmod(0o755)
    done = subprocess.run(
        [shell, option, script],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.strip() if done.returncode == 0 else None


@pytest.mark.parametrize("says", ["0 created", "0 running", "17 running", "3 restarting"])
def test_it_may_still_become_ready(tmp_path: Path, says: str) -> None:
    assert pointless(tmp_path, says) is None


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("12 restarting", "the container failed 12 times"),
        ("0 exited", "the container is not running (exited)"),
        ("Error: No such object: gitlab", "the container is not running (No such object: gitlab)"),
    ],
)
def test_it_will_not_become_ready(tmp_path: Path, says: str, reason: str) -> None:
    assert pointless(tmp_path, says) == reason
