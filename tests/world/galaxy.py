"""The collection as Galaxy would install it: built from the checkout, in a path of its own."""

from __future__ import annotations

import os
import shutil

from world import archive, paths, venv
from world.run import capture

INSTALLED = paths.CACHE / "world" / "installed"
BUILD = paths.CACHE / "world" / "build"


def install() -> bool:
    """Build the collection and install it in an empty path. Always true: it is made again."""
    for folder in (BUILD, INSTALLED):
        shutil.rmtree(folder, ignore_errors=True)
    galaxy = venv.program("ansible-galaxy")
    built = archive.collection(paths.ROOT, BUILD, archive.epoch())
    # The checkout's own link would be an installed collection already, and nothing would be done.
    alone = ("env", f"ANSIBLE_COLLECTIONS_PATH={INSTALLED}")
    install = ("collection", "install", str(built), "-p", str(INSTALLED))
    # Its dependencies come with the `ansible` package: asking Galaxy for them is not tested here.
    capture(*alone, galaxy, *install, "--no-deps")
    return True


def environment() -> dict[str, str]:
    """Return what lets Ansible find that collection, and not the checkout."""
    return {**venv.environment(), "ANSIBLE_COLLECTIONS_PATH": str(INSTALLED)}


def wanted() -> bool:
    """Tell whether the demo is to be installed from there (`ATELIER_FROM_GALAXY`)."""
    return bool(os.environ.get("ATELIER_FROM_GALAXY"))
