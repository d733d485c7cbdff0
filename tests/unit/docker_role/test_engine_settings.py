"""The engine's settings are looked through before they are put in place, where the engine can."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

ENGINE = Path(__file__).resolve().parents[3] / "roles/docker/tasks/engine.yml"
# Debian 13's engine has the option, Debian 12's does not and refuses what it does not know.
DOCKERD = """#!/bin/sh
case "$*" in
  --help) echo "Options: --config-file {options}" ;;
  "{accepted}"*) grep -q good "$3" ;;
  *) echo "unknown flag: $1" >&2; exit 125 ;;
esac
"""
NEW = DOCKERD.format(options="--validate", accepted="--validate --config-file")
OLD = DOCKERD.format(options="", accepted="nothing of the kind")


@pytest.mark.parametrize(
    ("dockerd", "settings", "taken"),
    [(NEW, "good", True), (NEW, "bad", False), (OLD, "good", True)],
)
def test_each_release_s_engine(tmp_path: Path, dockerd: str, settings: str, taken: bool) -> None:
    program = tmp_path / "dockerd"
    program.write_text(dockerd)
    program.chmod(0o755)
    (tmp_path / "daemon.json").write_text(settings)
    tasks = yaml.safe_load(ENGINE.read_text())
    (command,) = [
        entry["validate"]
        for task in tasks
        for entry in task.get("mooc.atelier.files", {}).get("files", [])
        if entry["dest"] == "/etc/docker/daemon.json"
    ]
    done = subprocess.run(
        shlex.split(command % (tmp_path / "daemon.json")),
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        check=False,
    )
    assert (done.returncode == 0) == taken
