"""One learner, one course: a Docker container."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker.errors  # type: ignore[import-untyped]
import requests.exceptions
from dockerspawner import DockerSpawner  # type: ignore[import-untyped]

from atelier.config.models import Course, Settings
from atelier.homes import Home, HomeError
from atelier.homes.container import HOME, container_user, home_mounts, host_limits
from atelier.hub.context import hub_context
from atelier.hub.engines.base import (
    TEMPLATE_MOUNT,
    CourseMixin,
    SpawnError,
    common_settings,
    container_environment,
    extra_hosts,
)
from atelier.i18n.translate import say
from atelier.learner import LearnerInfo

DOCKER_THREADS = 8
"""Calls to Docker at the same time."""


class AtelierSpawner(CourseMixin, DockerSpawner):  # type: ignore[misc]
    """One Docker container per learner and course."""

    # With the parent's single thread, a crowd's containers would start one after the other.
    _executor = ThreadPoolExecutor(DOCKER_THREADS, thread_name_prefix="docker")

    async def start(self) -> Any:
        """Start the container with the course's image and limits as they are now.

        Raises:
            SpawnError: Docker refuses or the home is unavailable; the log has the details.
        """
        course, learner = self.course, self.learner
        if course is None or learner is None:
            raise SpawnError("spawn_course", self.lang, "started without being prepared")
        settings = hub_context().settings
        self.image = course.image
        self.mem_limit = course.memory
        self.cpu_limit = course.cpu
        self.environment = container_environment(settings, course, learner, space=self.space)
        self.extra_host_config = {
            **host_limits(course, settings.spawner),
            "memswap_limit": self.mem_limit,  # without it Docker allows the same amount of swap
            "extra_hosts": extra_hosts(settings),
            "auto_remove": False,  # the hub removes it at the stop; until then its log can be read
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
        """Prepare the learner's home; return the Docker volume that is no longer needed, if any.

        A leftover container that the hub does not know is removed first: it could write to the home
        while that is moved or mounted.

        Raises:
            HomeError: the home is unavailable.
        """
        if await self.get_object() is not None:
            await self.docker("remove_container", self.object_id, v=True, force=True)
        home, homes = Home(learner.username, course.slug), hub_context().homes
        try:
            opened = await homes.open(learner.username, course)
        except HomeError as error:
            if error.code != "missing":
                raise
            await self._fill_volume(home.volume)
            opened = await homes.open(learner.username, course)
        self.volumes = {home.volume: HOME} if opened.path is None else {}
        self.mounts = home_mounts(opened)
        self.extra_create_kwargs = container_user(opened)
        return home.volume if opened.volume_left else ""

    async def _fill_volume(self, volume: str) -> None:
        """Let Docker create a volume with the image's files below the home directory.

        A new home starts with them. Only Docker can read an image's files; it copies them when a
        container is created, even if that never starts.
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
        """Return as soon as the server listens; the hub's own check pauses longer between tries.

        Raises:
            SpawnError: the container exited; its last output goes to the log.
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
                        words = await self._last_output()
                        raise SpawnError("spawn_died", self.lang, f"{ended}: {words}") from None
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def _last_output(self) -> str:
        try:
            said = await self.docker("logs", self.object_name, tail=20)
        except docker.errors.DockerException:
            return "it left no log"
        return str(said.decode(errors="replace"))[-2000:]

    async def clean_up(self) -> None:
        """After the stop: remove a container that exited; the home stays."""
        await super().clean_up()
        try:
            if await self.get_object() is not None:
                await self.remove_object()
        except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
            self.log.warning("%s: not removed: %s", self.object_name, error)
        await hub_context().homes.close(str(self.user.name), self.name)

    def _problem(self, key: str, error: Exception) -> SpawnError:
        detail = getattr(error, "explanation", None) or str(error)
        return SpawnError(key, self.lang, f"{type(error).__name__}: {detail}")

    async def get_command(self) -> list[str]:
        """Arguments only: the image's entry point starts the server, whatever its CMD."""
        return list(self.get_args())

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Messages for the waiting page, one for each step."""
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


def docker_settings(settings: Settings, config: Any) -> None:
    """Write what runs learners' servers on Docker into JupyterHub's configuration.

    Args:
        settings: the site's settings.
        config: JupyterHub's configuration object.
    """
    common_settings(settings, config)
    config.JupyterHub.spawner_class = AtelierSpawner
    config.DockerSpawner.name_template = "atelier-{raw_username}-{raw_servername}"
    config.DockerSpawner.network_name = settings.spawner.network
    config.DockerSpawner.use_internal_ip = True
    config.DockerSpawner.pull_policy = "never"
    config.DockerSpawner.remove = True
