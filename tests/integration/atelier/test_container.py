"""A learner's server in its container: limits, rights, what it sees, what stays of it."""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Iterator

import docker
import pytest
from atelier.homes.mounts import mounted
from atelier.homes.owners import NUMBERS
from kit.container_site import (
    container_of,
    engine_with_image,
    inside,
    network,
    start_homes,
    stop_server,
    undo_mounts,
    volumes,
)
from kit.platform11 import Visitor
from kit.site import START_SECONDS, Site, until

NAME = f"atelier-test-{secrets.token_hex(4)}"
HOME = "/home/learner"
SPACE_MIB = 64


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[docker.DockerClient]:
    """The machine's engine, with a small image; what the tests make there is removed."""
    with engine_with_image(NAME, tmp_path_factory.mktemp("image")) as client:
        yield client


@pytest.fixture(scope="module")
def docker_site(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Proxy, hub and desk on this machine, learners' servers in containers."""
    with network(engine, NAME) as gateway:
        running = Site(tmp_path_factory.mktemp("docker-site"), network=(NAME, gateway))
        running.write_course("demo", image=f"{NAME}:1", memory="256M", cpu=0.5, pids=64)
        (running.root / "templates" / "demo.git").mkdir()
        homes = start_homes(running, engine)
        try:
            running.start_all()
            yield running
        finally:
            running.close()
    undo_mounts(homes)


@pytest.fixture
def docker_visitor(docker_site: Site) -> Iterator[Visitor]:
    user_id = secrets.token_hex(8)
    with Visitor(docker_site.hub_url, docker_site.consumer_secret, user_id) as one:
        yield one


def test_a_container_is_limited_and_knows_nothing_it_should_not(
    docker_site: Site, docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    page = docker_visitor.launch(path="journal.md", locale="en")
    assert page.json()["path"].endswith("/demo/lab/tree/demo/journal.md")
    inside = docker_visitor.get(f"/user/{docker_visitor.username}/demo/report").json()
    assert inside["uid"] in NUMBERS
    assert set(inside["capabilities"]) == {"0"}
    assert inside["no_new_privileges"] == "1"
    assert inside["template"], "the mirror is there and read-only"
    assert inside["me"]["name"] == docker_visitor.username
    assert inside["environment"]["LANG"] == "en_US.UTF-8"
    assert inside["environment"]["ATELIER_SPACE"] in {"preparing", "later"}  # no GitLab here
    assert inside["environment"]["JUPYTERHUB_ROOT_DIR"] == "/home/learner"
    for name, secret in docker_site.secrets.items():
        assert secret not in str(inside), name
    limits = container_of(engine, docker_visitor).attrs["HostConfig"]
    assert limits["Memory"] == limits["MemorySwap"] == 256 * 1024**2
    assert limits["CpuQuota"] / limits["CpuPeriod"] == 0.5
    assert limits["PidsLimit"] == 64
    assert limits["CapDrop"] == ["ALL"]
    assert limits["SecurityOpt"] == ["no-new-privileges"]
    assert not limits["Privileged"]
    assert limits["ReadonlyRootfs"]
    assert limits["NetworkMode"] == NAME
    assert not limits["PortBindings"]
    assert [bind.split(":")[1] for bind in limits["Binds"]] == ["/srv/atelier/template.git"]
    assert [mount["Target"] for mount in limits["Mounts"]] == [HOME]


def test_work_outlives_the_container_and_a_changed_course_needs_no_restart(
    docker_site: Site, docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    docker_visitor.launch()
    place = docker_site.root / "limited/mounts" / f"{docker_visitor.username}.demo"
    assert mounted(place)
    home = f"/user/{docker_visitor.username}/demo"
    first = docker_visitor.get(f"{home}/report").json()
    stop_server(docker_site, docker_visitor)
    gone = f"atelier-{docker_visitor.username}-demo"
    until(lambda: gone not in {one.name for one in engine.containers.list(all=True)}, "it stopped")
    until(lambda: not mounted(place), "its home is unmounted")
    docker_site.write_course("demo", image=f"{NAME}:1", memory="300M", cpu=0.5, pids=70)
    docker_visitor.launch()
    second = docker_visitor.get(f"{home}/report").json()
    assert second["host"] != first["host"]
    assert second["made_by"] == first["host"]
    assert container_of(engine, docker_visitor).attrs["HostConfig"]["Memory"] == 300 * 1024**2


def test_a_container_that_died_is_replaced_at_the_next_click(
    docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    docker_visitor.launch()
    before = container_of(engine, docker_visitor)
    before.kill()
    until(lambda: engine.containers.get(before.id).status == "exited", "it ended")
    assert docker_visitor.launch(path="notes.org").status_code == 200
    assert container_of(engine, docker_visitor).id != before.id
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


def test_nothing_but_the_home_and_a_little_memory_can_be_written_to(
    docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    docker_visitor.launch()
    for place in ("/tmp", "/var/tmp"):
        said = inside(engine, docker_visitor, f"head -c 100M /dev/zero > {place}/x; rm {place}/x")
        assert "No space left on device" in said, place
        script = f"printf '#!/bin/sh\\necho runs' > {place}/s; chmod +x {place}/s"
        run = f"{script}; {place}/s; rm {place}/s"
        assert inside(engine, docker_visitor, run) == "runs\n"
    apart = f"! -path '/proc/*' ! -path '*/tmp' ! -path {HOME}"
    writable = f"find / -xdev -writable ! -type l {apart} 2>/dev/null"
    made = f"for d in $({writable}); do test -d $d && touch $d/probe 2>/dev/null && echo $d; done"
    assert inside(engine, docker_visitor, f"{made}; echo end") == "end\n"


def test_a_new_home_begins_with_what_the_image_has(
    docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    docker_visitor.launch()
    assert f"atelier-{docker_visitor.username}-demo" not in volumes(engine)
    listed = f"cd {HOME} && ls -lag --time-style=+ . | grep -v kept | grep -v ^total"
    plain = engine.containers.run(f"{NAME}:1", ["-c", listed], entrypoint="sh", remove=True)
    assert inside(engine, docker_visitor, listed) == plain.decode()
    assert ".bashrc" in plain.decode()
    assert "nosuid" in inside(engine, docker_visitor, f"findmnt -no OPTIONS {HOME}")


def _full_page(one: Visitor) -> str:
    page = one.get("/hub/home").text
    return page if "Your space is full" in page else ""


def test_a_full_home_is_told_and_is_nobody_else_s(
    docker_site: Site, engine: docker.DockerClient
) -> None:
    docker_site.write_course("demo", image=f"{NAME}:1", space=f"{SPACE_MIB}M", inodes=5000)
    users = [secrets.token_hex(8) for _ in range(2)]
    with (
        Visitor(docker_site.hub_url, docker_site.consumer_secret, users[0]) as full,
        Visitor(docker_site.hub_url, docker_site.consumer_secret, users[1]) as other,
    ):
        full.launch(locale="en")
        other.launch(locale="en")
        total = int(inside(engine, full, f"df -k --output=size {HOME} | tail -1"))
        assert SPACE_MIB * 1024 <= total <= (SPACE_MIB + 20) * 1024, "df says the limit"
        assert not _full_page(full)
        said = inside(engine, full, f"head -c 1G /dev/zero > {HOME}/big.dat")
        assert "No space left on device" in said
        assert (
            inside(engine, other, f"head -c 20M /dev/zero > {HOME}/mine && echo well") == "well\n"
        )
        page = until(lambda: _full_page(full), "the hub tells it", 20)
        assert "The largest files are: big.dat" in page
        assert not _full_page(other)
        container_of(engine, full).kill()
        docker_site.write_course("demo", image=f"{NAME}:1", space="128M", inodes=5000)
        full.launch(locale="en")
        assert inside(engine, full, f"echo new > {HOME}/n && cat {HOME}/n") == "new\n"
        until(lambda: not _full_page(full), "a larger space has come", 20)


def test_the_version_before_s_home_moves_at_the_next_start(
    docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    volume = f"atelier-{docker_visitor.username}-demo"
    engine.volumes.create(volume)
    engine.containers.run(
        f"{NAME}:1",
        ["-c", f"echo work > {HOME}/kept; ln -s kept {HOME}/l; mkdir -m 700 {HOME}/d"],
        entrypoint="sh",
        remove=True,
        volumes={volume: {"bind": HOME}},
    )
    docker_visitor.launch()
    said = inside(engine, docker_visitor, f"cat {HOME}/l; stat -c %a:%u {HOME}/d; id -u")
    work, owner, user = said.split()
    assert (work, owner) == ("work", f"700:{user}")
    until(lambda: volume not in volumes(engine), "the volume is removed")


def test_without_the_service_of_homes_a_start_says_so(
    docker_site: Site, docker_visitor: Visitor, engine: docker.DockerClient
) -> None:
    socket = docker_site.root / "socket"
    socket.rename(docker_site.root / "away")
    try:
        page = docker_visitor.launch()
        assert page.status_code == 500
        assert "Vos fichiers ne sont pas accessibles" in page.text
        assert f"atelier-{docker_visitor.username}-demo" not in volumes(engine)
    finally:
        (docker_site.root / "away").rename(socket)
    retry = page.text.split('id="start" href="')[1].split('"')[0]
    assert docker_visitor.follow(docker_visitor.get(retry)).status_code == 200
