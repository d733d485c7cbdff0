"""Broken inventories: ansible-playbook says what is wrong, and the server stays as it is."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from world import paths, venv

from . import broken
from .conftest import Files, Server

REACH = {
    "ansible_connection": "community.docker.docker",
    "ansible_python_interpreter": "/usr/bin/python3",
    "ansible_become": False,
}


def play(
    folder: Path, server: Server, hosts: Mapping[str, Mapping[str, Any]], *words: str, **env: str
) -> str:
    """Run the whole site's playbook over the server under several names; return what it says."""
    reached = {**REACH, "ansible_host": server.target.name}
    known = {
        name: {**reached, **{key: value for key, value in variables.items() if value is not ...}}
        for name, variables in hosts.items()
    }
    inventory = folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"atelier": {"hosts": known}}))
    done = subprocess.run(
        [venv.program("ansible-playbook"), "-i", str(inventory), "mooc.atelier.site", *words],
        cwd=folder, capture_output=True, text=True, check=False, timeout=600,
        env={**os.environ, **venv.environment(), "ANSIBLE_FORKS": "8", "COLUMNS": "500",
             "ANSIBLE_HOME": str(folder / ".ansible"), **env},
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def outcome(
    tmp_path_factory: pytest.TempPathFactory, server: Server, files: Files
) -> dict[str, dict[str, Any]]:
    """One run over all broken inventories: {name: {"said": message, "stats": counts}}."""
    plain = broken.good(files)
    hosts = {mistake.name: {**plain, **mistake.variables} for mistake in broken.mistakes(files)}
    folder = tmp_path_factory.mktemp("broken")
    # Without facts, which these rules do not need and 36 hosts take long to give.
    settings = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_GATHERING": "explicit"}
    text = play(folder, server, hosts, **settings)
    answer = json.loads(text[text.index("{\n") : text.rindex("}") + 1])
    tasks = [task for play in answer["plays"] for task in play["tasks"]]
    assert tasks[-1]["task"]["name"].endswith("Fail if something would stop the installation")
    return {
        name: {"said": tasks[-1]["hosts"][name]["msg"], "stats": answer["stats"][name]}
        for name in hosts
    }


NAMES = [mistake.name for mistake in broken.mistakes(Files(Path("/"), ""))]


@pytest.mark.parametrize("name", NAMES)
def test_the_mistake_is_said(name: str, outcome: dict[str, dict[str, Any]], files: Files) -> None:
    (mistake,) = [mistake for mistake in broken.mistakes(files) if mistake.name == name]
    said = outcome[name]["said"]
    assert said.startswith("1 thing has to be put right. Nothing has been changed on the server.")
    for words in mistake.said:
        assert words in said


@pytest.mark.parametrize("name", NAMES)
def test_nothing_was_changed(name: str, outcome: dict[str, dict[str, Any]]) -> None:
    stats = outcome[name]["stats"]
    assert (stats["changed"], stats["failures"]) == (0, 1)


def test_the_server_is_as_it_was(outcome: dict[str, dict[str, Any]], server: Server) -> None:
    assert outcome
    assert server.changes() == []


def test_everything_is_said_at_once(tmp_path: Path, server: Server, files: Files) -> None:
    wrong = {
        **broken.good(files),
        "atelier_tls_key": files["other.key"],
        "atelier_gitlab_root_password": "change-me",
        "atelier_https_port": broken.TAKEN_PORT,
        "atelier_consumers": [broken.consumer(secret=broken.TOO_SHORT)],
    }
    said = play(tmp_path, server, {"site": wrong})
    assert "4 things have to be put right. Nothing has been changed on the server.\n" in said
    for line in (
        "  1. atelier_gitlab_root_password is still the example's value.\n",
        "  2. atelier_consumers[0] (fun).secret is too short (15 characters).\n",
        "  3. atelier_tls_key is not the key of atelier_tls_certificate.\n",
        "  4. atelier_https_port is 9443, a port that python3 (elsewhere.service) holds on",
    ):
        assert line in said
    assert broken.TOO_SHORT not in said
    assert "changed=0" in said
    assert server.changes() == []


def test_secrets_are_not_shown_even_when_asked_for_details(
    tmp_path: Path, server: Server, files: Files
) -> None:
    wrong = {**broken.good(files), "atelier_consumers": [broken.consumer(secret=broken.TOO_SHORT)]}
    said = play(tmp_path, server, {"site": wrong}, "-vvv")
    assert "too short" in said
    assert broken.TOO_SHORT not in said
    assert wrong["atelier_gitlab_root_password"] not in said
    assert "BEGIN PRIVATE KEY" not in said


def test_a_good_inventory_passes_and_its_key_may_be_in_the_vault(
    tmp_path: Path, server: Server, files: Files
) -> None:
    password = tmp_path / "password"
    password.write_text("a vault's password\n")
    key = tmp_path / "site.key"
    key.write_text(Path(files["good.key"]).read_text())
    subprocess.run(
        [venv.program("ansible-vault"), "encrypt", f"--vault-password-file={password}", str(key)],
        check=True, capture_output=True,
    )  # fmt: skip
    assert key.read_text().startswith("$ANSIBLE_VAULT")
    right = {**broken.good(files), "atelier_tls_key": str(key)}
    said = play(
        tmp_path,
        server,
        {"site": right},
        "--tags",
        "preflight",
        "--vault-password-file",
        str(password),
    )
    assert "failed=0" in said
    assert "changed=0" in said
    assert server.changes() == []


def test_the_example_is_refused_until_it_is_edited(tmp_path: Path, server: Server) -> None:
    example = paths.ROOT / "inventories/example/group_vars/atelier"
    settings: dict[str, Any] = {}
    for page in sorted(example.glob("*.yml*")):
        settings.update(yaml.safe_load(page.read_text()))
    said = play(tmp_path, server, {"site": settings})
    assert "atelier_domain ends in example.org, for which no certificate authority signs" in said
    assert "atelier_gitlab_root_password is still the example's value" in said
    assert "(fun).secret is still the example's value" in said
    assert "changed=0" in said
    assert server.changes() == []
