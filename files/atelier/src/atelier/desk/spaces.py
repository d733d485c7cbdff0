"""Prepares spaces: one attempt at a time for each, retried, and resumed after a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from atelier.config.live import Courses
from atelier.config.models import Settings
from atelier.desk.db.spaces import Record, Request, SpaceRepository
from atelier.gitlab.client import GitLabClient
from atelier.gitlab.errors import GitLabRateLimitedError, GitLabUnavailableError, SpaceError
from atelier.gitlab.spaces import Learner, Space

log = logging.getLogger(__name__)

CHECK_AFTER_SECONDS = 600
"""Age after which a request for a ready space also checks it in GitLab, in the background."""
RETRY_FIRST_SECONDS = 5.0
RETRY_LONGEST_SECONDS = 300.0
Key = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """The desk's answer to a request for a space."""

    state: Literal["ready", "preparing", "unavailable"]
    step: str = ""
    project: str = ""
    url: str = ""
    branch: str = ""
    reason: str = ""


class _StopError(Exception):
    """The desk is stopping: running attempts are resumed at the next start."""


@dataclass
class _Failure:
    at: float
    pause: float
    answer: Answer


WAITING_FOR_GITLAB = Answer("preparing", step="busy", reason="GitLab takes no more requests (429)")
"""GitLab answers but asks for a pause; the space is prepared afterwards."""


class Preparer:
    """Prepares spaces in a bounded pool of threads.

    Args:
        settings: the site's settings.
        store: the spaces in the database.
        gitlab_client: client of GitLab.
        courses: the current courses.
    """

    def __init__(
        self,
        settings: Settings,
        store: SpaceRepository,
        gitlab_client: GitLabClient,
        courses: Courses,
    ) -> None:
        self._site = settings.site
        self._store = store
        self._gitlab_client = gitlab_client
        self._courses = courses
        self._pool = ThreadPoolExecutor(settings.desk.workers, thread_name_prefix="space")
        self._tasks: dict[Key, asyncio.Task[Answer]] = {}
        self._steps: dict[Key, str] = {}
        self._failures: dict[Key, _Failure] = {}
        self._stopping = False

    async def ask(self, request: Request, wait: float) -> Answer:
        """Start to prepare a space unless it is ready, and return its state.

        Args:
            request: the learner and the course.
            wait: maximum time to wait for the space, seconds.
        """
        key = (request.username, request.course)
        record = await asyncio.to_thread(self._store.find, *key)
        if record is not None and record.ready:
            old = time.time() - record.checked > CHECK_AFTER_SECONDS
            if old and self._due(key, time.monotonic()) and self._gitlab_client.may_be_asked():
                self._attempt(record.request)
            return _ready(record)
        if record is None or record.request != request:
            await asyncio.to_thread(self._store.ask, request)
        failure = self._failures.get(key)
        if key not in self._tasks:
            if not self._gitlab_client.reachable():
                return Answer("unavailable", reason="GitLab does not answer")
            if self._gitlab_client.paused_for():
                return WAITING_FOR_GITLAB
            if failure is not None and time.monotonic() < failure.at + RETRY_FIRST_SECONDS:
                return failure.answer
        task = self._attempt(request)
        if wait > 0:
            await asyncio.wait([task], timeout=wait)
        if task.done() and not task.cancelled():
            return task.result()
        return Answer("preparing", step=self._steps.get(key, "queued"))

    async def wait_for_attempt(self, username: str, course: str, wait: float) -> bool:
        """Wait for the running attempt for a space, at most `wait` seconds.

        Returns:
            Whether there was an attempt to wait for.
        """
        task = self._tasks.get((username, course))
        if task is None or wait <= 0:
            return False
        await asyncio.wait([task], timeout=wait)
        return True

    def _attempt(self, request: Request) -> asyncio.Task[Answer]:
        """Return the running attempt for a space; start one if there is none."""
        key = (request.username, request.course)
        task = self._tasks.get(key)
        if task is None:
            self._steps[key] = "queued"
            task = asyncio.create_task(self._run(request))
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._forget(key))
        return task

    def _forget(self, key: Key) -> None:
        self._tasks.pop(key, None)
        self._steps.pop(key, None)

    async def _run(self, request: Request) -> Answer:
        key = (request.username, request.course)
        began = time.monotonic()
        try:
            space = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._prepare, request
            )
        except _StopError:
            return Answer("unavailable", reason="the desk is stopping")
        except GitLabRateLimitedError as error:
            return await self._failed(request, str(error), WAITING_FOR_GITLAB, error.seconds)
        except (SpaceError, GitLabUnavailableError) as error:
            return await self._failed(request, str(error))
        except Exception as error:
            log.exception("space user=%s course=%s: unforeseen", *key)
            return await self._failed(request, f"unforeseen: {type(error).__name__}")
        self._failures.pop(key, None)
        await asyncio.to_thread(
            self._store.succeed,
            request,
            project=space.project,
            url=space.url,
            branch=space.branch,
        )
        log.info("space user=%s course=%s ready seconds=%.1f", *key, time.monotonic() - began)
        return Answer("ready", project=space.project, url=space.url, branch=space.branch)

    async def _failed(
        self, request: Request, reason: str, answer: Answer | None = None, pause: float = 0.0
    ) -> Answer:
        """Record a failed attempt and the time of the next one.

        Args:
            request: the learner and the course.
            reason: why the attempt failed, for the log.
            answer: answer to requests until the next attempt; by default ``unavailable``.
            pause: pause that GitLab asked for, seconds; 0: one that grows with each failure.
        """
        key = (request.username, request.course)
        former = self._failures.get(key)
        answer = answer or Answer("unavailable", reason=reason)
        if not pause:
            pause = min(former.pause * 2, RETRY_LONGEST_SECONDS) if former else RETRY_FIRST_SECONDS
        self._failures[key] = _Failure(time.monotonic(), pause, answer)
        log.warning("space user=%s course=%s failed: %s; again in %.0f s", *key, reason, pause)
        await asyncio.to_thread(self._store.fail, request, reason)
        return answer

    def _prepare(self, request: Request) -> Space:
        """Prepare the space. Blocks: runs in a thread of the pool."""
        key = (request.username, request.course)

        def on_step(step: str) -> None:
            if self._stopping:
                raise _StopError
            self._steps[key] = step

        course = self._courses.get(request.course)
        if course is None:
            raise SpaceError(f"there is no course {request.course}")
        learner = Learner(
            username=request.username,
            name=request.name,
            email=request.email,
            fallback_email=self._site.noreply_email(request.username),
        )
        return self._gitlab_client.prepare(learner, course.template, course.slug, on_step)

    async def retry(self) -> None:
        """Retry the spaces that are due: wait for the first, then start the others together.

        Stop as soon as GitLab must not be asked: the first attempt shows whether it answers.
        """
        now = time.monotonic()
        due = [
            record.request
            for record in await asyncio.to_thread(self._store.pending)
            if self._due((record.request.username, record.request.course), now)
        ]
        for number, request in enumerate(due):
            if not self._gitlab_client.may_be_asked():
                return
            task = self._attempt(request)
            if number == 0:
                await asyncio.wait([task])

    def _due(self, key: Key, now: float) -> bool:
        failure = self._failures.get(key)
        return key not in self._tasks and (failure is None or now >= failure.at + failure.pause)

    def clear_pauses(self) -> None:
        """Forget the pauses, so that attempts that failed while GitLab was down are due now."""
        self._failures.clear()

    async def close(self) -> None:
        """Stop; the database still lists the unfinished spaces as pending."""
        self._stopping = True
        for task in list(self._tasks.values()):
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _ready(record: Record) -> Answer:
    return Answer("ready", project=record.project, url=record.url, branch=record.branch)
