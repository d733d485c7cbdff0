"""`make role`: one molecule scenario whose server is kept between the steps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from world import engine, images, needs, paths, venv
from world.run import WorldError, say
from world.target import Target

FOLDER = paths.ROOT / "molecule"
STEPS = (
    "create", "prepare", "converge", "idempotence", "verify", "side-effect", "check", "login",
    "destroy",
)  # fmt: skip
WITHOUT_STEP = ("converge", "verify")
"""molecule's converge creates and prepares a server that is not there yet."""


def scenarios() -> list[str]:
    """Return the names of all scenarios."""
    return sorted(path.parent.name for path in FOLDER.glob("*/molecule.yml"))


def server_names(scenario: str) -> list[str]:
    """Read a scenario's platforms, without PyYAML: the machine's own Python may not have it."""
    settings = (FOLDER / scenario / "molecule.yml").read_text(encoding="utf-8")
    return re.findall(r"^  - name: (atelier-mol-\S+)$", settings, re.MULTILINE)


def run(scenario: str, step: str = "") -> int:
    """Run a step of a scenario, or converge and verify, and keep its server. Returns an exit code.

    Raises:
        WorldError: there is no such scenario or step, or the server is another checkout's.
    """
    _refuse_unknown(scenario, step)
    found = needs.Needs()
    needs.common(found)
    found.settle()
    engine.ensure()
    venv.ensure()
    with images.lock(f"scenario-{scenario}"):  # tests/molecule holds it too
        servers = _servers(scenario)
        if step == "login":
            return _login(scenario, servers[0])
        _agree(scenario, servers)
        for word in [step] if step else WITHOUT_STEP:
            say(f"==> molecule {word} -s {scenario}")
            code = _molecule(word, scenario)
            if code:
                say(_kept(scenario) if word != "destroy" else "")
                return code
    if step == "destroy":
        engine.stop_own()
    else:
        say(_kept(scenario))
    return 0


def _refuse_unknown(scenario: str, step: str) -> None:
    listed = f"  scenarios: {', '.join(scenarios())}\n  steps: {', '.join(STEPS)}"
    if not scenario:
        raise WorldError(f"Which scenario? make role R=<scenario> [STEP=<step>]\n{listed}")
    if scenario not in scenarios():
        raise WorldError(f"There is no scenario {scenario}.\n{listed}")
    if step and step not in STEPS:
        raise WorldError(f"There is no step {step}.\n{listed}")


def _servers(scenario: str) -> list[Target]:
    """Return the scenario's servers; refuse to touch those of another checkout."""
    servers = [Target(name) for name in server_names(scenario)]
    for server in servers:
        checkout = server.checkout()
        if checkout not in (None, paths.ROOT):
            raise WorldError(
                f"The server {server.name} is the one of {checkout}, and there is one on a machine:"
                f"\n  make -C {checkout} role R={scenario} STEP=destroy"
            )
    return servers


def _agree(scenario: str, servers: list[Target]) -> None:
    """Make molecule's notes and the engine agree.

    molecule neither starts a server that was stopped, by a reboot of the machine, nor notices that
    one it has noted is gone.
    """
    states = {server: server.state() for server in servers}
    if not all(states.values()):
        _molecule("reset", scenario, quiet=True)
    for server, state in states.items():
        if state and state != "running":
            server.up()


def _molecule(step: str, scenario: str, *, quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        [venv.program("molecule"), step, "-s", scenario],
        cwd=paths.ROOT,
        env={**os.environ, **venv.environment()},
        stdout=output,
        stderr=output,
        check=False,
    ).returncode


def _login(scenario: str, server: Target) -> int:
    if server.state() != "running":
        raise WorldError(f"{server.name} does not run: make role R={scenario} STEP=create")
    say(f"==> {server.name}: exit leaves it")
    return subprocess.run(
        [shutil.which("docker") or "docker", "exec", "-it", server.name, "bash", "-l"], check=False
    ).returncode


def _kept(scenario: str) -> str:
    command = f"make role R={scenario}"
    return (
        "\nThe server is kept. Go on with one of these:\n"
        f"  {command} STEP=converge     the role again, after a change\n"
        f"  {command} STEP=verify       look at it again\n"
        f"  {command} STEP=login        a shell on it\n"
        f"  {command} STEP=destroy      remove it"
    )
