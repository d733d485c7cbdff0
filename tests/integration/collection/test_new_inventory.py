"""`mooc.atelier.new_inventory` writes an inventory with secrets of its own, never over another."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.collection.conftest import Installed, ansible, words
from world import paths

EXAMPLE = paths.ROOT / "inventories/example/group_vars/atelier/vault.example.yml"
DOMAIN = "mooc.example.edu"


def variables(installed: Installed, inventory: Path) -> dict[str, Any]:
    asked = ("ansible-inventory", "-i", inventory, "--host", "atelier-1")
    found: dict[str, Any] = json.loads(ansible(installed.home, installed.path, *asked).stdout)
    return found


def secrets(file: Path) -> dict[str, str]:
    read: dict[str, str] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read


def vault(inventory: Path) -> Path:
    return inventory / "group_vars/atelier/vault.yml"


@pytest.fixture(scope="module")
def inventory(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    dest = tmp_path_factory.mktemp("new") / "site"
    installed.playbook("new_inventory", dest=dest, domain=DOMAIN)
    return dest


def test_it_is_the_example_with_the_domain_asked_for(installed: Installed, inventory: Path) -> None:
    ours = variables(installed, inventory)
    assert ours["atelier_domain"] == DOMAIN
    assert ours.keys() == variables(installed, installed.example).keys()


def test_only_its_owner_may_read_it(inventory: Path) -> None:
    written = [inventory, *inventory.rglob("*")]
    assert [path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_secrets_are_strong_and_differ_from_site_to_site(
    installed: Installed, inventory: Path, tmp_path: Path
) -> None:
    installed.playbook("new_inventory", dest=tmp_path / "other", domain=DOMAIN)
    ours, others = secrets(vault(inventory)), secrets(vault(tmp_path / "other"))
    assert ours.keys() == others.keys() == secrets(EXAMPLE).keys()
    values = [*ours.values(), *others.values()]
    assert len(set(values)) == len(values)
    assert min(len(value) for value in values) >= 32


def test_secrets_are_not_shown(installed: Installed, tmp_path: Path) -> None:
    dest = tmp_path / "quiet"
    done = installed.playbook("new_inventory", "-vvv", "--diff", dest=dest, domain=DOMAIN)
    shown = done.stdout + done.stderr
    assert [value for value in secrets(vault(dest)).values() if value in shown] == []


def test_a_dry_run_writes_nothing(installed: Installed, tmp_path: Path) -> None:
    done = installed.playbook("new_inventory", "--check", dest=tmp_path / "dry", domain=DOMAIN)
    assert "A run without --check would write" in words(done)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(installed: Installed, inventory: Path) -> None:
    before = vault(inventory).read_text(encoding="utf-8")
    done = installed.playbook("new_inventory", check=False, dest=inventory, domain=DOMAIN)
    assert done.returncode != 0
    assert "exists: nothing was written" in words(done)
    assert vault(inventory).read_text(encoding="utf-8") == before
    assert [path.name for path in inventory.parent.iterdir()] == [inventory.name]


def test_a_relative_folder_is_made_where_the_command_is_run(installed: Installed) -> None:
    installed.playbook("new_inventory", dest="./relative", domain=DOMAIN)
    assert vault(installed.home / "relative").is_file()


@pytest.mark.parametrize(
    "wrong",
    [{"domain": ""}, {"domain": "Capitals.example.org"}, {"domain": "single"}, {"dest": ""}],
    ids=str,
)
def test_an_impossible_request_is_explained(
    installed: Installed, tmp_path: Path, wrong: dict[str, str]
) -> None:
    asked = {"dest": tmp_path / "site", "domain": DOMAIN} | wrong
    done = installed.playbook("new_inventory", check=False, **asked)
    assert done.returncode != 0
    assert "-e dest=./site -e domain=mooc.example.org" in words(done)
    assert list(tmp_path.iterdir()) == []
