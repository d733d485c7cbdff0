"""A site whose learners' servers are containers of the machine's own engine."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
from atelier.homes.mounts import attached, unmount
from docker.types import IPAMConfig, IPAMPool  # type: ignore[import-untyped]
from world import images

from kit.platform11 import Visitor
from kit.site import Site, until

HERE = Path(__file__).parent
DOCKERFILE = f"""
FROM {images.TARGET}
RUN useradd --uid 1000 --create-home learner
COPY container_server.py /server.py
USER learner
ENTRYPOINT ["python3", "/server.py"]
CMD ["this-is-not-to-be-run"]
"""


@contextmanager
def engine_with_image(name: str, context: Path) -> Iterator[docker.DockerClient]:
    """The machine's engine, with the small image ``<name>:1``."""
    images.ensure_target()
    client = docker.from_env()
    (context / "Dockerfile").write_text(DOCKERFILE)
    shutil.copy(HERE / "container_server.py", context)
    client.images.build(path=str(context), tag=f"{name}:1", rm=True)
    yield client
    client.images.remove(f"{name}:1", force=True)


@contextmanager
def network(engine: docker.DockerClient, name: str) -> Iterator[str]:
    """A network like the role's; gives its gateway. Its containers end with it."""
    made = _network(engine, name)
    try:
        yield made.attrs["IPAM"]["Config"][0]["Gateway"]
    finally:
        for container in engine.containers.list(all=True, filters={"network": name}):
            container.remove(force=True)
        made.remove()


def _network(engine: docker.DockerClient, name: str) -> docker.models.networks.Network:
    """On the first free subnet of a range nobody uses."""
    for third in range(1, 250):
        pool = IPAMPool(subnet=f"10.213.{third}.0/24", gateway=f"10.213.{third}.1")
        try:
            return engine.networks.get(
                engine.networks.create(
                    name,
                    ipam=IPAMConfig(pool_configs=[pool]),
                    options={"com.docker.network.bridge.enable_icc": "false"},
                ).id
            )
        except docker.errors.APIError as error:
            if "overlap" not in str(error):
                raise
    raise AssertionError("no free subnet in 10.213.0.0/16")


def undo_mounts(root: Path) -> None:
    """Unmount all below a folder of homes; no loop device stays behind."""
    for place in (*(root / "mounts").glob("*"), *(root / "making").glob("*"), root / "mounts"):
        unmount(place)
    # A container that starts elsewhere on the machine has a copy of its mounts for a moment.
    until(lambda: not any(map(attached, (root / "images").glob("*"))), "loop devices are free", 10)


def start_homes(site: Site, engine: docker.DockerClient) -> Path:
    """Start the service of homes; return their folder. The hub is told by atelier.yml."""
    root, socket = site.root / "limited", str(site.root / "socket")
    site.write_settings(homes={"socket": socket}, spawner={"tmp_mb": 16})
    site.start(
        "homes",
        [
            sys.executable, "-m", "atelier.homes.service", "--user", "root",
            "--directory", str(root), "--socket", socket,
            "--volumes", engine.info()["DockerRootDir"] + "/volumes",
        ],
    )  # fmt: skip
    return root


def container_of(engine: docker.DockerClient, visitor: Visitor) -> Any:
    """The container of a learner's server."""
    return engine.containers.get(f"atelier-{visitor.username}-demo")


def inside(engine: docker.DockerClient, one: Visitor, command: str) -> str:
    """Run a shell command in a learner's container as they would; return what it says."""
    done = container_of(engine, one).exec_run(["sh", "-c", f"{{ {command}; }} 2>&1"])
    said: str = done.output.decode()
    return said


def volumes(engine: docker.DockerClient) -> set[Any]:
    """Names of the engine's volumes."""
    return {volume.name for volume in engine.volumes.list()}


def stop_server(site: Site, visitor: Visitor) -> None:
    """Stop a learner's server as the hub's page does."""
    token = visitor.browser.get(f"{site.hub_url}/hub/home").cookies.get("_xsrf")
    token = token or visitor.browser.cookies.get("_xsrf", path="/hub/")
    answer = visitor.browser.delete(
        f"{site.hub_url}/hub/api/users/{visitor.username}/servers/demo",
        headers={"X-XSRFToken": str(token), "Referer": f"{site.hub_url}/hub/home"},
    )
    assert answer.status_code in (202, 204), answer.text
