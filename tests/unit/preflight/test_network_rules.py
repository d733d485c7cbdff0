"""Rules about what learners' containers may reach."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.network import (
    _PARTS,
    learners_network_findings,
)

ROLE = Path(__file__).resolve().parents[3] / "roles/docker/vars/main.yml"
GOOD = [
    "10.1.2.3", "10.1.2.3:5432", "10.1.0.0/16", "10.1.0.0/16:22", "data.campus.example",
    "data.campus.example:8443", "fd12::/48", "fd12::5", "[fd12::5]:443", "[fd12::5]",
]  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        "https://data.campus.example", "10.1.2.3/16", "", "a b", "*.campus.example", "10.1.2.3:0",
        "10.1.2.3:65536", "10.1.2.3:http", "[10.1.2.3]:80", "[data.campus.example]:80", "0.0.0.0/0",
        "::/0", "127.0.0.1", "::1", "169.254.169.254", "169.254.169.254:80", "169.254.0.0/16",
        "[fd00:ec2::254]:80", "$(reboot)", "10.1.2", 7, "10.1.2.3 -j ACCEPT", None,
    ],
)  # fmt: skip
def test_an_entry_that_nothing_can_be_made_of_is_named(entry: Any) -> None:
    (found,) = learners_network_findings({"learners_private_hosts": ["10.1.2.3", entry]})
    assert found.grave
    assert found.variable == "atelier_learners_private_hosts[1]"
    assert str(entry) in found.problem


def test_hosts_and_networks_with_and_without_ports_are_taken() -> None:
    settings = {"learners_private_hosts": GOOD, "learners_ports": [80, "443", "all"]}
    assert list(learners_network_findings(settings)) == []
    (found,) = learners_network_findings({"learners_private_hosts": "10.1.2.3"})
    assert found.problem == "is not a list"


@pytest.mark.parametrize("ports", [[], 80, "all", [0], [65536], ["http"], [True], [80, None]])
def test_what_is_no_port_is_named(ports: Any) -> None:
    (found,) = learners_network_findings({"learners_ports": ports})
    assert found.variable.startswith("atelier_learners_ports")


@pytest.mark.parametrize("entry", GOOD)
def test_the_role_reads_an_entry_as_the_preflight_does(entry: str) -> None:
    pattern = yaml.safe_load(ROLE.read_text())["__docker_host_and_port"]
    role, preflight = re.search(pattern, entry), _PARTS.fullmatch(entry)
    assert role
    assert preflight
    assert role.groups() == preflight.groups()
