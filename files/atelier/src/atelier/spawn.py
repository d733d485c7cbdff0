"""One learner, one course: a container of their own.

``spawner_settings`` is the one place that knows which engine runs learners' servers; another
engine is another ``kind`` there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker.errors  # type: ignore[import-untyped]
import requests.exceptions
from dockerspawner import DockerSpawner  # type: ignore[import-untyped]
from tornado import web

from atelier.deskclient import service_prefix
from atelier.homes import Home, HomeError
from atelier.homes.container import HOME, home_mounts, host_limits
from atelier.house import house
from atelier.identity import is_username
from atelier.learner import LearnerInfo, learner_of
from atelier.origins import server_arguments, server_origin
from atelier.settings import Course, Settings
from atelier.text import Language, say

DOCKER_THREADS = 8
"""Calls to Docker under way at the same time."""
TEMPLATE_MOUNT = "/srv/atelier/template.git"
_TOLD_OF_SPACE = {"ready": "ready", "preparing": "preparing", "unavailable": "later"}
_LOCALES: dict[Language, str] = {"fr": "fr_FR.UTF-8", "en": "en_US.UTF-8"}


class SpawnError(Exception):
    """A server that cannot start; ``jupyterhub_message`` is the sentence the learner reads."""

    def __init__(self, key: str, lang: Language, detail: str) -> None:
        super().__init__(detail)
        self.jupyterhub_message = say(key, lang)


class NotTheirsError(web.HTTPError):
    """A course the learner has not launched: nothing went wrong here, so it is no failure."""

    def __init__(self, lang: Language, detail: str) -> None:
        super().__init__(403, detail)
        self.jupyterhub_message = say("spawn_course", lang)


def address_host(url: str) -> tuple[str, int]:
    """Host and port of an address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def extra_hosts(settings: Settings) -> dict[str, str]:
    """Names a learner's container must resolve to the machine it runs on."""
    site = settings.site
    here = [site.hub_url, *([site.gitlab_url] if site.gitlab_here else [])]
    return {address_host(url)[0]: settings.spawner.gateway for url in here}


def git_environment(settings: Settings) -> dict[str, str]:
    """Git settings for hosts under ``.localhost``.

    libcurl takes those for the loopback interface whatever ``/etc/hosts`` says; git is told
    the address itself.
    """
    resolve = [
        f"{host}:{port}:{settings.spawner.gateway}"
        for host, port in [address_host(settings.site.gitlab_url)]
        if host in extra_hosts(settings) and host.endswith(".localhost")
    ]
    environment = {"GIT_CONFIG_COUNT": str(len(resolve))} if resolve else {}
    for number, value in enumerate(resolve):
        environment[f"GIT_CONFIG_KEY_{number}"] = "http.curloptResolve"
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


def container_environment(
    settings: Settings, course: Course, learner: LearnerInfo, *, space: str
) -> dict[str, str]:
    """What a learner's container is told; nothing secret.

    Args:
        settings: the site's settings.
        course: its course.
        learner: whose it is.
        space: what the desk says of the fork: ``ready``, ``preparing``, or ``unavailable``,
            when waiting for it is no use.
    """
    return {
        **git_environment(settings),
        **settings.spawner.environment,
        "ATELIER_COURSE": course.slug,
        "ATELIER_PROJECT_URL": f"{settings.site.gitlab_url}/{learner.username}/{course.slug}.git",
        "ATELIER_DESK_URL": settings.desk.url + service_prefix(settings),
        "ATELIER_DESK_PAGES": settings.site.hub_url + "/services/desk",
        "ATELIER_TEMPLATE": TEMPLATE_MOUNT,
        "ATELIER_SPACE": _TOLD_OF_SPACE[space],
        "ATELIER_LEARNER_NAME": learner.name,
        "ATELIER_LEARNER_EMAIL": learner.email,
        "ATELIER_TOOLBAR_OUTPUTS": course.outputs,
        "ATELIER_TOOLBAR_MAX_FILE_MB": str(course.max_file_mb),
        "LANG": _LOCALES[learner.language],
    }


def upload_arguments(settings: Settings) -> list[str]:
    """What holds a notebook server to the largest request; Jupyter's own limit is 512 MiB."""
    most = settings.spawner.upload_limit_mb * 1024**2
    return [f"--ServerApp.max_body_size={most}", f"--ServerApp.max_buffer_size={most}"]


class CourseMixin:
    """What every engine's spawner does for a course: who may start it, its space, its end."""

    name: str
    """The named server: a course's slug. JupyterHub sets it, and ``user``."""
    user: Any
    server: Any
    learner: LearnerInfo | None = None
    course: Course | None = None
    space = "unavailable"
    """What the desk said of the fork when the server started."""
    origin = ""
    """Where the server that runs was told that browsers find it; empty: on the hub's host."""
    container_address = ""
    """Of the container that is being started, before the hub has noted it."""
    _step = "progress_space"
    _launched: dict[str, Any] | None = None

    def get_state(self) -> dict[str, Any]:
        """What the hub remembers of a running server when it starts again."""
        return {**super().get_state(), "origin": self.origin}  # type: ignore[misc]

    def load_state(self, state: dict[str, Any]) -> None:
        """Take back what was remembered; a server of before this was kept is on the hub's host."""
        super().load_state(state)  # type: ignore[misc]
        self.origin = state.get("origin", "")

    @property
    def lang(self) -> Language:
        """Language of the messages."""
        return self.learner.language if self.learner else "en"

    @property
    def seat(self) -> str:
        """IP address that the server's own requests come from; empty until it is known."""
        return self.container_address or (self.server.ip if self.server else "")

    def remember(self, state: dict[str, Any] | None) -> None:
        """Take from ``auth_state`` who the learner is and which courses they launched."""
        self.learner = learner_of(state)
        self._launched = state

    async def prepare(self) -> None:
        """Before the start: the course as it is now, and the space, if GitLab can be had.

        A space in the making is waited for in the container, while Jupyter starts: the desk
        answers the clone's question for a credential when the space is there.

        Raises:
            NotTheirsError: no such course for this learner.
        """
        name = self.name
        still_open = name in house().admission.open_courses(self._launched)
        course = house().courses.get(name) if still_open else None
        if course is None or self.learner is None or not is_username(self.learner.username):
            raise NotTheirsError(self.lang, f"no course {name[:80]!r} for them")
        self.course = course
        self.origin = server_origin(house().settings.site, self.learner.username)
        self._step = "progress_space"
        learner = self.learner
        answer = await house().desk.space(learner.username, learner.name, learner.email, name)
        self.space = answer.state
        lacking = self.space == "unavailable"
        self._step = "progress_no_gitlab" if lacking else "progress_container"

    async def farewell(self) -> None:
        """After the stop: what the server was given to reach GitLab is revoked."""
        self.container_address = ""
        if self.name:
            await house().desk.revoke(str(self.user.name), self.name)


class AtelierSpawner(CourseMixin, DockerSpawner):  # type: ignore[misc]
    """One Docker container per learner and course."""

    # The parent's single thread would start a rush of learners one after the other.
    _executor = ThreadPoolExecutor(DOCKER_THREADS, thread_name_prefix="docker")

    async def start(self) -> Any:
        """Start the container with the course's image and limits as they are now.

        Raises:
            SpawnError: Docker refuses, or the home cannot be had; their words go to the log.
        """
        course, learner = self.course, self.learner
        if course is None or learner is None:
            raise SpawnError("spawn_course", self.lang, "started without being prepared")
        settings = house().settings
        self.image = course.image
        self.mem_limit = course.memory
        self.cpu_limit = course.cpu
        self.environment = container_environment(settings, course, learner, space=self.space)
        self.extra_host_config = {
            **host_limits(course, settings.spawner),
            "memswap_limit": self.mem_limit,  # Docker would add as much swap again
            "extra_hosts": extra_hosts(settings),
            "auto_remove": False,  # removed at the stop; until then its last words can be read
        }
        mirror = settings.paths.templates / f"{course.slug}.git"
        self.read_only_volumes = {str(mirror): TEMPLATE_MOUNT} if _is_directory(mirror) else {}
        try:
            self.container_address = ""
            volume_left = await self._open_home(course, learner)
            host, port = await super().start()
            self.container_address = str(host)
            self._step = "progress_server"
            await self._await_answer(host, port)
            if volume_left:
                await self._remove_volume(volume_left)
        except HomeError as error:
            raise self._problem("spawn_home", error) from error
        except docker.errors.ImageNotFound as error:
            raise self._problem("spawn_image", error) from error
        except docker.errors.APIError as error:
            raise self._problem("spawn_refused", error) from error
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            raise self._problem("spawn_engine", error) from error
        return host, port

    async def _open_home(self, course: Course, learner: LearnerInfo) -> str:
        """Have the learner's home ready; return the volume that is no longer needed, if any.

        A container of before, which the hub knows nothing of, would write to the home while it is
        moved or mounted again: it ends first.

        Raises:
            HomeError: the home cannot be had.
        """
        if await self.get_object() is not None:
            await self.docker("remove_container", self.object_id, v=True, force=True)
        home, homes = Home(learner.username, course.slug), house().homes
        try:
            opened = await homes.open(learner.username, course)
        except HomeError as error:
            if error.code != "missing":
                raise
            await self._fill_volume(home.volume)
            opened = await homes.open(learner.username, course)
        self.volumes = {home.volume: HOME} if opened.path is None else {}
        self.mounts = home_mounts(opened)
        return home.volume if opened.volume_left else ""

    async def _fill_volume(self, volume: str) -> None:
        """Have the engine make a volume with what the image has at the home's place.

        A new home begins with it. Only the engine knows an image's files, and it copies them when a
        container is made, whether that starts or not.
        """
        binds = {volume: {"bind": HOME, "mode": "rw"}}
        host = self.client.create_host_config(binds=binds, network_mode="none")
        made = await self.docker("create_container", self.image, host_config=host)
        await self.docker("remove_container", made["Id"])

    async def _remove_volume(self, volume: str) -> None:
        try:
            await self.docker("remove_volume", volume)
        except docker.errors.APIError as error:
            self.log.warning("%s: not removed: %s", volume, error)

    async def _await_answer(self, host: str, port: int) -> None:
        """Return as soon as the server listens: the pauses of the hub's own check grow to seconds.

        Raises:
            SpawnError: the container ended; its last words go to the log.
        """
        looked = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(1):
                    _, writer = await asyncio.open_connection(host, port)
            except OSError:  # TimeoutError is one
                if time.monotonic() - looked > 1:
                    looked = time.monotonic()
                    ended = await self.poll()
                    if ended is not None:
                        words = await self._last_words()
                        raise SpawnError("spawn_died", self.lang, f"{ended}: {words}") from None
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def _last_words(self) -> str:
        try:
            said = await self.docker("logs", self.object_name, tail=20)
        except docker.errors.DockerException:
            return "it left no log"
        return str(said.decode(errors="replace"))[-2000:]

    async def farewell(self) -> None:
        """After the stop: a container that ended by itself is removed; the volume stays."""
        await super().farewell()
        try:
            if await self.get_object() is not None:
                await self.remove_object()
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            self.log.warning("%s: not removed: %s", self.object_name, error)
        await house().homes.close(str(self.user.name), self.name)

    def _problem(self, key: str, error: Exception) -> SpawnError:
        detail = getattr(error, "explanation", None) or str(error)
        return SpawnError(key, self.lang, f"{type(error).__name__}: {detail}")

    async def get_command(self) -> list[str]:
        """Arguments only: the image's entry point starts the server, whatever its CMD."""
        return list(self.get_args())

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """What the page that waits says; one message per step."""
        shares = {
            "progress_space": 10,
            "progress_no_gitlab": 25,
            "progress_container": 30,
            "progress_server": 60,
        }
        said = ""
        while True:
            if self._step != said:
                said = self._step
                yield {"progress": shares[said], "message": say(said, self.lang)}
            await asyncio.sleep(0.2)


def _is_directory(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _remember(spawner: CourseMixin, state: dict[str, Any] | None) -> None:
    spawner.remember(state)


async def _prepare(spawner: CourseMixin) -> None:
    await spawner.prepare()


async def _farewell(spawner: CourseMixin) -> None:
    await spawner.farewell()


def spawner_settings(settings: Settings, config: Any) -> None:
    """Write what runs learners' servers into JupyterHub's configuration.

    Args:
        settings: the site's settings; ``spawner.kind`` chooses the engine.
        config: JupyterHub's configuration object.
    """
    config.JupyterHub.spawner_class = AtelierSpawner
    config.Spawner.auth_state_hook = _remember
    config.Spawner.pre_spawn_hook = _prepare
    config.Spawner.post_stop_hook = _farewell
    config.Spawner.notebook_dir = HOME
    config.Spawner.args = [*upload_arguments(settings), *server_arguments(settings.site)]
    config.Spawner.start_timeout = settings.spawner.start_timeout_seconds
    config.Spawner.http_timeout = settings.spawner.start_timeout_seconds
    config.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server"]
    config.DockerSpawner.name_template = "atelier-{raw_username}-{raw_servername}"
    config.DockerSpawner.network_name = settings.spawner.network
    config.DockerSpawner.use_internal_ip = True
    config.DockerSpawner.pull_policy = "never"
    config.DockerSpawner.remove = True
