"""Role jupyterhub's question whether environment and proxy are those wanted."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from world import paths

TASKS = paths.ROOT / "roles/jupyterhub/tasks/programs.yml"
PLACE = "/opt/atelier/libexec"


def asked(folder: Path, venv: str, proxy: str) -> subprocess.CompletedProcess[str]:
    """Run the role's command with these scripts in the place of its tools."""
    for name, script in (("install-venv", venv), ("install-proxy", proxy)):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    (command,) = [
        task["ansible.builtin.command"]["cmd"]
        for task in yaml.safe_load(TASKS.read_text())
        if "ansible.builtin.command" in task
    ]
    words = shlex.split(command.replace(PLACE, str(folder)))
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_each_is_told_by_its_name(tmp_path: Path) -> None:
    done = asked(tmp_path, "echo stale", "echo current")
    assert (done.returncode, done.stdout) == (0, "venv stale\nproxy current\n")


@pytest.mark.parametrize(
    ("venv", "proxy"), [("exit 3", "echo current"), ("echo current", "exit 3")]
)
def test_a_tool_that_cannot_tell_fails_the_task(tmp_path: Path, venv: str, proxy: str) -> None:
    assert asked(tmp_path, venv, proxy).returncode == 3
