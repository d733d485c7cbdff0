"""Every unit has an upper limit, far above what it takes on a site at rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles/jupyterhub"
AT_REST_MIB = {"hub": 150, "desk": 130, "proxy": 85}
"""Measured; the desk's comparisons may take a gibibyte each."""


def defaults(memory: int) -> dict[str, int]:
    """The role's own limits on a machine with that much memory, in MiB."""
    said: dict[str, Any] = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    templates = Environment()  # noqa: S701 (not HTML)
    facts = {"memtotal_mb": memory}
    return {
        unit: int(
            templates.from_string(said[f"jupyterhub_{unit}_memory_mb"]).render(ansible_facts=facts)
        )
        for unit in AT_REST_MIB
    }


def rendered(unit: str, memory: dict[str, int]) -> dict[str, str]:
    """A unit's file, by key."""
    templates = Environment(loader=FileSystemLoader(ROLE / "templates"))  # noqa: S701 (not HTML)
    templates.tests["version"] = lambda one, two, _how: int(one) >= int(two)
    text = templates.get_template(f"atelier-{unit}.service.j2").render(
        ansible_facts={"distribution_major_version": "13"},
        jupyterhub_learners_gateway="172.30.0.1",
        **{f"jupyterhub_{name}_memory_mb": value for name, value in memory.items()},
    )
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


@pytest.mark.parametrize("memory", [2000, 8000, 64000])
@pytest.mark.parametrize("unit", AT_REST_MIB)
def test_a_unit_is_limited_and_has_room(unit: str, memory: int) -> None:
    limits = defaults(memory)
    keys = rendered(unit, limits)
    most = int(keys["MemoryMax"].removesuffix("M"))
    assert most == limits[unit]
    assert most >= 5 * AT_REST_MIB[unit]
    assert most <= max(memory // 2, 1536)
    assert int(keys["MemoryHigh"].removesuffix("M")) < most
    assert int(keys["TasksMax"]) >= 128
    assert int(keys["LimitNOFILE"]) >= 65536


def test_a_comparison_that_takes_too_much_does_not_end_the_desk() -> None:
    assert rendered("desk", defaults(8000))["OOMPolicy"] == "continue"


def test_the_web_server_is_limited_too() -> None:
    text = (ROOT / "roles/nginx/files/nginx-atelier.conf").read_text()
    for key in ("MemoryMax", "TasksMax", "LimitNOFILE", "OOMPolicy"):
        assert f"\n{key}=" in text


def test_the_runner_is_limited_and_reads_nothing_of_the_site_but_its_courses() -> None:
    text = (ROLE / "templates/atelier-runner.service.j2").read_text()
    keys = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    assert keys["SupplementaryGroups"] == "atelier docker"
    assert keys["RestrictAddressFamilies"] == "AF_UNIX"
    assert keys["IPAddressDeny"] == "any"
    assert "/etc/atelier/consumers.yml" in keys["InaccessiblePaths"]
    assert "limits.j2" in text, "what all units of the site are denied"
    assert not [line for line in text.splitlines() if "Credential" in line]


def test_the_service_of_homes_is_limited_and_shares_the_machine_s_mounts() -> None:
    text = (ROLE / "templates/atelier-homes.service.j2").read_text()
    keys = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")
    assert int(keys["MemoryMax"].removesuffix("M")) <= 512
    assert int(keys["TasksMax"]) <= 128
    assert keys["DevicePolicy"] == "closed"
    assert keys["RestrictAddressFamilies"] == "AF_UNIX"
    # Any of these, and what it mounts would be seen by nobody (systemd.exec(5)).
    apart = ("Protect", "Private", "ReadWrite", "ReadOnly", "Inaccessible", "Bind", "Root", "Mount")
    assert [key for key in keys if key.startswith(apart)] == []
