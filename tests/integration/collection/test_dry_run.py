"""`site.yml --check` on a server that has nothing: it says what it would do and does nothing."""

from __future__ import annotations

import json
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.collection.conftest import Installed, words
from world import paths
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
    known = {
        "atelier_gitlab_root_password": secrets.token_urlsafe(18),
        "atelier_consumers": [
            {"key": "demo", "secret": secrets.token_hex(24), "platform": "demo-lms"}
        ],
        "atelier_ca_certificates": [str(path) for path in paths.ca_certificates()],
        "atelier_base_image_source": "archive",
        "atelier_base_image_archive": str(archive),
        "gitlab_image": "atelier/gitlab-standin:latest",
        "gitlab_image_archive": str(archive),
        "demo_host_gateway": "192.0.2.1",
        "demo_container": server.name,
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
