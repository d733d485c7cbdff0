"""What a hostile program inside a learner's container gets: nothing.

The program is tests/hostile/inside; it knows nothing of Docker, and is told where everything is.
tests/integration/atelier/test_isolation_probes.py shows that each of its probes finds something
where nothing protects. tests/e2e/test_hostile_notebook.py is about what a learner's *page* does.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from hostile.escape import program
from kit.demo import Demo
from kit.learner import Seat, open_notebook
from world import demo as world_demo
from world.notes import read_json

GATEWAY = "172.30.0.1"
NOT_LISTED = 22022
"""A port of the server that something listens on, and that is for no learner."""
OTHERS = ["dockerd", "configurable-http-proxy", "atelier-desk", "nginx"]
NO = [401, 403, 404]
TOKEN = {"Authorization": "token {token}"}
GIT = {"PRIVATE-TOKEN": "{password}"}


@dataclass(frozen=True)
class Place:
    """The demo as its learners' containers see it.

    Attributes:
        mine, theirs: names in the hub of the one who attacks, and of a neighbour.
        neighbour: address of that one's container.
        stolen: the token of the neighbour's server.
        own: the server's address in its own network.
        gitlab: address of GitLab's container.
    """

    demo: Demo
    mine: str
    theirs: str
    neighbour: str
    stolen: str
    own: str
    gitlab: str

    @classmethod
    def of(cls, demo: Demo, mine: Seat, theirs: Seat) -> Place:
        """Ask the server."""
        address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        run = demo.target.run
        container = f"atelier-{theirs.user}-{demo.course}"
        return cls(
            demo,
            mine.user,
            theirs.user,
            run("docker", "inspect", "--format", address, container).strip(),
            run("docker", "exec", container, "printenv", "JUPYTERHUB_API_TOKEN").strip(),
            run("hostname", "-I").split()[0],
            run("docker", "inspect", "--format", address, "gitlab").strip(),
        )

    def doors(self) -> list[list[Any]]:
        """Ports that must be shut; something listens on most of them."""
        machine = read_json(world_demo.VARS)["demo_host_gateway"]
        return [
            ["a neighbour's notebook", self.neighbour, 8888],
            ["GitLab's container", self.gitlab, 80],
            ["GitLab's port for the server", GATEWAY, 8929],
            ["the proxy", GATEWAY, 8000],
            ["the proxy's API", GATEWAY, 8001],
            ["the proxy's API by the server's address", self.own, 8001],
            ["a port of the server", GATEWAY, NOT_LISTED],
            ["a port of the server by its address", self.own, NOT_LISTED],
            ["the server's SSH", self.own, 22],
            ["the engine", GATEWAY, 2375],
            ["the engine with TLS", self.own, 2376],
            ["a host of a private network", machine, 8800],
            ["a web page of a private network", "10.0.0.1", 80],
            ["one of 192.168/16", "192.168.1.1", 80],
            ["one of 100.64/10", "100.64.0.1", 443],
            ["the cloud's metadata", "169.254.169.254", 80],
            ["Azure's", "168.63.129.16", 80],
            ["AWS's by IPv6", "fd00:ec2::254", 80],
            ["a public host's SSH", "203.0.113.1", 22],
        ]

    def requests(self) -> list[list[Any]]:
        """What hub, desk and GitLab must refuse, with what the learner has."""
        hub, desk = f"http://{GATEWAY}:8081/hub/api", self.desk
        gitlab, theirs = f"{self.demo.gitlab_url}/api/v4", self.theirs
        course = self.demo.course
        as_hub = {"username": theirs, "name": "X", "email": "x@example.org", "course": course}
        stolen = {"Authorization": f"token {self.stolen}"}
        return [
            ["the hub's users, unnamed", "GET", f"{hub}/users", None, {}, NO],
            ["the hub's users", "GET", f"{hub}/users", None, TOKEN, NO],
            ["a neighbour in the hub", "GET", f"{hub}/users/{theirs}", None, TOKEN, NO],
            ["a token of one's own", "POST", f"{hub}/users/{self.mine}/tokens", {}, TOKEN, NO],
            ["a neighbour's token", "POST", f"{hub}/users/{theirs}/tokens", {}, TOKEN, NO],
            ["a neighbour's server, started", "POST", f"{hub}/users/{theirs}/servers/{course}",
             {}, TOKEN, NO],
            ["a neighbour's server, stopped", "DELETE", f"{hub}/users/{theirs}/servers/{course}",
             None, TOKEN, NO],
            ["the hub's routes", "GET", f"{hub}/proxy", None, TOKEN, NO],
            ["the hub's services", "GET", f"{hub}/services", None, TOKEN, NO],
            ["the hub's end", "POST", f"{hub}/shutdown", {}, TOKEN, NO],
            ["a space, unnamed", "POST", f"{desk}/spaces", as_hub, {}, NO],
            ["a space, as the hub", "POST", f"{desk}/spaces", as_hub, TOKEN, NO],
            ["a launch, as the hub", "POST", f"{desk}/launches", {"launches": []}, TOKEN, NO],
            ["a neighbour's credential, ended", "DELETE", f"{desk}/credentials", as_hub, TOKEN, NO],
            ["another course's credential", "POST", f"{desk}/git-credential",
             {"course": "another"}, TOKEN, NO],
            ["a neighbour's credential, by their token", "POST", f"{desk}/git-credential",
             {"course": course}, stolen, NO],
            ["where a neighbour's server is", "GET",
             f"http://{GATEWAY}:8081/hub/atelier/seat/another", None, TOKEN, NO],
            ["GitLab's settings", "GET", f"{gitlab}/application/settings", None, GIT, NO],
            ["GitLab's users", "GET", f"{gitlab}/users?per_page=100", None, GIT, NO],
            ["a token of GitLab's root", "POST", f"{gitlab}/users/1/impersonation_tokens",
             {"name": "x", "scopes": ["api"]}, GIT, NO],
            ["a neighbour's project", "GET", f"{gitlab}/projects/{theirs}%2F{course}", None, GIT,
             NO],
            ["a neighbour's repository", "GET", self.refs(theirs), None,
             {"Authorization": "Basic {basic}"}, NO],
            ["the expected answers", "GET", self.refs(course, "expected"), None,
             {"Authorization": "Basic {basic}"}, NO],
        ]  # fmt: skip

    def controls(self) -> list[list[Any]]:
        """What the learner may do: the refusals are none of a wrong address."""
        mine = {"Authorization": "Basic {basic}"}
        return [
            ["the hub knows its token", "GET", f"http://{GATEWAY}:8081/hub/api/user", None, TOKEN,
             [200]],
            ["the desk answers", "GET", f"{self.desk}/health", None, {}, [200]],
            ["its own repository", "GET", self.refs(self.mine), None, mine, [200]],
        ]  # fmt: skip

    @property
    def desk(self) -> str:
        """Address of the desk's API."""
        return f"http://{GATEWAY}:8082/services/desk/api"

    def refs(self, owner: str, project: str | None = None) -> str:
        """Address of what git asks a repository for first."""
        name = f"{owner}/{project or self.demo.course}.git"
        return f"{self.demo.gitlab_url}/{name}/info/refs?service=git-upload-pack"


def digests(demo: Demo) -> list[str]:
    """Digests of the site's secrets."""
    read = "for one in /etc/atelier/secrets/*; do cat $one; printf '\\0'; done"
    held = [one.strip() for one in demo.target.run("bash", "-c", read).split("\0")]
    known = read_json(world_demo.VARS)
    held += [demo.gitlab_admin_token, demo.consumer_secret, known["atelier_gitlab_root_password"]]
    return [hashlib.sha256(one.encode()).hexdigest() for one in held if len(one) > 8]


def there(demo: Demo, user: str, *command: str) -> list[str]:
    """The command that runs something in a learner's container, as the learner."""
    return [
        "docker", "exec", "--interactive", demo.target_container, "docker", "exec",
        "--interactive", f"atelier-{user}-{demo.course}", *command,
    ]  # fmt: skip


def inside(demo: Demo, user: str, *command: str, stdin: bytes = b"") -> str:
    """Run something in a learner's container, as the learner."""
    done = subprocess.run(
        there(demo, user, *command), input=stdin, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def place(demo: Demo) -> Iterator[Place]:
    """Two learners at work, and a service of the server's that is not for them."""
    with demo.client() as attacker, demo.client() as victim:
        seats = [open_notebook(demo, one, uuid4().hex) for one in (attacker, victim)]
        serve = ("python3", "-m", "http.server", str(NOT_LISTED))
        demo.target.run("systemd-run", "--quiet", "--unit=not-listed", "--collect", *serve)
        try:
            yield Place.of(demo, *seats)
        finally:
            demo.target.run("systemctl", "stop", "not-listed", check=False)
            for seat in seats:
                seat.stop()


def test_a_program_in_a_learner_s_container_gets_nothing_of_anybody_else(place: Place) -> None:
    demo = place.demo
    given = {
        "doors": place.doors(),
        "requests": place.requests(),
        "controls": place.controls(),
        "desk": place.desk,
        "course": demo.course,
        "secrets": digests(demo),
        "hidden": [*OTHERS, place.theirs],
        "memory_bytes": 2**30,  # as the demo's course says
        "pids": 256,
        "disk_bytes": 2**30,
        "inodes": 65536,
    }
    inside(demo, place.mine, "bash", "-c", "cat >/tmp/probes.pyz", stdin=program())
    said = json.loads(inside(demo, place.mine, "python3", "/tmp/probes.pyz", json.dumps(given)))
    assert {name for name, worked in said["controls"].items() if not worked} == set()
    assert {name: got for name, got in said["tried"].items() if got} == {}
    assert len(said["tried"]) >= 60


def test_a_learner_who_holds_all_the_kernel_gives_a_user_takes_nothing_of_a_neighbour_s(
    place: Place,
) -> None:
    demo = place.demo
    for user in (place.mine, place.theirs):
        inside(demo, user, "bash", "-c", "cat >/tmp/probes.pyz", stdin=program())
    command = there(demo, place.mine, "python3", "/tmp/probes.pyz", "hold")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        held = json.loads(holder.stdout.readline())
        assert held["inotify instances"] >= 50, held
        given = json.dumps({"pools": True})
        said = json.loads(inside(demo, place.theirs, "python3", "/tmp/probes.pyz", given))
        assert said["tried"]["what a neighbour holds"] is None
        holder.communicate()
