"""What the molecule scenario `default` needs: variables, storm, verdict."""

from __future__ import annotations

import json
from typing import Any

from world import chaos, demo, fingerprint, galaxy, paths, venv
from world.notes import write_private
from world.run import WorldError
from world.target import Target

TARGET = Target("atelier-mol-default")
SECRETS = paths.CACHE / "world" / "scenario-secrets.json"
KILLED_RUNS = 10
GATEWAY = "192.0.2.1"  # documentation only (RFC 5737): the course page behind it is not needed here


def variables() -> dict[str, Any]:
    """Return what `.demo/vars.yml` would have for this server; the secrets are its own."""
    known = demo.variables(GATEWAY, None, container=TARGET.name, keep=SECRETS)
    write_private(SECRETS, json.dumps(known))
    return known


def make_images() -> bool:
    """Make the images that the variables name."""
    return demo.make_images(standin=True)


def storm() -> bool:
    """Start the playbook ten times and kill it."""
    inventories = [paths.ROOT / "inventories/demo", paths.ROOT / "molecule/default/inventory.py"]
    chaos.storm(
        [
            venv.program("ansible-playbook"),
            "mooc.atelier.site",
            *(f"--inventory={path}" for path in inventories),
        ],
        env=galaxy.environment(),
        runs=KILLED_RUNS,
        seed=chaos.seed(),
        log=paths.RESULTS / "chaos.log",
    )
    return True


def verify() -> bool:
    """Check the server's units, and keep its state, to be compared with the demo's.

    Raises:
        WorldError: some are not as they should be; names them.
    """
    state = fingerprint.take(TARGET, demo.own_values(variables()))
    fingerprint.keep("scenario", state)
    wrong = [
        f"{unit}: {is_active}, {is_enabled}"
        for unit, (is_active, is_enabled) in state["units"].items()
        if (is_active, is_enabled) != ("active", "enabled")
    ]
    if wrong:
        raise WorldError("These units are not active and enabled:\n  " + "\n  ".join(wrong))
    return False
