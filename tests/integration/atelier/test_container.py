"""A learner's server in its container: limits, rights, what it sees, what stays of it."""

from __future__ import annotations

import io
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.types import IPAMConfig, IPAMPool
from integration.atelier.campus import Visitor
from kit.site import START_SECONDS, Site, until
from world import images

HERE = Path(__file__).parent
NAME = f"atelier-test-{secrets.token_hex(4)}"
DOCKERFILE = f"""
FROM {images.TARGET}
RUN useradd --uid 1000 --create-home learner
COPY container_server.py /server.py
USER learner
ENTRYPOINT ["python3", "/server.py"]
CMD ["this-is-not-to-be-run"]
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker.DockerClient]:
    """The machine's engine, with a small image; what the tests make there is removed."""
    images.ensure_target()
    client = docker.from_env()
    context = tmp_path_factory.mktemp("image")
    (context / "Dockerfile").write_text(DOCKERFILE)
    shutil.copy(HERE / "container_server.py", context)
    client.images.build(path=str(context), tag=f"{NAME}:1", rm=True)
    yield client
    client.images.remove(f"{NAME}:1", force=True)


@pytest.fixture(scope="module")
def docker_site(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Proxy, hub and desk on this machine, learners' servers in containers."""
    network = _network(engine)
    gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
    running = Site(tmp_path_factory.mktemp("docker-site"), network=(NAME, gateway))
    running.write_course("demo", image=f"{NAME}:1", memory="256M", cpu=0.5, pids=64)
    (running.root / "templates" / "demo.git").mkdir()
    try:
        running.start_proxy()
        running.start_desk()
        running.start_hub()
        yield running
    finally:
        running.close()
        for container in engine.containers.list(all=True, filters={"network": NAME}):
            container.remove(force=True)
        for volume in engine.volumes.list():
            if volume.name in VOLUMES:
                volume.remove(force=True)
        network.remove()


VOLUMES: set[str] = set()


def _network(engine: docker.DockerClient) -> docker.models.networks.Network:
    """A network like the role's, on the first free subnet of a range nobody uses."""
    for third in range(1, 250):
        pool = IPAMPool(subnet=f"10.213.{third}.0/24", gateway=f"10.213.{third}.1")
        try:
            return engine.networks.get(
                engine.networks.create(
                    NAME,
                    ipam=IPAMConfig(pool_configs=[pool]),
                    options={"com.docker.network.bridge.enable_icc": "false"},
                ).id
            )
        except docker.errors.APIError as error:
            if "overlap" not in str(error):
                raise
    raise AssertionError("no free subnet in 10.213.0.0/16")


@pytest.fixture
def docker_visitor(docker_site: Site) -> Iterator[Visitor]:
    user_id = secrets.token_hex(8)
    with Visitor(docker_site.hub_url, docker_site.consumer_secret, user_id) as one:
        VOLUMES.add(f"atelier-{one.username}-demo")
        yield one


def _container(engine: docker.DockerClient, visitor: Visitor) -> docker.models.containers.Container:
    return engine.containers.get(f"atelier-{visitor.username}-demo")


def _stop(site: Site, visitor: Visitor) -> None:
    token = visitor.browser.get(f"{site.hub_url}/hub/home").cookies.get("_xsrf")
    token = token or visitor.browser.cookies.get("_xsrf", path="/hub/")
    answer = visitor.browser.delete(
        f"{site.hub_url}/hub/api/users/{visitor.username}/servers/demo",
        headers={"X-XSRFToken": str(token), "Referer": f"{site.hub_url}/hub/home"},
    )
    assert answer.status_code in (202, 204), answer.text


def test_a_container_is_limited_and_knows_nothing_it_should_not(
    docker_site: Site, docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    page = docker_visitor.launch(path="journal.md", locale="en")
    assert page.json()["path"].endswith("/demo/lab/tree/demo/journal.md")
    inside = docker_visitor.get(f"/user/{docker_visitor.username}/demo/report").json()
    assert inside["uid"] == 1000
    assert set(inside["capabilities"]) == {"0"}
    assert inside["no_new_privileges"] == "1"
    assert inside["template"], "the mirror is there and read-only"
    assert inside["me"]["name"] == docker_visitor.username
    assert inside["environment"]["LANG"] == "en_US.UTF-8"
    assert inside["environment"]["ATELIER_SPACE"] in {"preparing", "later"}  # no GitLab here
    assert inside["environment"]["JUPYTERHUB_ROOT_DIR"] == "/home/learner"
    for name, secret in docker_site.secrets.items():
        assert secret not in str(inside), name
    limits = _container(engine, docker_visitor).attrs["HostConfig"]
    assert limits["Memory"] == limits["MemorySwap"] == 256 * 1024**2
    assert limits["CpuQuota"] / limits["CpuPeriod"] == 0.5
    assert limits["PidsLimit"] == 64
    assert limits["CapDrop"] == ["ALL"]
    assert limits["SecurityOpt"] == ["no-new-privileges"]
    assert not limits["Privileged"]
    assert limits["NetworkMode"] == NAME
    assert not limits["PortBindings"]
    assert sorted(bind.split(":")[1] for bind in limits["Binds"]) == [
        "/home/learner",
        "/srv/atelier/template.git",
    ]


def test_work_outlives_the_container_and_a_changed_course_needs_no_restart(
    docker_site: Site, docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    docker_visitor.launch()
    home = f"/user/{docker_visitor.username}/demo"
    first = docker_visitor.get(f"{home}/report").json()
    _stop(docker_site, docker_visitor)
    gone = f"atelier-{docker_visitor.username}-demo"
    until(lambda: gone not in {one.name for one in engine.containers.list(all=True)}, "it stopped")
    docker_site.write_course("demo", image=f"{NAME}:1", memory="300M", cpu=0.5, pids=70)
    docker_visitor.launch()
    second = docker_visitor.get(f"{home}/report").json()
    assert second["host"] != first["host"]
    assert second["made_by"] == first["host"]
    assert _container(engine, docker_visitor).attrs["HostConfig"]["Memory"] == 300 * 1024**2


def test_a_container_that_died_is_replaced_at_the_next_click(
    docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    docker_visitor.launch()
    before = _container(engine, docker_visitor)
    before.kill()
    until(lambda: engine.containers.get(before.id).status == "exited", "it ended")
    assert docker_visitor.launch(path="notes.org").status_code == 200
    assert _container(engine, docker_visitor).id != before.id
    with pytest.raises(docker.errors.NotFound):
        engine.containers.get(before.id)


def test_a_missing_image_is_said_in_one_sentence(
    docker_site: Site, docker_visitor: Visitor
) -> None:
    docker_site.write_course("demo", image="atelier/no-such-image:1")
    try:
        page = docker_visitor.launch()
        assert page.status_code == 500
        assert "L’image de ce cours n’est pas sur le serveur" in page.text
        assert "no-such-image" not in page.text
        assert "Réessayer" in page.text
    finally:
        docker_site.write_course("demo", image=f"{NAME}:1")
    retry = page.text.split('id="start" href="')[1].split('"')[0]
    assert docker_visitor.follow(docker_visitor.get(retry)).status_code == 200


def test_a_server_that_ends_at_once_is_said_at_once(
    docker_site: Site, docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    tag = _image_that_ends(engine)
    docker_site.write_course("demo", image=tag)
    try:
        began = time.monotonic()
        page = docker_visitor.launch()
        assert time.monotonic() - began < START_SECONDS, "it is not waited for to the end"
        assert "s’est arrêté pendant son démarrage" in page.text
        assert "these are its last words" in docker_site.log("hub")
    finally:
        docker_site.write_course("demo", image=f"{NAME}:1")
        engine.images.remove(tag, force=True)
    assert docker_visitor.launch().status_code == 200


def _image_that_ends(engine: docker.DockerClient) -> str:
    tag = f"{NAME}:ends"
    text = f'FROM {NAME}:1\nENTRYPOINT ["sh", "-c", "echo these are its last words; exit 3"]\n'
    engine.images.build(fileobj=io.BytesIO(text.encode()), tag=tag, rm=True)
    return tag


def test_the_engine_s_images_cannot_be_chosen_by_the_learner(
    docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    docker_visitor.post(docker_visitor.form())
    page = docker_visitor.get(
        f"/hub/spawn/{docker_visitor.username}/demo?opt-image=atelier/debian:trixie"
    )
    docker_visitor.follow(page)
    images_run = {
        str(tag)
        for one in engine.containers.list(all=True, ignore_removed=True)
        for tag in [one.attrs["Config"]["Image"]]
        if docker_visitor.username in one.name
    }
    assert images_run == {f"{NAME}:1"}
