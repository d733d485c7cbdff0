"""The site's settings: ``atelier.yml``, ``courses.d/<slug>.yml`` and ``consumers.yml``.

LTI 1.3's ``registrations.yml`` is in :mod:`atelier.config.registrations`.

Every error names the file, the key and the value, so that operators can correct an inventory
without reading this code. The secrets that systemd passes are in
:mod:`atelier.config.credentials`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from atelier.config.entries import Entry, context
from atelier.config.fields import DomainName, Origin, PrivateHost, Strict, Title, Url
from atelier.config.schema.consumer import FORMER_SECRET, KEPT_CONSUMER
from atelier.config.schema.course import REGISTERED_COURSE
from atelier.config.schema.kinds import PLAIN, Reading
from atelier.config.schema.launcher import LAUNCHER
from atelier.config.schema.sizes import LEAST_SPACE, size_bytes

DEFAULT_FILE = Path("/etc/atelier/atelier.yml")
HOST_PREFIX = "__Host-"
"""Prefix of cookie names; browsers accept such a cookie only from the host that uses it."""


def settings_file() -> Path:
    """Return the path of the site's settings: ``$ATELIER_SETTINGS``, else :data:`DEFAULT_FILE`."""
    return Path(os.environ.get("ATELIER_SETTINGS") or DEFAULT_FILE)


class SettingsError(Exception):
    """A settings file is unusable; the text names the file, the key and the value."""


class Site(Strict):
    """Addresses of the site as browsers see them."""

    hub_url: Url
    gitlab_url: Url
    contact_email: str = ""
    frame_ancestors: tuple[Origin, ...] = ()
    """Origins of the LMS pages that may show this site in a frame."""
    ca_file: Path | None = None
    """Certificates trusted for calls to GitLab (PEM); None: those of the Python package."""
    domain: str | None = None
    """Domain of learners' no-reply addresses; by default the hub's host without its first label."""
    gitlab_session_paths: bool = True
    """Whether GitLab's host has ``/-/atelier/enter`` and ``/-/atelier/leave``, which end the
    browser's GitLab session. An external GitLab has them only if its operators added them."""

    gitlab_here: bool = True
    """Whether GitLab runs on this server; False: it is an external GitLab."""
    gitlab_mail: bool = False
    """Whether GitLab sends mail, so that learners with a real address can set a password."""
    notebook_origin: Literal["learner", "shared"] = "shared"
    """``learner``: each learner's server has its own host name below ``notebook_domain``.
    ``shared``: all use the hub's origin, so that a notebook can act as the user who opens it."""
    notebook_domain: DomainName | None = None
    """Domain of the learners' host names."""

    @model_validator(mode="after")
    def _learners_have_their_own_domain(self) -> Site:
        if self.notebook_origin == "shared":
            return self
        hub = urlsplit(self.hub_url)
        domain, host = self.notebook_domain, hub.hostname or ""
        if domain is None:
            raise ValueError("notebook_domain: is needed with notebook_origin = 'learner'")
        if hub.scheme != "https":
            raise ValueError("hub_url: must be https with notebook_origin = 'learner'")
        for other in (host, urlsplit(self.gitlab_url).hostname or ""):
            if f".{other}".endswith(f".{domain}"):
                raise ValueError(f"notebook_domain: {other} must not lie in learners' {domain}")
        return self

    @property
    def notebooks(self) -> str | None:
        """Address of learners' servers without the learner's label, such as
        ``https://notebooks.example.org:8443``; None if they share the hub's origin."""
        if self.notebook_origin == "shared":
            return None
        port = urlsplit(self.hub_url).port
        return f"https://{self.notebook_domain}" + (f":{port}" if port else "")

    @property
    def hub_origin(self) -> str:
        """Origin of the hub's pages as browsers send it: in small letters, without default port."""
        parts = urlsplit(self.hub_url)
        usual = {"http": 80, "https": 443}[parts.scheme]
        host = parts.netloc.lower().removesuffix(f":{usual}")
        return f"{parts.scheme}://{host}"

    @property
    def hub_session_cookie(self) -> str:
        """Name of the hub's session cookie. If learners have their own hosts, possibly in the hub's
        parent domain, the prefix prevents those from setting it (RFC 6265bis, section 4.1.3.2)."""
        return f"{HOST_PREFIX if self.notebooks else ''}jupyterhub-session-id"

    @property
    def mail_domain(self) -> str:
        """Domain of the no-reply addresses of learners without a trusted e-mail address."""
        host = urlsplit(self.hub_url).hostname or "localhost"
        return self.domain or host.partition(".")[2] or host

    def noreply_email(self, username: str) -> str:
        """Return the address for a learner whose platform's e-mail addresses are not trusted."""
        return f"{username}@users.noreply.{self.mail_domain}"


def _database_url(value: str) -> str:
    """Validate a database URL without password, and add the name of the driver."""
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError("must be like postgresql://user@host/database") from None
    if url.password is not None:
        raise ValueError("must hold no password: that is the credential database_password")
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError(f"{url.drivername}: must be sqlite or postgresql")
    return url.render_as_string(hide_password=False)


class Hub(Strict):
    """JupyterHub: addresses, database and limits."""

    api_url: Url = "http://172.30.0.1:8081"
    """Address of the hub's API and its listener; learners' containers must reach it."""
    proxy_api_url: Url = "http://127.0.0.1:8001"
    public_bind: Url = "http://127.0.0.1:8000"
    """Address on which configurable-http-proxy listens for nginx."""
    database_url: Annotated[str, AfterValidator(_database_url)] = (
        "sqlite:////var/lib/atelier/hub/jupyterhub.sqlite"
    )
    """SQLAlchemy URL without a password, which is the credential ``database_password``."""
    concurrent_spawn_limit: PositiveInt = 20
    idle_timeout_seconds: Annotated[int, Field(ge=0)] = 3600
    """Idle time after which servers are stopped; 0: never."""
    admin_users: tuple[str, ...] = ()


class Desk(Strict):
    """The desk: addresses, state directory and limits."""

    bind_host: str = "172.30.0.1"
    bind_port: Annotated[int, Field(ge=1, le=65535)] = 8082
    url: Url = "http://172.30.0.1:8082"
    state_dir: Path = Path("/var/lib/atelier/desk")
    prepare_timeout_seconds: PositiveFloat = 120
    token_days: Annotated[int, Field(ge=1, le=30)] = 1
    personal_token_days: Annotated[int, Field(ge=1, le=364)] = 90
    """Maximum lifetime of a token that a learner creates for a clone on their computer."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """Number of spaces prepared at the same time."""


class Spawner(Strict):
    """The container engine of learners' servers."""

    kind: Literal["docker"] = "docker"
    network: str = "atelier-learners"
    gateway: str = "172.30.0.1"
    start_timeout_seconds: PositiveInt = 120
    upload_limit_mb: PositiveInt = 64
    """Largest request to a learner's server, such as a notebook that is saved, MiB."""
    tmp_mb: PositiveInt = 256
    """Size of ``/tmp`` in a learner's server, MiB; its content counts as the server's memory."""
    environment: dict[str, str] = Field(default_factory=dict)


class Homes(Strict):
    """Learners' homes."""

    socket: Path | None = None
    """Socket of the homes service; None: homes are volumes of the engine, without size limits."""


class Runner(Strict):
    """The service that runs learners' answers beside teachers' tests."""

    socket: Path | None = None
    """Its socket; None: there is none, and exercises with tests cannot be checked."""


class Lti(Strict):
    """Rules for LTI launches."""

    timestamp_window_seconds: Annotated[int, Field(ge=30, le=3600)] = 300
    private_hosts: tuple[PrivateHost, ...] = ()
    """Hosts of platforms that may have private addresses and be used without TLS."""


class Paths(Strict):
    """Files and directories read while the site runs."""

    courses: Path = Path("/etc/atelier/courses.d")
    consumers: Path = Path("/etc/atelier/consumers.yml")
    registrations: Path = Path("/etc/atelier/registrations.yml")
    joined: Path = Path("/var/lib/atelier/joined")
    """Platforms that registered themselves, and invitations to do so."""
    templates: Path = Path("/var/lib/atelier/templates")


class Settings(Strict):
    """All of ``atelier.yml``."""

    site: Site
    hub: Hub = Hub()
    desk: Desk = Desk()
    spawner: Spawner = Spawner()
    homes: Homes = Homes()
    runner: Runner = Runner()
    lti: Lti = Lti()
    paths: Paths = Paths()


class Course(Entry):
    """One ``courses.d/<slug>.yml``."""

    table = REGISTERED_COURSE

    slug: str
    title: Title
    template: str
    image: str
    memory: str = REGISTERED_COURSE.default("memory")
    cpu: float = REGISTERED_COURSE.default("cpu")
    pids: int = REGISTERED_COURSE.default("pids")
    consumers: tuple[str, ...] | None = None
    start_file: str | None = None
    grade: str = REGISTERED_COURSE.default("grade")
    outputs: str = REGISTERED_COURSE.default("outputs")
    max_file_mb: int = REGISTERED_COURSE.default("max_file_mb")
    space: str = REGISTERED_COURSE.default("space")
    inodes: int = REGISTERED_COURSE.default("inodes")

    @property
    def space_bytes(self) -> int:
        """``space`` in bytes."""
        return size_bytes(self.space) or LEAST_SPACE


class Launcher(Entry):
    """Common fields of a consumer (LTI 1.1) and a registration (LTI 1.3)."""

    table = LAUNCHER

    key: str
    platform: str
    courses: tuple[str, ...] | None = None
    trust_email: bool = False
    trust_roles: bool = False
    hosts: tuple[str, ...] = ()
    """Hosts to which the platform's grades may be sent. LTI 1.1: only these, if there are any;
    LTI 1.3: in addition to the hosts of the registration's addresses."""


def _former_secret(value: str) -> str:
    """Read a previous secret by the lenient rules: an earlier release may have accepted it."""
    return str(FORMER_SECRET.read(value))


class PreviousSecret(Strict):
    """A replaced secret that is still accepted for some time."""

    secret: Annotated[SecretStr, BeforeValidator(_former_secret)]
    until: AwareDatetime
    """Time from which the secret is refused."""


class Consumer(Launcher):
    """One LTI 1.1 consumer: a platform's key and shared secret."""

    table = KEPT_CONSUMER

    secret: SecretStr
    rotation: str | None = None
    """Name of the rotation that created the secret; only used by module ``lti_consumers``."""
    previous: tuple[PreviousSecret, ...] = ()
    """Recently replaced secrets, newest first."""

    def secrets_at(self, now: float) -> tuple[str, ...]:
        """Return the secrets that are accepted at a time, the current one first.

        Args:
            now: seconds since 1970.
        """
        accepted = [old.secret for old in self.previous if now < old.until.timestamp()]
        return tuple(one.get_secret_value() for one in (self.secret, *accepted))


class Consumers(Strict):
    """All of ``consumers.yml``."""

    version: Literal[1] = 1
    consumers: tuple[Consumer, ...] = ()

    @model_validator(mode="after")
    def _one_secret_per_key(self) -> Consumers:
        seen: set[str] = set()
        for consumer in self.consumers:
            if consumer.key in seen:
                raise ValueError(f"two consumers have the key {consumer.key!r}")
            seen.add(consumer.key)
        return self

    def by_key(self, key: str) -> Consumer | None:
        """Return the consumer with that key, or None."""
        return next((one for one in self.consumers if one.key == key), None)


def may_launch(consumer: Launcher, course: Course) -> bool:
    """Return whether a launcher may open a course.

    Both the launcher's ``courses`` and the course's ``consumers`` must allow it; None allows all.
    """
    return (consumer.courses is None or course.slug in consumer.courses) and (
        course.consumers is None or consumer.key in course.consumers
    )


Model = TypeVar("Model", bound=BaseModel)


def _describe(error: Any) -> str:
    """Return one line for a pydantic error: key, value (except secrets), reason."""
    key = ".".join(str(part) for part in error["loc"]) or "(top of the file)"
    reason = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        return f"{key}: this key is missing"
    if error["type"] == "extra_forbidden":
        return f"{key}: no such key"
    secret = "secret" in key or isinstance(error["input"], dict | list | tuple)
    value = "" if secret else f" = {error['input']!r}"
    return f"{key}{value}: {reason}"


def parse(model: type[Model], text: str, origin: str, reading: Reading = PLAIN) -> Model:
    """Parse the text of a settings file.

    Args:
        model: the file's model, such as :class:`Settings` or :class:`Course`.
        text: YAML.
        origin: the file's name, for messages.
        reading: how the values of entries are read; it collects remarks about them.

    Raises:
        SettingsError: the text is not YAML, or a key is missing, unknown, or has an invalid value;
            one line per error, each beginning with ``origin``.
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        if model is Consumers:
            problem = "this file holds secrets, so what is wrong there is not repeated"
        raise SettingsError(f"{origin}{where}: not valid YAML: {problem}") from None
    try:
        return model.model_validate({} if data is None else data, context=context(reading))
    except ValidationError as error:
        lines = [f"{origin}: {_describe(one)}" for one in error.errors(include_url=False)]
        raise SettingsError("\n".join(lines)) from None


def load(model: type[Model], path: Path, reading: Reading = PLAIN) -> Model:
    """Read a settings file.

    Raises:
        SettingsError: as :func:`parse`, or the file cannot be opened.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"{path}: cannot be read: {reason}") from None
    return parse(model, text, str(path), reading)
