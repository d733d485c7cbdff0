"""Real runs of ansible-playbook and ansible, as forks of a process that has imported Ansible.

More than half of a small run is the import of Ansible and the reading of its own settings. A fork
has that already and looks anew at its environment; its modules are processes as ever.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from world import paths, venv

from kit import fork_server

PROGRAMS = {"ansible": "ansible.cli.adhoc", "ansible-playbook": "ansible.cli.playbook"}
IMPORTED = (
    *PROGRAMS.values(),
    "ansible.executor.module_common",
    "ansible.executor.playbook_executor",
    "ansible.plugins.action.normal",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "ansible.plugins.shell.sh",
    "ansible.plugins.strategy.linear",
)
"""What each run imports."""
MAIN = "kit.playbook"
BYTECODE = paths.CACHE / "atelier-tests/module-bytecode"
"""Where modules' processes keep what Python compiles of the archives they come in."""
_HOOKS = (paths.ROOT / "tests/kit/module_bytecode", paths.ROOT / "tests/world/target")


def environment() -> dict[str, str]:
    """Return variables with which Ansible finds the checkout as `mooc.atelier`."""
    BYTECODE.mkdir(parents=True, exist_ok=True)
    usual = venv.environment()
    path = os.pathsep.join([*map(str, _HOOKS), usual["PYTHONPATH"]])
    return {**usual, "PYTHONPATH": path, "ATELIER_WORLD_BYTECODE": str(BYTECODE)}


def run(
    *words: str | Path,
    cwd: Path,
    env: Mapping[str, str],
    seconds: float = 300,
    program: str = "ansible-playbook",
) -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook to its end.

    Args:
        words: its arguments.
        cwd: its working directory.
        env: its whole environment.
        seconds: at most.
        program: another one of PROGRAMS.

    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    server = fork_server.of(*IMPORTED, f"{MAIN}_read", **venv.environment())
    return fork_server.run(
        server, [MAIN, program, *map(str, words)], cwd=cwd, env=env, seconds=seconds
    )


def main() -> None:
    """Be the program that is named first, with the settings of this environment."""
    constants = importlib.import_module("ansible.constants")
    manager = importlib.import_module("ansible.config.manager")
    file = manager.find_ini_config_file()
    assert constants.config._config_file == file, "another ANSIBLE_CONFIG needs a server of its own"
    for name in constants.config.get_configuration_definitions():  # as this module does itself
        value = constants.config.get_config_value(name, variables=vars(constants))
        constants.set_constant(name, value)
    importlib.import_module(PROGRAMS[sys.argv[1]]).main(sys.argv[1:])


if __name__ == "__main__":
    main()
