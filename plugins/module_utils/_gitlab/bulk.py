# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Runs a function for each of many learners in threads; a failure concerns one learner only."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from .calls import Calls, StoppedError
from .errors import GitLabUnavailableError

Item = TypeVar("Item")

WRITE_EVERY = 0.5
UNWATCHED_AFTER = 180.0


class UnwatchedError(Exception):
    """The playbook that started this run has stopped."""


class Progress:
    """Progress of a run, written to a small file that the controller reads.

    Args:
        folder: directory for the file ``progress``, created if missing. The reader touches the file
            ``watched`` there. ``None``: progress is not written.
        clock: monotonic clock, seconds.
    """

    def __init__(self, folder: str | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = Path(folder) if folder else None
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        self._keeper = os.getppid()
        self._clock = clock
        self._lock = threading.Lock()
        self._written = float("-inf")
        self._started = clock()
        self._state: dict[str, Any] = {}
        self.note: Callable[[], str] = lambda: ""

    def begin(self, what: str, total: int | None = None) -> None:
        """Begin a new phase with ``total`` items, or an unknown number."""
        with self._lock:
            self._started = self._clock()
            self._state = {"what": what, "done": 0, "failed": 0, "total": total}
            self._write(now=True)

    def step(self, done: int = 1, failed: int = 0) -> None:
        """Record finished items."""
        with self._lock:
            self._state["done"] = self._state.get("done", 0) + done
            self._state["failed"] = self._state.get("failed", 0) + failed
            self._write()

    def heartbeat(self) -> None:
        """Write the progress again as a heartbeat for the reader.

        Raises:
            UnwatchedError: the reader has not read for more than ``UNWATCHED_AFTER`` seconds or has
                removed the folder, or the keeper process (``_run.background``) was killed.
        """
        with self._lock:
            self._write()
        if self._folder is not None:
            if os.getppid() != self._keeper or not self._folder.is_dir():
                raise UnwatchedError
            try:
                age = time.time() - (self._folder / "watched").stat().st_mtime
            except OSError:
                return
            if age > UNWATCHED_AFTER:
                raise UnwatchedError

    def _write(self, now: bool = False) -> None:
        if self._folder is None or (not now and self._clock() - self._written < WRITE_EVERY):
            return
        self._written = self._clock()
        state = {**self._state, "seconds": round(self._clock() - self._started, 1)}
        note = self.note()
        if note:
            state["note"] = note
        new = self._folder / "progress.new"
        # An error here must not stop the work.
        with contextlib.suppress(OSError):
            new.write_text(json.dumps(state), encoding="utf-8")
            new.replace(self._folder / "progress")


@dataclass
class Outcome:
    """The outcome of a run over many learners."""

    failed: dict[str, str] = field(default_factory=dict)
    """Reason of each failure, by learner."""
    untried: list[str] = field(default_factory=list)
    """Learners who were not processed because the run stopped early."""
    stopped: Exception | None = None
    """The error that stopped the run."""


class Run(Generic[Item]):
    """Calls ``work`` for each item, in ``workers`` threads.

    A :class:`~_calls.LearnerError` or an error answer concerns one learner. The run stops on errors
    for which ``fatal`` is true, such as a refused token, and when GitLab fails for so many learners
    in a row that it must be down.
    """

    def __init__(
        self,
        calls: Calls,
        progress: Progress,
        *,
        workers: int,
        name: Callable[[Item], str],
        work: Callable[[Item], None],
        explain: Callable[[Exception], str],
        fatal: Callable[[Exception], bool],
    ) -> None:
        self._calls = calls
        self._progress = progress
        self._workers = workers
        self._name = name
        self._work = work
        self._explain = explain
        self._fatal = fatal
        self._lock = threading.Lock()
        self._streak = 0
        self._outcome = Outcome()

    def over(self, items: Iterable[Item]) -> Outcome:
        """Process all items; return when all threads have ended."""
        queue = iter(items)
        threads = [
            threading.Thread(target=self._work_through, args=(queue,), name=f"learners-{number}")
            for number in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(timeout=0.5 / len(threads))
                self._progress.heartbeat()
        except BaseException as error:
            # Also on Ctrl-C: let each thread finish its present request, then exit.
            self._calls.stop.set()
            for thread in threads:
                thread.join()
            if not isinstance(error, UnwatchedError):
                raise
            self._outcome.stopped = self._outcome.stopped or error
        if self._outcome.stopped is not None:
            self._outcome.untried += [self._name(item) for item in queue]
        return self._outcome

    def _next(self, queue: Any) -> tuple[bool, Any]:
        with self._lock:
            if self._calls.stop.is_set():
                return False, None
            try:
                return True, next(queue)
            except StopIteration:
                return False, None

    def _work_through(self, queue: Any) -> None:
        while True:
            more, item = self._next(queue)
            if not more:
                return
            try:
                self._work(item)
            except StoppedError:
                with self._lock:
                    self._outcome.untried.append(self._name(item))
            except Exception as error:
                self._failed(item, error)
            else:
                with self._lock:
                    self._streak = 0
                self._progress.step()

    def _failed(self, item: Any, error: Exception) -> None:
        with self._lock:
            self._outcome.failed[self._name(item)] = self._explain(error)
            self._streak = self._streak + 1 if isinstance(error, GitLabUnavailableError) else 0
            if self._fatal(error) or self._streak > self._workers:
                self._outcome.stopped = self._outcome.stopped or error
                self._calls.stop.set()
        self._progress.step(failed=1)
