"""A stock JupyterHub with DockerSpawner on the demo's server: same image, limits, engine.

Its learners have a plain network: the product's firewall lets learners reach its own hub only."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator

import httpx
from world.run import WorldError, capture
from world.target import Target

UNIT = "atelier-bench"
FOLDER = "/var/tmp/atelier-bench"
PORT = 8100
PROXY = "/opt/atelier/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
CONFIG = """\
c = get_config()  # noqa: F821
c.JupyterHub.bind_url = "http://0.0.0.0:{port}"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8181"
c.JupyterHub.hub_connect_url = "http://{gateway}:8181"
c.JupyterHub.db_url = "sqlite:///{folder}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.JupyterHub.pid_file = "{folder}/pid"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8101"
c.ConfigurableHTTPProxy.command = {proxy}
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy-pid"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "docker"
c.DockerSpawner.image = {image!r}
c.DockerSpawner.network_name = {network!r}
c.DockerSpawner.prefix = "stock"
c.DockerSpawner.remove = True
c.DockerSpawner.volumes = {{"stock-{{username}}": "/home/learner"}}
c.DockerSpawner.mem_limit = {memory!r}
c.DockerSpawner.cpu_limit = {cpu}
"""


@contextlib.contextmanager
def running(target: Target, course: str) -> Iterator[str]:
    """Run the stock hub while the block lasts; give its address as this machine reaches it."""
    _stop(target)
    described = json.loads(target.run("/opt/atelier/venv/bin/python", "-c", READ_COURSE, course))
    config = CONFIG.format(
        port=PORT,
        gateway=_network(target),
        folder=FOLDER,
        proxy=[PROXY],
        image=described["image"],
        network=UNIT,
        memory=described["memory"],
        cpu=described["cpu"],
    )
    target.run("mkdir", "-p", FOLDER)
    target.run("sh", "-c", f"cat > {FOLDER}/config.py", stdin=config)
    target.run(
        "systemd-run", "--quiet", f"--unit={UNIT}", f"--working-directory={FOLDER}",
        "--setenv=PATH=/opt/atelier/venv/bin:/usr/bin:/bin",
        "/opt/atelier/venv/bin/jupyterhub", "-f", f"{FOLDER}/config.py",
    )  # fmt: skip
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = capture("docker", "container", "inspect", "-f", form, target.name)
    base = f"http://{address}:{PORT}"
    try:
        _wait(target, base)
        yield base
    finally:
        _stop(target)


READ_COURSE = """\
import json, sys, yaml
print(json.dumps(yaml.safe_load(open(f"/etc/atelier/courses.d/{sys.argv[1]}.yml"))))
"""


def _network(target: Target) -> str:
    """Make the stock hub's Docker network and return this server's address in it."""
    target.run("docker", "network", "create", UNIT)
    form = "{{(index .IPAM.Config 0).Gateway}}"
    return target.run("docker", "network", "inspect", "-f", form, UNIT)


def _wait(target: Target, base: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{base}/hub/health", trust_env=False).status_code == 200:
                return
        time.sleep(0.5)
    raise WorldError(f"The stock hub does not answer:\n{last_words(target)}")


def last_words(target: Target) -> str:
    """The end of the stock hub's log."""
    return target.run("journalctl", "-u", UNIT, "-n", "30", "--no-pager", check=False)


def _stop(target: Target) -> None:
    target.run("systemctl", "stop", UNIT, check=False)
    target.run("systemctl", "reset-failed", UNIT, check=False)
    target.run(
        "sh", "-c",
        "docker ps -aq --filter name=^stock- | xargs -r docker rm -f;"
        f" docker volume ls -q --filter name=^stock- | xargs -r docker volume rm;"
        f" docker network rm {UNIT}; rm -rf {FOLDER}",
        check=False,
    )  # fmt: skip
