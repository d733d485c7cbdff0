"""A site of an earlier version, to be upgraded by this one."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile

from world import demo, engine, galaxy, lms, paths, playbook, venv
from world.run import WorldError, say, succeeds

FORMER = "bffcc7d2627a54d687e3b70a7f529b82415cd299"
"""The last commit before the server package was laid out anew and its database had versions."""
FOLDER = paths.CACHE / "soak" / "former"
LOG = paths.RESULTS / "upgrade-former-site.log"


def require_former() -> None:
    """Look whether the clone has the former version.

    Raises:
        WorldError: it does not: it is a shallow clone, or a copy without history.
    """
    if not succeeds("git", "-C", str(paths.ROOT), "cat-file", "-e", f"{FORMER}^{{commit}}"):
        raise WorldError(
            f"The former version, commit {FORMER[:12]}, is not in this clone's history."
            " In a shallow clone: git fetch --unshallow"
        )


def export() -> None:
    """Write the former version's collection where Ansible finds it, and nothing else."""
    require_former()
    shutil.rmtree(FOLDER, ignore_errors=True)
    place = FOLDER / "ansible_collections" / "mooc" / "atelier"
    place.mkdir(parents=True)
    done = subprocess.run(
        ["git", "-C", str(paths.ROOT), "archive", "--format=tar", FORMER],
        capture_output=True,
        check=True,
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(place, filter="data")


def install_former() -> None:
    """Install the demo with the former version's playbook, on a new server.

    Raises:
        WorldError: a demo is there already, or the installation failed.
    """
    if demo.TARGET.state():
        raise WorldError("A demo is there: make demo-down first.")
    export()
    engine.ensure()
    gateway = demo.prepare(None)
    demo.TARGET.up()
    say(f"==> installing the site of {FORMER[:12]} (whole log: {LOG.relative_to(paths.ROOT)})")
    collection = FOLDER / "ansible_collections" / "mooc" / "atelier"
    playbook.run(
        "mooc.atelier.site",
        ["-i", collection / "inventories" / "demo", "-e", f"@{demo.VARS}"],
        log=LOG,
        env={**venv.environment(), "ANSIBLE_COLLECTIONS_PATH": str(FOLDER)},
    )
    demo.hand_over()
    lms.ensure(gateway, demo.DETAILS)


def upgrade() -> playbook.Outcome:
    """Install this version over it, as Galaxy would install it."""
    galaxy.install()
    return playbook.run(
        "mooc.atelier.site",
        ["-i", paths.ROOT / "inventories" / "demo", "-e", f"@{demo.VARS}"],
        log=demo.SITE_LOG,
        env=galaxy.environment(),
    )
