"""What every engine's spawner shares: a course's rules, its environment, its messages.

An engine is a module beside this one: a subclass of :class:`CourseMixin` and of a JupyterHub
spawner, and a function that writes its settings.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tornado import web

from atelier.config.models import Course, Settings
from atelier.homes.container import HOME
from atelier.hub.context import hub_context
from atelier.hub.origins import server_arguments, server_origin
from atelier.i18n.translate import DEFAULT, Language, say
from atelier.identity import is_username
from atelier.learner import LearnerInfo, learner_of
from atelier.messages import service_prefix

TEMPLATE_MOUNT = "/srv/atelier/template.git"
_SPACE_STATES = {"ready": "ready", "preparing": "preparing", "unavailable": "later"}


class SpawnError(Exception):
    """A server cannot start; ``jupyterhub_message`` is the sentence for the learner."""

    def __init__(self, key: str, lang: Language, detail: str) -> None:
        super().__init__(detail)
        self.jupyterhub_message = say(key, lang)


class CourseNotLaunchedError(web.HTTPError):
    """The learner has not launched this course. JupyterHub does not count it as a failed start."""

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

    libcurl resolves those to the loopback interface whatever ``/etc/hosts`` says, so git gets their
    address by its configuration.
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
    """Environment of a learner's container, without secrets.

    Args:
        settings: the site's settings.
        course: the course.
        learner: the owner.
        space: state of the fork by the desk: ``ready``, ``preparing``, or ``unavailable``, which
            means that waiting is of no use.
    """
    return {
        **git_environment(settings),
        **settings.spawner.environment,
        "ATELIER_COURSE": course.slug,
        "ATELIER_PROJECT_URL": f"{settings.site.gitlab_url}/{learner.username}/{course.slug}.git",
        "ATELIER_DESK_URL": settings.desk.url + service_prefix(settings),
        "ATELIER_DESK_PAGES": settings.site.hub_url + "/services/desk",
        "ATELIER_TEMPLATE": TEMPLATE_MOUNT,
        "ATELIER_SPACE": _SPACE_STATES[space],
        "ATELIER_LEARNER_NAME": learner.name,
        "ATELIER_LEARNER_EMAIL": learner.email,
        "ATELIER_TOOLBAR_OUTPUTS": course.outputs,
        "ATELIER_TOOLBAR_MAX_FILE_MB": str(course.max_file_mb),
        "LANG": say("locale", learner.language),
    }


def upload_arguments(settings: Settings) -> list[str]:
    """Arguments that limit requests to a notebook server; Jupyter's default is 512 MiB."""
    most = settings.spawner.upload_limit_mb * 1024**2
    return [f"--ServerApp.max_body_size={most}", f"--ServerApp.max_buffer_size={most}"]


class CourseMixin:
    """What all engines' spawners do: check the course, ask for the space, revoke the credential."""

    name: str
    """The named server: a course's slug. JupyterHub sets it, and ``user``."""
    user: Any
    server: Any
    learner: LearnerInfo | None = None
    course: Course | None = None
    space = "unavailable"
    """State of the fork when the server started."""
    origin = ""
    """Origin with which the running server was started; empty: the hub's."""
    container_address = ""
    """Address of the container that is starting, before the hub has stored it."""
    _step = "progress_space"
    _launched: dict[str, Any] | None = None

    def get_state(self) -> dict[str, Any]:
        """State that the hub stores for a running server."""
        return {**super().get_state(), "origin": self.origin}  # type: ignore[misc]

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore the stored state; a server of an earlier version has the hub's origin."""
        super().load_state(state)  # type: ignore[misc]
        self.origin = state.get("origin", "")

    @property
    def lang(self) -> Language:
        """Language of the messages."""
        return self.learner.language if self.learner else DEFAULT

    @property
    def source_address(self) -> str:
        """IP address from which the server sends requests; empty until it is known."""
        return self.container_address or (self.server.ip if self.server else "")

    def remember(self, state: dict[str, Any] | None) -> None:
        """Read the learner and the launched courses from ``auth_state``."""
        self.learner = learner_of(state)
        self._launched = state

    async def prepare(self) -> None:
        """Before the start: read the course, and ask the desk for the space.

        The container waits for a space that is being prepared while Jupyter starts: the desk
        answers the clone's request for a credential when the space is ready.

        Raises:
            CourseNotLaunchedError: the learner may not open this course.
        """
        name = self.name
        still_open = name in hub_context().admission.open_courses(self._launched)
        course = hub_context().courses.get(name) if still_open else None
        if course is None or self.learner is None or not is_username(self.learner.username):
            raise CourseNotLaunchedError(self.lang, f"no course {name[:80]!r} for them")
        self.course = course
        self.origin = server_origin(hub_context().settings.site, self.learner.username)
        self._step = "progress_space"
        learner = self.learner
        answer = await hub_context().desk.space(learner.username, learner.name, learner.email, name)
        self.space = answer.state
        lacking = self.space == "unavailable"
        self._step = "progress_no_gitlab" if lacking else "progress_container"

    async def clean_up(self) -> None:
        """After the stop: revoke the server's git credential."""
        self.container_address = ""
        if self.name:
            await hub_context().desk.revoke(str(self.user.name), self.name)


def _remember(spawner: CourseMixin, state: dict[str, Any] | None) -> None:
    spawner.remember(state)


async def _prepare(spawner: CourseMixin) -> None:
    await spawner.prepare()


async def _clean_up(spawner: CourseMixin) -> None:
    await spawner.clean_up()


def common_settings(settings: Settings, config: Any) -> None:
    """Write what all engines share into JupyterHub's configuration.

    Args:
        settings: the site's settings.
        config: JupyterHub's configuration object.
    """
    config.Spawner.auth_state_hook = _remember
    config.Spawner.pre_spawn_hook = _prepare
    config.Spawner.post_stop_hook = _clean_up
    config.Spawner.notebook_dir = HOME
    config.Spawner.args = [*upload_arguments(settings), *server_arguments(settings.site)]
    config.Spawner.start_timeout = settings.spawner.start_timeout_seconds
    config.Spawner.http_timeout = settings.spawner.start_timeout_seconds
    config.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server"]
