"""The desk's API: spaces, launches and git credentials.

The hub authenticates with its own token. Learners' servers authenticate with their server tokens
and may only request git credentials here, and checks (:mod:`atelier.desk.notebook_checks`).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from atelier.config.live import Courses
from atelier.desk.credentials import CredentialService, HubUnavailableError, TooOftenError
from atelier.desk.db.answers import AnswerRepository
from atelier.desk.db.grades import GradeQueue
from atelier.desk.db.spaces import Request
from atelier.desk.errors import RefusedError, retry_after
from atelier.desk.launch_message import LaunchMessage, read_launch
from atelier.desk.server_requests import ServerRequests, json_fields, json_object, token_of
from atelier.desk.spaces import Preparer
from atelier.gitlab.client import GitLabClient
from atelier.gitlab.errors import GitLabRateLimitedError, GitLabUnavailableError, SpaceError
from atelier.identity import is_username

MAX_LAUNCHES_BYTES = 16 * 1024 * 1024
MAX_WAIT_SECONDS = 60.0


def _wait(request: HttpRequest) -> float:
    try:
        wait = float(request.query_params.get("wait", "0"))
    except ValueError:
        raise RefusedError(400, "wait: a number of seconds is needed") from None
    return min(max(wait, 0.0), MAX_WAIT_SECONDS) if wait == wait else 0.0


class Api:
    """Handlers of the API.

    Args:
        hub_token: the token with which the hub authenticates.
        courses: the site's courses.
        gitlab_client: reports whether GitLab can be reached.
        spaces: prepares spaces.
        credentials: issues and revokes git credentials.
        server_requests: decides which learner's server sends a request.
        answers: stores launches.
        grades: the queue of grades.
    """

    def __init__(
        self,
        hub_token: str,
        courses: Courses,
        gitlab_client: GitLabClient,
        spaces: Preparer,
        credentials: CredentialService,
        server_requests: ServerRequests,
        answers: AnswerRepository,
        grades: GradeQueue,
    ) -> None:
        self._hub_token = hub_token
        self._courses = courses
        self._gitlab_client = gitlab_client
        self._spaces = spaces
        self._credentials = credentials
        self._server_requests = server_requests
        self._answers = answers
        self._grades = grades

    def routes(self) -> list[Route]:
        """Return the routes below ``/api``."""
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/spaces", self.space, methods=["POST"]),
            Route("/launches", self.launches, methods=["POST"]),
            Route("/git-credential", self.git_credential, methods=["POST"]),
            Route("/credentials", self.revoke_credential, methods=["DELETE"]),
        ]

    def require_hub(self, request: HttpRequest) -> None:
        """Check that the request has the hub's token.

        Raises:
            RefusedError: it has no token or another one.
        """
        if not hmac.compare_digest(token_of(request).encode(), self._hub_token.encode()):
            raise RefusedError(403, "this is for the hub")

    async def health(self, request: HttpRequest) -> Response:
        """Report that the desk is up, and whether GitLab can be reached."""
        del request
        return JSONResponse({"status": "ok", "gitlab": self._gitlab_client.reachable()})

    async def space(self, request: HttpRequest) -> Response:
        """Start to prepare a space if necessary, and return its state."""
        self.require_hub(request)
        data = await json_fields(request, "username", "name", "email", "course")
        if not is_username(data["username"]):
            raise RefusedError(400, "username: not one of ours")
        if self._courses.get(data["course"]) is None:
            raise RefusedError(404, "course: there is no such course")
        asked = Request(data["username"], data["course"], data["name"], data["email"])
        answer = await self._spaces.ask(asked, _wait(request))
        shown = {name: value for name, value in asdict(answer).items() if value}
        status = {"ready": 200, "preparing": 202, "unavailable": 503}[answer.state]
        return JSONResponse(shown, status)

    async def launches(self, request: HttpRequest) -> Response:
        """Record launches: learner, course, role, and the address for the grade.

        Start to prepare the spaces of new learners. Valid launches are recorded even if others are
        invalid; the answer is then the error of the first invalid one.
        """
        self.require_hub(request)
        data = await json_object(request, MAX_LAUNCHES_BYTES)
        listed = data.get("launches")
        if not isinstance(listed, list):
            raise RefusedError(400, "launches: a list is needed")
        read, wrong = [], None
        for one in listed:
            try:
                read.append(read_launch(one))
            except RefusedError as refused:
                wrong = wrong or refused
        await asyncio.to_thread(self._note, read)
        for launch in read:
            if launch.prepare and self._courses.get(launch.arrival.course) is not None:
                await self._spaces.ask(launch.space, 0)
        if wrong is not None:
            raise wrong
        return Response(status_code=204)

    def _note(self, launches: list[LaunchMessage]) -> None:
        """Record launches and make the grades that waited for them due. Blocks."""
        changed = self._answers.record_launches(
            [(one.arrival, one.name, one.staff) for one in launches]
        )
        for one, address_changed in zip(launches, changed, strict=True):
            if one.arrival.exercise:
                key = (one.arrival.username, one.arrival.course, one.arrival.exercise)
                self._grades.wake(*key, address_changed=address_changed)

    async def git_credential(self, request: HttpRequest) -> Response:
        """Issue a git credential for the learner's projects to the learner's server.

        Only direct requests are accepted: a credential that somebody got with a copied token would
        outlive the server. The query's `wait` is the maximum time to wait for a space that is
        being prepared, seconds.
        """
        servers = self._server_requests
        token = servers.begin(request)
        data = await json_fields(request, "course")
        since = self._credentials.logical_time()
        username = await servers.owner(token, data["course"])
        await servers.check_source_address(request, username, data["course"], token)
        if await self._spaces.wait_for_attempt(username, data["course"], _wait(request)):
            since = self._credentials.logical_time()
            # The server may have stopped during the wait.
            await servers.owner(token, data["course"])
        credential = await self._credentials.get(
            username, data["course"], fresh=data.get("fresh") is True, since=since, token=token
        )
        return JSONResponse(
            {
                "username": credential.username,
                "password": credential.password,
                "expires_at": credential.expires_at.isoformat().replace("+00:00", "Z"),
            },
            headers={"Cache-Control": "no-store"},
        )

    async def revoke_credential(self, request: HttpRequest) -> Response:
        """Revoke a server's git credential."""
        self.require_hub(request)
        data = await json_fields(request, "username", "course")
        if not is_username(data["username"]):
            raise RefusedError(400, "username: not one of ours")
        await self._credentials.revoke_credential(data["username"], data["course"])
        return Response(status_code=204)


async def _refused(request: HttpRequest, error: RefusedError) -> Response:
    del request
    return JSONResponse({"reason": error.reason}, error.status)


async def _too_often(request: HttpRequest, error: TooOftenError) -> Response:
    del request
    return JSONResponse({"reason": str(error)}, 429, {"Retry-After": str(error.seconds)})


async def _gitlab_refuses(request: HttpRequest, error: Exception) -> Response:
    del request
    return JSONResponse({"state": "unavailable", "reason": str(error)}, 409)


async def _gitlab_unavailable(request: HttpRequest, error: GitLabUnavailableError) -> Response:
    del request
    body = {"state": "unavailable", "reason": str(error)}
    return JSONResponse(body, 503, retry_after(error))


async def _gitlab_rate_limited(request: HttpRequest, error: GitLabRateLimitedError) -> Response:
    del request
    return JSONResponse({"state": "busy", "reason": str(error)}, 429, retry_after(error))


async def _hub_unavailable(request: HttpRequest, error: Exception) -> Response:
    del request
    reason = f"the hub does not answer ({error})"
    return JSONResponse({"state": "unavailable", "reason": reason}, 503)


EXCEPTION_HANDLERS: dict[Any, Callable[[HttpRequest, Any], Awaitable[Response]]] = {
    RefusedError: _refused,
    TooOftenError: _too_often,
    SpaceError: _gitlab_refuses,
    GitLabRateLimitedError: _gitlab_rate_limited,
    GitLabUnavailableError: _gitlab_unavailable,
    HubUnavailableError: _hub_unavailable,
}
"""The API's answer to each error: a status and one reason."""
