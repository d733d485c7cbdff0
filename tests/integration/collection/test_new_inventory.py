"""`mooc.atelier.new_inventory` writes an inventory with secrets of its own, and never over another one."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.collection.conftest import Installed
from world import paths


def write(installed: Installed, dest: Path, domain: str = "mooc.example.edu") -> None:
    installed.run("ansible-playbook", "mooc.atelier.new_inventory", "-e", f"dest={dest}", "-e", f"domain={domain}")


def variables(installed: Installed, inventory: Path) -> dict[str, Any]:
    listed = installed.run("ansible-inventory", "-i", inventory, "--host", "atelier-1")
    found: dict[str, Any] = json.loads(listed.stdout)
    return found


def secrets(inventory: Path) -> dict[str, str]:
    read: dict[str, str] = yaml.safe_load((inventory / "group_vars/atelier/vault.yml").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def inventory(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dest = tmp_path_factory.mktemp("new") / "site"
    write(installed, dest)
    return dest


def test_it_is_the_example_with_the_domain_asked_for(installed: Installed, inventory: Path) -> None:
    ours = variables(installed, inventory)
    assert ours["atelier_domain"] == "mooc.example.edu"
    example = variables(installed, installed.collection / "inventories/example")
    assert ours.keys() == example.keys()


def test_only_its_owner_may_read_it(inventory: Path) -> None:
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [inventory, *inventory.rglob("*")]}
    assert {path for path, mode in modes.items() if mode & 0o077} == set()


def test_secrets_are_strong_and_differ_from_site_to_site(
    installed: Installed, inventory: Path, tmp_path: Path
) -> None:
    write(installed, tmp_path / "other")
    ours, others = secrets(inventory), secrets(tmp_path / "other")
    example = yaml.safe_load(
        (paths.ROOT / "inventories/example/group_vars/atelier/vault.example.yml").read_text(encoding="utf-8")
    )
    assert ours.keys() == others.keys() == example.keys()
    values = [*ours.values(), *others.values()]
    assert len(set(values)) == len(values)
    assert min(len(value) for value in values) >= 32


def test_secrets_are_not_shown(installed: Installed, tmp_path: Path) -> None:
    dest = tmp_path / "quiet"
    done = installed.run(
        "ansible-playbook", "-vvv", "--diff", "mooc.atelier.new_inventory", "-e", f"dest={dest}", "-e", "domain=a.example.edu"
    )
    assert [value for value in secrets(dest).values() if value in done.stdout + done.stderr] == []


def test_an_existing_folder_is_left_alone(installed: Installed, inventory: Path) -> None:
    before = secrets(inventory)
    done = installed.run(
        "ansible-playbook", "mooc.atelier.new_inventory", "-e", f"dest={inventory}", "-e", "domain=b.example.edu", check=False
    )
    assert done.returncode != 0
    assert "exists: nothing was written" in " ".join(done.stdout.split())
    assert secrets(inventory) == before
    assert [path.name for path in inventory.parent.iterdir()] == [inventory.name]


@pytest.mark.parametrize("asked", ["domain=", "domain=Majuscules.example.org", "domain=single", "dest="])
def test_a_missing_or_impossible_request_is_explained(installed: Installed, tmp_path: Path, asked: str) -> None:
    wanted = {"dest": str(tmp_path / "site"), "domain": "mooc.example.edu"} | dict([asked.split("=")])
    done = installed.run(
        "ansible-playbook", "mooc.atelier.new_inventory",
        *(f"-e{key}={value}" for key, value in wanted.items()), check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "-e dest=./site -e domain=mooc.example.org" in " ".join(done.stdout.split())
    assert list(tmp_path.iterdir()) == []
