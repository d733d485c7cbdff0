"""`site.yml --check` on a server that has nothing: it says what it would do and does nothing."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.collection.conftest import Installed, words
from world import demo, paths
from world.target import Target

INVENTORY = paths.ROOT / "inventories/demo"
# Where a system writes by itself, and where Ansible keeps the modules it is running.
RESTLESS = (
    "/var/cache",
    "/var/cache/*",
    "/var/log/*",
    "/var/tmp/*",
    "/var/lib/systemd/*",
    "/var/lib/private/*",
    "*/__pycache__*",
)


@pytest.fixture
def server() -> Iterator[Target]:
    target = Target("atelier-test-dry-run")
    target.down()
    target.up()
    yield target
    target.down()


def variables(server: Target, folder: Path) -> Path:
    """Write what `make demo` would: a site without a registry. A dry run opens no archive."""
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("manifest.json"))
    known = demo.variables("192.0.2.1", None, container=server.name, keep=folder / "kept.json")
    known |= {
        "atelier_base_image_archive": str(archive),
        "gitlab_image_archive": str(archive),
    }
    file = folder / "vars.json"
    file.write_text(json.dumps(known), encoding="utf-8")
    return file


def test_a_dry_run_on_a_new_server_ends_well_and_leaves_no_trace(
    installed: Installed, server: Target, tmp_path: Path
) -> None:
    server.run("touch", "/run/before")
    given = variables(server, tmp_path)
    done = installed.playbook("site", "-i", INVENTORY, "--check", "-e", f"@{given}", seconds=1200)
    assert "failed=0" in words(done)
    restless = [word for pattern in RESTLESS for word in ("-not", "-path", pattern)]
    places = ("/etc", "/home", "/opt", "/srv", "/usr", "/var")
    newer = ("-xdev", "-newercc", "/run/before", *restless)
    assert server.run("find", *places, *newer) == ""
