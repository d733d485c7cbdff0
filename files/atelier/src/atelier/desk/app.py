"""The desk's web application: its API, its pages, and the loop that retries."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from atelier.admission import Admission
from atelier.bounded import foreign_address
from atelier.desk.access import AccessOffice
from atelier.desk.answers import AnswerBook
from atelier.desk.check.runner import Checker
from atelier.desk.checks import CheckOffice
from atelier.desk.credentials import (
    LOOK_AFTER_SECONDS,
    CredentialOffice,
    HubUnavailable,
    ServerTokens,
    TooOftenError,
)
from atelier.desk.entry import Entry
from atelier.desk.forge import Forge
from atelier.desk.grades.queue import GradeQueue
from atelier.desk.grades.sender import GradeSender
from atelier.desk.launched import Launched, need_texts, read_launch
from atelier.desk.pages.access import AccessPages
from atelier.desk.pages.exercises import ExercisePages
from atelier.desk.pages.look import Look, static
from atelier.desk.pages.signin import SignIn
from atelier.desk.pages.teacher import TeacherPages
from atelier.desk.refused import Refused
from atelier.desk.shelf import Shelf
from atelier.desk.spaces import Preparer
from atelier.desk.store import Request, Store
from atelier.deskclient import service_prefix
from atelier.identity import is_username
from atelier.joined import Joined
from atelier.live import Courses, Credentials, LiveConsumers, LiveRegistrations
from atelier.outside import outside
from atelier.platform_services import PlatformTokens
from atelier.settings import Settings
from atelier.spaces import GitLabUnavailable, SpaceError
from atelier.toolkeys import tool_keys

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 16 * 1024
MAX_LAUNCHES_BYTES = 16 * 1024 * 1024
MAX_WAIT_SECONDS = 60.0
RETRY_EVERY_SECONDS = 2.0
THREADS = 64


def _token(request: HttpRequest) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() not in ("token", "bearer") or not token.strip():
        raise Refused(401, "a token is needed")
    return token.strip()


async def _object(request: HttpRequest, most: int) -> dict[str, Any]:
    """The request's JSON object, of so many bytes at most."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Refused(413, "too large")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):  # the latter: too many brackets
        raise Refused(400, "not JSON") from None
    if not isinstance(data, dict):
        raise Refused(400, "not an object")
    return data


async def _fields(request: HttpRequest, *names: str) -> dict[str, Any]:
    """The request's JSON object; the fields named must be strings that are not empty."""
    data = await _object(request, MAX_BODY_BYTES)
    need_texts(data, *names)
    return data


def _wait(request: HttpRequest) -> float:
    try:
        wait = float(request.query_params.get("wait", "0"))
    except ValueError:
        raise Refused(400, "wait: a number of seconds is needed") from None
    return min(max(wait, 0.0), MAX_WAIT_SECONDS) if wait == wait else 0.0


class Desk:
    """The desk's parts and the handlers of its API.

    Args:
        settings: the site's settings.
        credentials: ``desk_api_token`` must be there; ``gitlab_admin_token`` may come later.
    """

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        self._hub_token = credentials.get("desk_api_token")
        self._courses = Courses(settings.paths.courses)
        self._store = Store(settings.desk.state_dir)
        self._forge = Forge(settings, credentials)
        self._spaces = Preparer(settings, self._store, self._forge, self._courses)
        self._office = CredentialOffice(self._forge, self._store)
        self._servers = ServerTokens(settings)
        self._book = AnswerBook(self._store.engine)
        consumers = LiveConsumers(settings.paths.consumers)
        joined = Joined(settings.paths.joined).file
        registrations = LiveRegistrations(settings.paths.registrations, joined)
        self._entry = Entry(
            settings, self._book, Admission(consumers, registrations, self._courses)
        )
        self.look = Look(settings, SignIn(settings, self._hub_token), self._entry)
        self.access = AccessPages(
            settings, self._store, self._courses, AccessOffice(settings, self._forge), self.look
        )
        self._grades = GradeQueue(self._store.engine)
        self.checker = Checker()
        self._checks = CheckOffice(
            self._courses,
            self._store,
            self._book,
            Shelf(self._forge),
            self._grades,
            self.checker,
        )
        platforms = outside(settings, credentials)
        self._sender = GradeSender(
            self._grades,
            self._book,
            consumers,
            registrations,
            platforms,
            PlatformTokens(platforms, tool_keys(credentials)),
        )
        self.exercises = ExercisePages(settings, self._checks, self.look)
        self.teacher = TeacherPages(settings, self._checks, self._grades, self.look)

    def require_hub(self, request: HttpRequest) -> None:
        """Only the hub may ask.

        Raises:
            Refused: it is somebody else.
        """
        if not hmac.compare_digest(_token(request).encode(), self._hub_token.encode()):
            raise Refused(403, "this is for the hub")

    async def health(self, request: HttpRequest) -> Response:
        """Whether the desk is up; GitLab's state is told beside it."""
        del request
        return JSONResponse({"status": "ok", "gitlab": self._forge.reachable()})

    async def space(self, request: HttpRequest) -> Response:
        """Have a space prepared, and say how far it is."""
        self.require_hub(request)
        data = await _fields(request, "username", "name", "email", "course")
        if not is_username(data["username"]):
            raise Refused(400, "username: not one of ours")
        if self._courses.get(data["course"]) is None:
            raise Refused(404, "course: there is no such course")
        asked = Request(data["username"], data["course"], data["name"], data["email"])
        answer = await self._spaces.ask(asked, _wait(request))
        shown = {name: value for name, value in asdict(answer).items() if value}
        status = {"ready": 200, "preparing": 202, "unavailable": 503}[answer.state]
        return JSONResponse(shown, status)

    async def launches(self, request: HttpRequest) -> Response:
        """Note who launched what, in which role, and where the platform takes the grade.

        Spaces of newcomers are begun. What is wrong with one launch does not hinder the others.
        """
        self.require_hub(request)
        data = await _object(request, MAX_LAUNCHES_BYTES)
        listed = data.get("launches")
        if not isinstance(listed, list):
            raise Refused(400, "launches: a list is needed")
        read, wrong = [], None
        for one in listed:
            try:
                read.append(read_launch(one))
            except Refused as refused:
                wrong = wrong or refused
        await asyncio.to_thread(self._note, read)
        for launch in read:
            if launch.prepare and self._courses.get(launch.arrival.course) is not None:
                await self._spaces.ask(launch.space, 0)
        if wrong is not None:
            raise wrong
        return Response(status_code=204)

    def _note(self, launches: list[Launched]) -> None:
        """Record launches; grades that waited for one are due. In a thread."""
        anew = self._book.arrive([(one.arrival, one.name, one.staff) for one in launches])
        for one, elsewhere in zip(launches, anew, strict=True):
            if one.arrival.exercise:
                whose = (one.arrival.username, one.arrival.course, one.arrival.exercise)
                self._grades.wake(*whose, anew=elsewhere)

    async def git_credential(self, request: HttpRequest) -> Response:
        """Give a learner's server what git needs to reach that learner's projects.

        Servers ask directly. The hub's proxy, which names whom it speaks for, is everybody's way
        in: a server's token may be carried elsewhere, and what it got there would outlive the
        server. `wait` is for a space in the making, seconds.
        """
        if "x-forwarded-for" in request.headers:
            raise Refused(403, "this is for learners' servers, which ask directly")
        token = _token(request)
        self._office.let_in(foreign_address(request.client, request.scope.get("server")))
        data = await _fields(request, "course")
        since = self._office.moment()
        username = await self._owner(token, data["course"])
        await self._at_its_seat(request, username, data["course"], token)
        if await self._spaces.settled(username, data["course"], _wait(request)):
            since = self._office.moment()
            await self._owner(token, data["course"])  # the server may have stopped meanwhile
        credential = await self._office.get(
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

    async def _at_its_seat(
        self, request: HttpRequest, username: str, course: str, token: str
    ) -> None:
        """Only the container of that server may ask, while it runs: the hub says where that is.

        Raises:
            Refused: it is another one.
            HubUnavailable: nobody could be asked.
        """
        address = request.client.host if request.client else ""
        seat = await self._servers.seat(token, course)
        if seat is None:
            raise Refused(403, "this token is that of a server that has stopped")
        if seat != address:
            log.warning("credential user=%s course=%s asked for by %s", username, course, address)
            raise Refused(403, "this token is that of a server elsewhere")

    async def _owner(self, token: str, course: str) -> str:
        username = await self._servers.owner(token, course)
        if username is None:
            raise Refused(403, "this token is not that of a learner's server for this course")
        await self._entry.admit(username, course)
        return username

    async def take_back(self, request: HttpRequest) -> Response:
        """Revoke what a server was given."""
        self.require_hub(request)
        data = await _fields(request, "username", "course")
        if not is_username(data["username"]):
            raise Refused(400, "username: not one of ours")
        await self._office.take_back(data["username"], data["course"])
        return Response(status_code=204)

    async def watch(self) -> None:
        """For ever: retry what is pending, at once when GitLab is back."""
        await self._office.begin()
        was_reachable = True
        looked = time.monotonic()
        while True:
            reachable = self._forge.reachable()
            if reachable and not was_reachable:
                await self._probe()
            was_reachable = reachable
            try:
                await self._spaces.retry()
                await self._office.retry()
                if time.monotonic() - looked > LOOK_AFTER_SECONDS:
                    looked = time.monotonic()
                    await self._office.look_after(self._servers.owner)
            except Exception:
                log.exception("retrying failed")
            await asyncio.sleep(RETRY_EVERY_SECONDS)

    async def recheck(self) -> None:
        """For ever: compare again what teachers ask for; it may take long, others do not wait."""
        while True:
            try:
                await self._checks.retry()
            except Exception:
                log.exception("checking again failed")
            await asyncio.sleep(RETRY_EVERY_SECONDS)

    async def deliver(self) -> None:
        """For ever: send grades that are due."""
        while True:
            try:
                await self._sender.send_due()
            except Exception:
                log.exception("sending grades failed")
            await asyncio.sleep(RETRY_EVERY_SECONDS)

    async def _probe(self) -> None:
        if await asyncio.to_thread(self._forge.answers):
            self._spaces.gitlab_is_back()

    async def close(self) -> None:
        """Stop."""
        await self._spaces.close()
        await self._servers.close()
        await self.checker.close()
        self._store.close()


Handler = Callable[[HttpRequest], Awaitable[Response]]


def _answering(handler: Handler) -> Handler:
    """Turn what a handler raises into an answer: a status and one clear reason."""

    async def answer(request: HttpRequest) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            return JSONResponse({"reason": refused.reason}, refused.status)
        except TooOftenError as error:
            headers = {"Retry-After": str(error.seconds)}
            return JSONResponse({"reason": str(error)}, 429, headers)
        except SpaceError as error:
            return JSONResponse({"state": "unavailable", "reason": str(error)}, 409)
        except GitLabUnavailable as error:
            return JSONResponse({"state": "unavailable", "reason": str(error)}, 503)
        except HubUnavailable as error:
            reason = f"the hub does not answer ({error})"
            return JSONResponse({"state": "unavailable", "reason": reason}, 503)

    return answer


def make_app(settings: Settings, credentials: Credentials) -> Starlette:
    """The desk, ready to be served.

    Raises:
        SettingsError: the hub's token was not handed over.
    """
    desk = Desk(settings, credentials)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        # Calls that wait for GitLab must not keep the others from their thread.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        await desk.checker.start()
        loops = [asyncio.create_task(loop()) for loop in (desk.watch, desk.recheck, desk.deliver)]
        yield
        for task in loops:
            task.cancel()
        await desk.close()

    api = [
        Route("/health", desk.health, methods=["GET"]),
        Route("/spaces", _answering(desk.space), methods=["POST"]),
        Route("/launches", _answering(desk.launches), methods=["POST"]),
        Route("/git-credential", _answering(desk.git_credential), methods=["POST"]),
        Route("/credentials", _answering(desk.take_back), methods=["DELETE"]),
    ]
    pages = [
        Mount("/api", routes=api),
        Route("/static/{name}", static, methods=["GET"]),
        Route("/oauth_callback", desk.look.arriving, methods=["GET"]),
        *desk.access.routes(),
        *desk.exercises.routes(),
        *desk.teacher.routes(),
    ]
    return Starlette(routes=[Mount(service_prefix(settings), routes=pages)], lifespan=lifespan)
