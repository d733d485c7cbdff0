"""A whole small site on this machine's loopback interface: proxy, hub, desk, stand-in."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml
from lms.platform13 import make_key
from world import npm
from world.images import lock
from world.notes import write_private

from kit import fork_server
from kit.fork import Process

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "files/atelier/src"
START_SECONDS = 30
"""How long the hub waits for a learner's server."""
IMPORTED = ("jupyterhub.app", "atelier.hub.configure", "atelier.desk.main", "kit.notebook_server")
"""What the processes of a site import; hub, desk and learners' servers are forks that have it."""
PROXY_SOURCE = ROOT / "roles/jupyterhub/files/proxy/node20"
PROXY = ROOT / ".cache/atelier-tests/proxy"

CONFIG = """
from atelier.hub.configure import configure
c = get_config()
configure(c)
c.JupyterHub.log_level = "DEBUG"
"""

LOCAL_SERVERS = """
import sys
sys.path.insert(0, {here!r})
from kit.local_spawner import LocalCourseSpawner
c.JupyterHub.spawner_class = LocalCourseSpawner
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.notebook_dir = ""
"""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def proxy_command() -> str:
    """configurable-http-proxy as the role pins it, installed once in the cache."""
    with lock("tests-proxy"):  # one worker installs it, the others wait
        shutil.copytree(PROXY_SOURCE, PROXY, dirs_exist_ok=True)
        npm.ensure(PROXY, "the tests' proxy", "--omit=dev")
    return str(PROXY / "node_modules/.bin/configurable-http-proxy")


def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            found = condition()
        except (httpx.HTTPError, OSError):
            found = None
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"after {seconds} s, still not: {what}")


class StartError(Exception):
    """A process of the site does not answer; the text ends with what it said last."""


class Site:
    """The processes and files of a site; attributes are its addresses and secrets."""

    source = SOURCE
    """Folder of the package `atelier` that hub and desk run."""
    forked = True
    """Whether Python programs are forks; without, each begins by itself, as on a server."""

    def __init__(
        self,
        root: Path,
        *,
        gitlab_url: str | None = None,
        network: tuple[str, str] | None = None,
        ports: Sequence[int] = (),
    ) -> None:
        """Write the site's files.

        Args:
            root: an empty folder, or that of an earlier site, whose secrets and data are kept.
            gitlab_url: where GitLab answers; by default it does not.
            network: name and gateway of a Docker network: learners' servers are containers
                there; by default they are processes on this machine.
            ports: of the proxy, its API, the hub and the desk; by default free ones.
        """
        self.root = root
        self.network, self.inside = network or ("", "127.0.0.1")
        self.proxy_port, self.proxy_api, self.hub_port, self.desk_port = ports or (
            free_port() for _ in range(4)
        )
        self.hub_url = f"http://127.0.0.1:{self.proxy_port}"
        self.gitlab_url = gitlab_url or f"http://127.0.0.1:{free_port()}"
        for name in ("secrets", "joined", "courses.d", "hub", "desk", "templates", "homes", "log"):
            (root / name).mkdir(exist_ok=True)
        self.secrets = {
            name: self.secret(name)
            for name in (
                "proxy_auth_token",
                "cookie_secret",
                "auth_state_key",
                "oauth_client_secret",
                "desk_api_token",
            )
        }
        self.secrets["lti_tool_keys"] = self.secret("lti_tool_keys", make_key)
        self.consumer_secret = self.secret("consumer_secret")
        self._processes: dict[str, Process] = {}
        self.write_settings()
        self.write_course("demo")
        self.write_consumers(
            [{"key": "campus", "secret": self.consumer_secret, "platform": "campus"}]
        )
        self.write_registrations([])
        (root / "jupyterhub_config.py").write_text(
            CONFIG
            if network
            else CONFIG + LOCAL_SERVERS.format(here=str(ROOT / "tests"), homes=str(root / "homes"))
        )

    def secret(self, name: str, make: Callable[[], str] = lambda: secrets.token_hex(32)) -> str:
        """Return the secret of that name, made when there is none."""
        path = self.root / "secrets" / name
        if not path.exists():
            write_private(path, make() + "\n")
        return path.read_text().removesuffix("\n")

    @property
    def runner_socket(self) -> Path:
        """Where the desk looks for the runner; kit.local_runner can listen there."""
        return self.root / "runner.socket"

    def write_settings(self, **parts: dict[str, Any]) -> None:
        """Write atelier.yml; ``parts`` are added to its sections."""
        settings: dict[str, dict[str, Any]] = {
            "site": {
                "hub_url": self.hub_url,
                "gitlab_url": self.gitlab_url,
                "domain": "campus.example",
                "contact_email": "help@campus.example",
            },
            "hub": {
                "api_url": f"http://{self.inside}:{self.hub_port}",
                "proxy_api_url": f"http://127.0.0.1:{self.proxy_api}",
                "public_bind": f"http://127.0.0.1:{self.proxy_port}",
                "database_url": f"sqlite:///{self.root}/hub/jupyterhub.sqlite",
                "idle_timeout_seconds": 0,
            },
            "desk": {
                "bind_host": self.inside,
                "bind_port": self.desk_port,
                "url": f"http://{self.inside}:{self.desk_port}",
                "state_dir": str(self.root / "desk"),
            },
            "spawner": {
                "gateway": self.inside,
                "start_timeout_seconds": START_SECONDS,
                "network": self.network or "none",
            },
            "homes": {},
            "runner": {"socket": str(self.runner_socket)},
            # Course pages of tests are on this machine, mostly without TLS.
            "lti": {"private_hosts": ["127.0.0.0/8", "::1", "localhost"]},
            "paths": {
                "courses": str(self.root / "courses.d"),
                "consumers": str(self.root / "consumers.yml"),
                "registrations": str(self.root / "registrations.yml"),
                "joined": str(self.root / "joined"),
                "templates": str(self.root / "templates"),
            },
        }
        for section, values in parts.items():
            settings[section].update(values)
        (self.root / "atelier.yml").write_text(yaml.safe_dump(settings))

    def write_course(self, slug: str, **values: Any) -> None:
        """Write a course's file as the role does: whole, in one move."""
        course = {
            "slug": slug,
            "title": {"fr": f"Le cours {slug}", "en": f"The course {slug}"},
            "template": f"{slug}/template",
            "image": "atelier/course-demo:test",
            **values,
        }
        self._replace(self.root / "courses.d" / f"{slug}.yml", course)

    def write_consumers(self, consumers: list[dict[str, Any]]) -> None:
        """Write consumers.yml."""
        self._replace(self.root / "consumers.yml", {"version": 1, "consumers": consumers})

    def write_registrations(self, registrations: list[dict[str, Any]]) -> None:
        """Write registrations.yml."""
        content = {"version": 1, "registrations": registrations}
        self._replace(self.root / "registrations.yml", content)

    @staticmethod
    def _replace(path: Path, data: Any) -> None:
        new = path.with_name(f".{path.name}.new")
        new.write_text(yaml.safe_dump(data))
        new.replace(path)

    def environment(self) -> dict[str, str]:
        """Environment of the site's processes."""
        return {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "ATELIER_SETTINGS": str(self.root / "atelier.yml"),
            "CREDENTIALS_DIRECTORY": str(self.root / "secrets"),
            "PYTHONPATH": str(self.source),
            "CONFIGPROXY_AUTH_TOKEN": self.secrets["proxy_auth_token"],
        }

    def programs(self) -> dict[str, tuple[list[str], str]]:
        """Return command and address of each of the site's processes."""
        config = str(self.root / "jupyterhub_config.py")
        return {
            "hub": ([sys.executable, "-m", "jupyterhub", "-f", config], f"{self.hub_url}/hub/api/"),
            "desk": ([sys.executable, "-m", "atelier.desk.main"], f"{self.desk_api}/health"),
        }

    def start(self, name: str, command: list[str]) -> None:
        """Start one process of the site; what it says goes to ``log/<name>``."""
        where, env = self.root / "hub", self.environment()
        with (self.root / "log" / name).open("ab") as log:
            if self.forked and command[:2] == [sys.executable, "-m"]:
                server = fork_server.of(*IMPORTED)
                self._processes[name] = fork_server.fork(
                    server,
                    command[2:],
                    cwd=where,
                    env={**env, fork_server.ADDRESS: server},
                    output=log,
                )
            else:
                self._processes[name] = subprocess.Popen(
                    command, cwd=where, env=env, stdout=log, stderr=log
                )

    def pid(self, name: str) -> int:
        """Return the number of a process of the site."""
        return self._processes[name].pid

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop one process of the site and wait for its end."""
        process = self._processes.pop(name)
        process.send_signal(how)
        process.wait(20)

    def stop_together(self, names: Iterable[str], seconds: float = 20) -> None:
        """Stop processes at the same time, and kill those that have not ended in time."""
        stopping = [name for name in names if name in self._processes]
        for name in stopping:
            self._processes[name].terminate()
        deadline = time.monotonic() + seconds
        for name in stopping:
            try:
                self._processes[name].wait(max(0.0, deadline - time.monotonic()))
                del self._processes[name]
            except subprocess.TimeoutExpired:
                self.stop_hard(name)

    def start_proxy(self, *options: str) -> None:
        self.start(
            "proxy",
            [
                proxy_command(),
                "--ip=127.0.0.1",
                f"--port={self.proxy_port}",
                "--api-ip=127.0.0.1",
                f"--api-port={self.proxy_api}",
                *options,
            ],
        )

    def start_all(self) -> None:
        """Start proxy, desk and hub, in the order in which each finds what it needs."""
        self.start_proxy()
        self.start_desk()
        self.start_hub()

    def start_hub(self) -> None:
        self.start("hub", self.programs()["hub"][0])
        self.wait_for("hub", 60)

    def start_desk(self) -> None:
        self.start("desk", self.programs()["desk"][0])
        self.wait_for("desk")

    def wait_for(self, name: str, seconds: float = 30) -> None:
        """Wait until a process that was started answers at its address.

        Raises:
            StartError: it ended, or does not answer in time.
        """
        process, address = self._processes[name], self.programs()[name][1]
        deadline = time.monotonic() + seconds
        with httpx.Client(trust_env=False, timeout=5) as client:
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    if client.get(address).status_code < 400:
                        return
                except httpx.HTTPError:
                    pass
                time.sleep(0.1)
        code = process.poll()
        state = "does not answer" if code is None else f"ended ({code})"
        raise StartError(f"the {name} {state}:\n{self.log(name)[-3000:]}")

    @property
    def desk_api(self) -> str:
        return f"http://{self.inside}:{self.desk_port}/services/desk/api"

    def log(self, name: str) -> str:
        """What a process has said."""
        path = self.root / "log" / name
        return path.read_text(errors="replace") if path.exists() else ""

    def starts(self) -> list[str]:
        """``username/course`` of each server started, in order."""
        path = self.root / "desk" / "starts"
        return path.read_text().split() if path.exists() else []

    def close(self) -> None:
        """Stop everything, learners' servers too."""
        self.stop_together(list(self._processes))
        self._stop_servers()  # now that nobody starts one more

    def stop_hard(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.kill()
            process.wait(10)

    def _stop_servers(self) -> None:
        for pid in self.servers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def servers(self, learner: str = "") -> list[int]:
        """Return the process numbers of one learner's or all learners' servers on this machine.

        They are what works in a home: processes that are forks have another command line.
        """
        homes = self.root / "homes" / learner
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                if (process / "cwd").readlink().is_relative_to(homes):
                    found.append(int(process.name))
        return found
