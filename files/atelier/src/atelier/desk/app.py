"""The desk's web application: its parts, its routes, and its background jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from atelier.config.admission import Admission
from atelier.config.credentials import Credentials
from atelier.config.invitations import Invitations
from atelier.config.live import Courses, LiveConsumers, LiveRegistrations
from atelier.config.models import Settings
from atelier.desk.access import AccessService
from atelier.desk.api import EXCEPTION_HANDLERS, Api
from atelier.desk.checks import CheckService
from atelier.desk.credentials import CredentialService, ServerTokens
from atelier.desk.db.answers import AnswerRepository
from atelier.desk.db.database import database_file, open_database
from atelier.desk.db.grades import GradeQueue
from atelier.desk.db.spaces import SpaceRepository
from atelier.desk.entry import Entry
from atelier.desk.grade_sender import GradeSender
from atelier.desk.jobs import Jobs
from atelier.desk.notebook_checks import NotebookChecks
from atelier.desk.pages.access import AccessPages
from atelier.desk.pages.exercises import ExercisePages
from atelier.desk.pages.render import PageRenderer
from atelier.desk.pages.signin import SignIn
from atelier.desk.pages.teacher import TeacherPages
from atelier.desk.server_requests import ServerRequests
from atelier.desk.spaces import Preparer
from atelier.exercises.runner import Checker
from atelier.gitlab.client import GitLabClient
from atelier.gitlab.files import RepositoryFiles
from atelier.lti.access_tokens import PlatformTokens
from atelier.lti.http import platform_client
from atelier.lti.tool_keys import tool_keys
from atelier.messages import service_prefix
from atelier.sandbox.client import RunnerClient
from atelier.web.static_files import CachedStaticFiles

THREADS = 64
"""Size of the thread pool; large enough that calls waiting for GitLab do not block the others."""


class Desk:
    """The desk's parts, connected.

    Args:
        settings: the site's settings.
        credentials: must contain ``desk_api_token``; ``gitlab_admin_token`` may be added later.
    """

    def __init__(self, settings: Settings, credentials: Credentials) -> None:
        hub_token = credentials.get("desk_api_token")
        courses = Courses(settings.paths.courses)
        consumers = LiveConsumers(settings.paths.consumers)
        registrations = LiveRegistrations(
            settings.paths.registrations, Invitations(settings.paths.joined).file
        )
        self._database = open_database(database_file(settings.desk.state_dir))
        store = SpaceRepository(self._database)
        answers = AnswerRepository(self._database)
        grades = GradeQueue(self._database)
        gitlab_client = GitLabClient(settings, credentials)
        self._spaces = Preparer(settings, store, gitlab_client, courses)
        git_credentials = CredentialService(gitlab_client, store)
        self._servers = ServerTokens(settings)
        self._checker = Checker()
        files = RepositoryFiles(gitlab_client)
        socket = settings.runner.socket
        runner = RunnerClient(socket) if socket is not None else None
        checks = CheckService(courses, store, answers, files, grades, self._checker, runner)
        entry = Entry(settings, answers, Admission(consumers, registrations, courses))
        server_requests = ServerRequests(self._servers, entry, git_credentials.check_rate)
        platforms = platform_client(settings, credentials)
        tokens = PlatformTokens(platforms, tool_keys(credentials))
        sender = GradeSender(grades, answers, consumers, registrations, platforms, tokens)
        self.api = Api(
            hub_token,
            courses,
            gitlab_client,
            self._spaces,
            git_credentials,
            server_requests,
            answers,
            grades,
        )
        self.notebook_checks = NotebookChecks(
            server_requests, checks, grades, service_prefix(settings)
        )
        self.jobs = Jobs(
            gitlab_client, self._spaces, git_credentials, self._servers, checks, sender
        )
        self.renderer = PageRenderer(settings, SignIn(settings, hub_token), entry)
        accounts = AccessService(settings, gitlab_client)
        self.pages = (
            AccessPages(settings, store, courses, accounts, self.renderer),
            ExercisePages(settings, checks, self.renderer),
            TeacherPages(settings, checks, grades, self.renderer),
        )

    async def start(self) -> None:
        """Start the thread pool and the checker."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        await self._checker.start()

    async def close(self) -> None:
        """Stop all parts and close the database."""
        await self._spaces.close()
        await self._servers.close()
        await self._checker.close()
        self._database.dispose()


def make_app(settings: Settings, credentials: Credentials) -> Starlette:
    """Return the desk's ASGI application.

    Raises:
        SettingsError: the credential ``desk_api_token`` is missing.
    """
    desk = Desk(settings, credentials)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        await desk.start()
        jobs = [asyncio.ensure_future(job()) for job in desk.jobs.all()]
        yield
        for job in jobs:
            job.cancel()
        await desk.close()

    routes = [
        Mount("/api", routes=[*desk.api.routes(), *desk.notebook_checks.routes()]),
        Mount("/static", CachedStaticFiles()),
        Route("/oauth_callback", desk.renderer.arriving, methods=["GET"]),
        *(route for pages in desk.pages for route in pages.routes()),
    ]
    return Starlette(
        routes=[Mount(service_prefix(settings), routes=routes)],
        lifespan=lifespan,
        exception_handlers=EXCEPTION_HANDLERS,
    )
