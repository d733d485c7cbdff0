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
from atelier.i18n.translate import Language, say
from atelier.identity import is_username
from atelier.learner import LearnerInfo, learner_of
from atelier.messages import service_prefix

TEMPLATE_MOUNT = "/srv/atelier/template.git"
_TOLD_OF_SPACE = {"ready": "ready", "preparing": "preparing", "unavailable": "later"}
_LOCALES: dict[Language, str] = {"fr": "fr_FR.UTF-8", "en": "en_US.UTF-8"}


class SpawnError(Exception):
    """A server that cannot start; ``jupyterhub_message`` is the sentence the learner reads."""

    def __init__(self, key: str, lang: Language, detail: str) -> None:
        super().__init__(detail)
        self.jupyterhub_message = say(key, lang)


class CourseNotLaunchedError(web.HTTPError):
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
            CourseNotLaunchedError: no such course for this learner.
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

    async def farewell(self) -> None:
        """After the stop: what the server was given to reach GitLab is revoked."""
        self.container_address = ""
        if self.name:
            await hub_context().desk.revoke(str(self.user.name), self.name)


def _remember(spawner: CourseMixin, state: dict[str, Any] | None) -> None:
    spawner.remember(state)


async def _prepare(spawner: CourseMixin) -> None:
    await spawner.prepare()


async def _farewell(spawner: CourseMixin) -> None:
    await spawner.farewell()


def common_settings(settings: Settings, config: Any) -> None:
    """Write what all engines share into JupyterHub's configuration.

    Args:
        settings: the site's settings.
        config: JupyterHub's configuration object.
    """
    config.Spawner.auth_state_hook = _remember
    config.Spawner.pre_spawn_hook = _prepare
    config.Spawner.post_stop_hook = _farewell
    config.Spawner.notebook_dir = HOME
    config.Spawner.args = [*upload_arguments(settings), *server_arguments(settings.site)]
    config.Spawner.start_timeout = settings.spawner.start_timeout_seconds
    config.Spawner.http_timeout = settings.spawner.start_timeout_seconds
    config.Spawner.server_token_scopes = ["users:activity!user", "access:servers!server"]
