"""Rules about the server, and the readers that feed them."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.machine import (
    Listener,
    Machine,
    Port,
    machine_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.server import (
    free_space,
    is_installed,
    read_server,
    read_system,
    socket_address,
    unit_of,
)

EVERYWHERE = ".".join("0000")
MACHINE = Machine(
    system="debian",
    version="13",
    memory=16000,
    processors=4,
    free_disk={"/var/lib/docker": 90000},
    listeners=[],
    root=True,
    systemd=True,
    apt=True,
    clock_ahead=0.4,
)
SETTINGS: dict[str, Any] = {
    "systems": ["debian 12", "debian 13"],
    "gitlab_deployment": "omnibus",
    "minimum_memory_mb": 3700,
    "recommended_memory_mb": 7600,
    "minimum_disk_mb": 15000,
    "recommended_disk_mb": 40000,
    "clock_tolerance": 120,
    "courses": [],
    "homes": "auto",
}
PORTS = [
    Port("atelier_https_port", EVERYWHERE, 443, "nginx.service"),
    Port("jupyterhub_hub_port", "172.30.0.1", 8081, "atelier-hub.service"),
]


def findings(settings: dict[str, Any] | None = None, **changes: Any) -> list[tuple[str, bool]]:
    found = machine_findings(MACHINE._replace(**changes), {**SETTINGS, **(settings or {})}, PORTS)
    return [(finding.variable, finding.grave) for finding in found]


def test_a_good_server_passes() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("changes", "variable", "grave"),
    [
        ({"version": "11"}, "The server's operating system", True),
        ({"system": "fedora", "version": "42"}, "The server's operating system", True),
        ({"systemd": False}, "The server", True),
        ({"root": False}, "ansible_become", True),
        ({"apt": False}, "The server", True),
        ({"memory": 3000}, "The server", True),
        ({"memory": 5000}, "The server", False),
        ({"free_disk": {"/var/lib/docker": 9000}}, "The server", True),
        ({"free_disk": {"/var/lib/docker": 20000}}, "The server", False),
        ({"free_disk": {"/var/lib/docker": 9000}, "installed": True}, "The server", False),
        ({"free_disk": {"/var/lib/docker": 1500}, "installed": True}, "The server", True),
        ({"other_engine": "docker-ce"}, "The server", True),
        ({"loops": False}, "atelier_homes", True),
        ({"clock_ahead": 400.0}, "The server's clock", True),
        ({"clock_ahead": -400.0}, "The server's clock", True),
    ],
)
def test_each_lack_is_named(changes: dict[str, Any], variable: str, grave: bool) -> None:
    assert findings(**changes) == [(variable, grave)]


def test_a_small_server_may_be_allowed() -> None:
    assert findings({"minimum_memory_mb": 1000, "recommended_memory_mb": 1000}, memory=2000) == []


@pytest.mark.parametrize(
    ("listener", "taken"),
    [
        (Listener(EVERYWHERE, 443, "apache2", "apache2.service"), ["atelier_https_port"]),
        (Listener("::", 443, "apache2", ""), ["atelier_https_port"]),
        (Listener("127.0.0.1", 443, "", ""), ["atelier_https_port"]),
        (Listener(EVERYWHERE, 443, "nginx", "nginx.service"), []),
        (Listener(EVERYWHERE, 8443, "apache2", "apache2.service"), []),
        (Listener("127.0.0.1", 8081, "java", "nexus.service"), []),
        (Listener(EVERYWHERE, 8081, "java", "nexus.service"), ["jupyterhub_hub_port"]),
        (Listener("172.30.0.1", 8081, "jupyterhub", "atelier-hub.service"), []),
    ],
)
def test_ports_held_by_others_are_named(listener: Listener, taken: list[str]) -> None:
    assert [variable for variable, _ in findings(listeners=[listener])] == taken


def test_learners_limits_are_compared_with_the_server() -> None:
    courses = [
        {"name": "a", "memory": "32G", "cpu": None},
        {"name": "b", "memory": "1G", "cpu": 8},
        {"name": "c", "memory": "8G", "cpu": "4"},
    ]
    assert findings({"courses": courses}) == [("a.memory", True), ("b.cpu", True)]


def test_this_machine_can_be_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        machine = read_server(["/nowhere/at/all"], 0.0)
        port = server.getsockname()[1]
    held = [listener for listener in machine.listeners if listener.port == port]
    assert [listener.address for listener in held] == ["127.0.0.1"]
    assert held[0].process
    assert machine.memory > 100
    assert machine.processors > 0
    assert machine.free_disk["/nowhere/at/all"] > 0
    assert machine.clock_ahead > 1e9


def test_packages_are_known_by_their_state() -> None:
    assert is_installed("dpkg")
    assert not is_installed("no-such-package")


def test_procfs_notations() -> None:
    assert socket_address("0100007F:1F90") == ("127.0.0.1", 8080)
    assert socket_address("00000000:0050") == (EVERYWHERE, 80)
    assert socket_address("0" * 32 + ":01BB") == ("::", 443)
    assert unit_of("0::/system.slice/docker.service\n") == "docker.service"
    assert unit_of(
        "5:cpu:/docker/ab12\n1:name=systemd:/docker/ab12/system.slice/nginx.service"
    ) == ("nginx.service")
    assert unit_of("0::/user.slice/user-0.slice/session-1.scope\n") == ""
    assert read_system('NAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n') == ("debian", "13")


def test_space_is_that_of_the_nearest_directory(tmp_path: Any) -> None:
    assert free_space(tmp_path / "a" / "b") == pytest.approx(free_space(tmp_path), abs=100)
