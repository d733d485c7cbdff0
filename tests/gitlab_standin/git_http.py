"""Git over HTTP: GitLab's rules at the door, ``git http-backend`` behind it."""

import asyncio
import base64
import binascii
import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from gitlab_standin import access, security
from gitlab_standin.api.authentication import record_use
from gitlab_standin.git.command import environment
from gitlab_standin.models import Project, Token, User
from gitlab_standin.projects import PATH, ProjectError, new_project
from gitlab_standin.pushes import after_change
from gitlab_standin.site import Site, can_use_credentials, find_project, find_token

ROUTE = re.compile(r"/(?P<path>.+?)\.git/(?P<service>info/refs|git-upload-pack|git-receive-pack)")

READ_SCOPES = frozenset({"api", "read_api", "read_repository", "write_repository"})
WRITE_SCOPES = frozenset({"api", "write_repository"})
NOT_FOUND = (
    "The project you were looking for could not be found or you don't have permission to view it."
)
NO_PUSH = "You are not allowed to push code to this project."
NO_UPLOAD = "You are not allowed to upload code."
NO_DOWNLOAD = "You are not allowed to download code from this project."


class RefusedError(Exception):
    """An answer in plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


@dataclass(frozen=True)
class Caller:
    """Who calls, and what the credential is good for."""

    user: User
    token: Token | None

    def may(self, scopes: frozenset[str]) -> bool:
        """Whether the credential has one of these scopes; a password has them all."""
        return self.token is None or bool(scopes & set(self.token.scopes))


@dataclass(frozen=True)
class Admitted:
    """What http-backend needs to be told."""

    project_id: int
    directory: str
    rules: dict[str, object]
    username: str
    most_mib: int | None
    """Largest push; GitLab has git itself refuse larger ones."""


def _denied(site: Site) -> RefusedError:
    help_page = site.url("/help/topics/git/troubleshooting_git.md")
    return RefusedError(
        401,
        "HTTP Basic: Access denied. If a password was provided for Git authentication, the "
        "password was incorrect "
        "or you're required to use a token instead of a password. If a token was provided, it "
        "was either "
        f"incorrect, expired, or improperly scoped. See {help_page}"
        "#error-on-git-fetch-http-basic-access-denied",
    )


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (name, password) if colon else ("", "")


def identify(site: Site, session: Session, header: str) -> Caller | None:
    """Who a Basic header stands for; None without one, RefusedError when it is wrong."""
    given = _basic(header)
    if given is None:
        return None
    name, password = given
    if not password or not name:
        raise _denied(site)
    token = find_token(session, security.token_digest(password))
    if token is not None:
        dead = not token.active or (token.impersonation and not site.config.impersonation_enabled)
        if dead or not can_use_credentials(token.user) or not READ_SCOPES & set(token.scopes):
            raise _denied(site)
        return Caller(token.user, token)
    if site.setting(session, "password_authentication_enabled_for_git"):
        key = name.lower()
        user = session.scalar(
            select(User).where(or_(User.username_key == key, User.email_key == key))
        )
        if (
            user is not None
            and can_use_credentials(user)
            and security.check_password(password, user.password_hash)
        ):
            return Caller(user, None)
    raise _denied(site)


def _create_by_push(site: Site, session: Session, caller: Caller, path: str) -> Project | None:
    """A push to a missing path in one's own namespace makes a private project."""
    namespace, _, name = path.partition("/")
    if namespace.lower() != caller.user.username_key or not PATH.fullmatch(name):
        return None
    if not caller.may(WRITE_SCOPES):
        return None
    try:
        project = new_project(
            session,
            namespace=caller.user.namespace,
            creator=caller.user,
            name=name,
            path=name,
            visibility="private",
        )
    except ProjectError as error:
        raise RefusedError(422, f"Could not create project: {error}") from error
    site.repository(project.id).create()
    return project


def admit(site: Site, path: str, *, writing: bool, header: str, may_create: bool) -> Admitted:
    """Apply GitLab's rules; RefusedError with its words otherwise."""
    with site.database.read() as session:
        caller = identify(site, session, header)
        project = find_project(session, path) if not path.isdigit() else None
        if caller is None:
            public = project is not None and project.visibility == "public"
            if writing or not public:
                raise _denied(site)
        missing = project is None
    if caller is not None and caller.token is not None:
        record_use(site, caller.token)
    opened = site.database.write() if missing and writing and may_create else site.database.read()
    with opened as session:
        user = session.get(User, caller.user.id) if caller is not None else None
        project = find_project(session, path)
        if project is None and writing and may_create and caller is not None and user is not None:
            project = _create_by_push(site, session, Caller(user, caller.token), path)
        if project is None or not access.visible(session, user, project):
            raise RefusedError(404, NOT_FOUND)
        if not access.can_read_code(session, user, project):
            raise RefusedError(403, NO_DOWNLOAD)
        if writing:
            _check_writing(session, caller, user, project)
        if project.import_status in {"scheduled", "started"}:
            raise RefusedError(404, "A repository for this project does not exist yet.")
        repository = site.repository(project.id)
        if not (repository.path / "HEAD").exists():
            raise RefusedError(404, "A repository for this project does not exist yet.")
        rules = access.push_rules(session, user, project) if user is not None else {}
        most = site.setting(session, "receive_max_input_size")
        name = user.username if user else ""
        return Admitted(project.id, str(repository.path), rules, name, most)


def _check_writing(
    session: Session, caller: Caller | None, user: User | None, project: Project
) -> None:
    if caller is None or not caller.may(WRITE_SCOPES):
        raise RefusedError(403, NO_UPLOAD)
    if project.archived:
        raise RefusedError(403, "You can't push code to an archived project.")
    if not access.can_push(session, user, project):
        raise RefusedError(403, NO_PUSH)


def _after_push(site: Site, project_id: int) -> None:
    with site.database.write() as session:
        project = session.get(Project, project_id)
        if project is not None:
            after_change(site, session, project)


async def _feed(request: Request, process: asyncio.subprocess.Process) -> None:
    """Pass the body on; half a request is none."""
    assert process.stdin is not None
    try:
        async for chunk in request.stream():
            process.stdin.write(chunk)
            await process.stdin.drain()
    except ClientDisconnect:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return
    except (BrokenPipeError, ConnectionResetError):
        pass  # git has read all it wants; its answer says why
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.close()


async def _read_head(process: asyncio.subprocess.Process) -> tuple[int, dict[str, str]]:
    """Status and headers of the CGI answer."""
    assert process.stdout is not None
    status = 200
    headers: dict[str, str] = {}
    while True:
        line = (await process.stdout.readline()).decode("latin-1").rstrip("\r\n")
        if not line:
            return status, headers
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()


def _cgi(request: Request, admitted: Admitted, service: str) -> dict[str, str]:
    variables = {
        "GIT_PROJECT_ROOT": admitted.directory,
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{service}",
        "QUERY_STRING": request.scope["query_string"].decode("latin-1"),
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "REMOTE_USER": admitted.username,
        "REMOTE_ADDR": request.client.host if request.client else "",
        "GIT_COMMITTER_NAME": admitted.username or "anonymous",
        "GIT_COMMITTER_EMAIL": "git@localhost",
        "GITLAB_STANDIN_PUSH_RULES": json.dumps(admitted.rules),
    }
    # No CONTENT_LENGTH: told one, http-backend spins for ever when the body ends before it.
    for header, name in (
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ):
        if header in request.headers:
            variables[name] = request.headers[header]
    most = admitted.most_mib
    return environment(variables, {"receive.maxInputSize": f"{most}m"} if most else None)


async def endpoint(request: Request, path: str, service: str) -> Response:
    """One request of the smart HTTP protocol."""
    site: Site = request.app.state.site
    wanted = request.query_params.get("service", "") if service == "info/refs" else service
    if request.method == "HEAD":
        return PlainTextResponse("Forbidden", 403)
    if wanted not in {"git-upload-pack", "git-receive-pack"}:
        return PlainTextResponse("Dumb HTTP is not supported; use a newer git.", 403)
    writing = wanted == "git-receive-pack"
    try:
        admitted = await run_in_threadpool(
            lambda: admit(
                site,
                path,
                writing=writing,
                header=request.headers.get("authorization", ""),
                may_create=service == "info/refs",
            )
        )
    except RefusedError as refusal:
        headers = {"Www-Authenticate": 'Basic realm="GitLab"'} if refusal.status == 401 else {}
        return PlainTextResponse(refusal.text, refusal.status, headers)
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_cgi(request, admitted, service),
        limit=2**20,
    )
    feeding = asyncio.create_task(_feed(request, process))
    status, headers = await _read_head(process)

    async def answer() -> AsyncIterator[bytes]:
        assert process.stdout is not None
        try:
            while chunk := await process.stdout.read(65536):
                yield chunk
            await process.wait()
        finally:
            feeding.cancel()
            if process.returncode is None:
                process.kill()
                await process.wait()

    if service == "git-receive-pack":
        # The answer of a push is short. It is given when the site knows what was pushed.
        content = b"".join([chunk async for chunk in answer()])
        await run_in_threadpool(_after_push, site, admitted.project_id)
        return Response(content, status, headers)
    return StreamingResponse(answer(), status, headers)
