"""What the molecule scenario `default` needs: variables, collection, storm, verdict."""

from __future__ import annotations

import json
import shutil
from typing import Any

from world import chaos, demo, fingerprint, paths, seed, venv
from world.notes import write_private
from world.run import WorldError, capture
from world.target import Target

TARGET = Target("atelier-mol-default")
INSTALLED = paths.CACHE / "world" / "installed"
SECRETS = paths.CACHE / "world" / "scenario-secrets.json"
KILLED_RUNS = 10
GATEWAY = "192.0.2.1"  # documentation only (RFC 5737): the course page behind it is not needed here


def variables() -> dict[str, Any]:
    """Return what `.demo/vars.yml` would have for this server; the secrets are its own."""
    known = demo.variables(GATEWAY, None, container=TARGET.name, keep=SECRETS)
    write_private(SECRETS, json.dumps(known))
    return known


def install() -> bool:
    """Build the collection and install it as Galaxy does, in an empty path."""
    build = paths.CACHE / "world" / "build"
    for folder in (build, INSTALLED):
        shutil.rmtree(folder, ignore_errors=True)
    galaxy = venv.program("ansible-galaxy")
    capture(galaxy, "collection", "build", str(paths.ROOT), "--output-path", str(build))
    (archive,) = build.glob("mooc-atelier-*.tar.gz")
    # Its dependencies come with the `ansible` package: asking Galaxy for them is not tested here.
    capture(galaxy, "collection", "install", str(archive), "-p", str(INSTALLED), "--no-deps")
    return True


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
        env={**venv.environment(), "ANSIBLE_COLLECTIONS_PATH": str(INSTALLED)},
        runs=KILLED_RUNS,
        seed=seed.current(),
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
