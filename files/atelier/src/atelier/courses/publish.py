"""The way of a course's commits to its learners: fetched, checked, and only then published.

Each step leaves everything as it was when it fails, and may be repeated. Where the
files are, :mod:`atelier.courses` says.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atelier.courses import declaration, push, rules, source
from atelier.courses.git import GitError, credential_options
from atelier.courses.gitlab_projects import GitLabProjects
from atelier.courses.mirror import BRANCH, CommitFiles, Git, Mirror, Staging
from atelier.courses.settings import CourseSource, Source
from atelier.courses.status import Status, finding_lines
from atelier.exercises.declared import MAX_FILE_BYTES
from atelier.exercises.model import Message, message
from atelier.i18n.translate import DEFAULT, Language, say

STATE = Path("/var/lib/atelier")


class PipelineError(Exception):
    """A step failed; everything is as it was before.

    Attributes:
        message: why, as a key with its fields.
        findings: what is to be mended in the course's repository, as in the status file.
    """

    def __init__(self, why: Message, findings: list[dict[str, Any]] | None = None) -> None:
        super().__init__(say(why["key"], DEFAULT, **why["fields"]))
        self.message = why
        self.findings = findings or []

    def say(self, lang: Language) -> str:
        """The sentence, and a line for each finding."""
        first = say(self.message["key"], lang, **self.message["fields"])
        return "\n".join([first, *finding_lines(self.findings, lang)])


@dataclass(frozen=True)
class Paths:
    """Where a course's files are."""

    state: Path
    slug: str

    @property
    def declaration(self) -> Path:
        """What is published, for the hub."""
        return self.state / "templates" / f"{self.slug}.json"

    @property
    def status(self) -> Path:
        """What is known of the pipeline."""
        return self.state / "pipeline" / f"{self.slug}.json"

    @property
    def lock(self) -> Path:
        """Held by the run that is at work."""
        return self.state / "pipeline" / f"{self.slug}.lock"

    def mirror(self, part: str) -> Path:
        """The live repository of a part."""
        folder = "templates" if part == "template" else "expected"
        return self.state / folder / f"{self.slug}.git"

    def staging(self, part: str) -> Path:
        """Where a part's commits are staged."""
        suffix = "" if part == "template" else ".expected"
        return self.state / "pipeline" / f"{self.slug}{suffix}.git"


@contextmanager
def locked(paths: Paths, wait: float, dry_run: bool = False) -> Iterator[int | None]:
    """Hold a course's lock: one run at a time; yields the open file, which git inherits.

    Args:
        paths: the course's.
        wait: seconds to wait for another run's end.
        dry_run: make no file; without one, no other run can be at work.

    Raises:
        PipelineError: another run is still at work.
    """
    if dry_run and not paths.lock.exists():
        yield None
        return
    paths.lock.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    why = message("publish_locked", slug=paths.slug, seconds=int(wait))
                    raise PipelineError(why) from None
                time.sleep(0.1)
        yield file
    finally:
        os.close(file)


@dataclass
class Part:
    """The template, or the expected answers."""

    name: str
    source: Source
    address: str
    mirror: Mirror
    staging: Staging

    @property
    def origin(self) -> str:
        """Where its commits come from."""
        return str(self.source.repository or self.source.directory)


@dataclass(frozen=True)
class Change:
    """Something that a run changed, or would."""

    what: str
    before: Any
    after: Any


class Pipeline:
    """One run, for one course. The caller holds the lock.

    Args:
        settings: the course's.
        paths: its files.
        lock: see :func:`locked`.
        proxies: variables for sources that are elsewhere.
        dry_run: tell what would change, and leave nothing.
    """

    def __init__(
        self,
        settings: CourseSource,
        paths: Paths,
        *,
        lock: int | None = None,
        proxies: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> None:
        self.settings = settings
        self.paths = paths
        self.dry_run = dry_run
        self.status = Status(paths.status, settings.slug)
        self.changes: list[Change] = []
        self.missing_staff: list[str] = []
        self._open = ExitStack()
        self._git = Git(lock, proxies)
        self._gitlab = GitLabProjects(settings, dry_run)
        self._rules = rules.identity(settings.start_file)

    def __enter__(self) -> Pipeline:
        if not self.dry_run:
            declaration.tidy(self.paths.declaration)
            declaration.tidy(self.paths.status)
        gitlab, slug = self.settings.gitlab, self.settings.slug
        wanted = {"template": (self.settings.template, gitlab.template_project)}
        if self.settings.expected is not None:
            wanted["expected"] = (self.settings.expected, gitlab.expected_project)
        self.parts = [
            self._part(name, origin, gitlab.address(slug, project))
            for name, (origin, project) in wanted.items()
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _part(self, name: str, origin: Source, address: str) -> Part:
        mirror = Mirror(self.paths.mirror(name), self._git)
        staging = Staging(self.paths.staging(name), self._git)
        borrowed = [mirror.objects]
        if self.dry_run:
            staged = staging.commit()
            borrowed.append(staging.objects)
            scratch = self._open.enter_context(tempfile.TemporaryDirectory(prefix="atelier-"))
            staging = Staging(Path(scratch) / "staging.git", self._git)
            staging.open(borrowed)
            if staged is not None and staging.here.has(staged):
                staging.stage(staged)
        else:
            mirror.tidy()
            staging.open(borrowed)
        return Part(name, origin, address, mirror, staging)

    @property
    def template(self) -> Part:
        """What learners get."""
        return self.parts[0]

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """Record what ends a step, and the status after it."""
        try:
            yield
            self.status.done()
        except PipelineError as error:
            self.status.failed(name, error.message)
            raise
        except (GitError, OSError) as error:
            why = _explained(error)
            self.status.failed(name, why)
            raise PipelineError(why) from error
        finally:
            if not self.dry_run:
                self.status.live(self.template.mirror.commit())
                self.status.save()

    def update(self) -> None:
        """All steps.

        Raises:
            PipelineError: a step failed; what learners have is as it was.
        """
        self.pull()
        self.check()
        self.publish()

    def pull(self) -> None:
        """Fetch what the sources have into the staging repositories.

        Raises:
            PipelineError: a source cannot be read, or its history does not go on.
        """
        with self._step("pull"):
            for part in self.parts:
                commit = self._fetch(part)
                part.staging.stage(commit)
                if part is self.template:
                    self.status.fetched(commit, part.origin)

    def _fetch(self, part: Part) -> str:
        staging, live, staged = part.staging, part.mirror.commit(), part.staging.commit()
        if part.source.repository is not None:
            address, branch = part.source.repository, part.source.branch
            tip = source.branch_tip(staging.outside, address, branch)
            if tip in (live, staged) and staging.here.has(tip):
                goes_on = live is None or tip == live or staging.here.is_ancestor(live, tip)
                if goes_on:
                    return tip
            return source.fetch_branch(staging.outside, address, branch, live, part.mirror.path)
        options = self._credentials()

        def newer() -> str | None:
            if part.address in self._gitlab.published():
                return source.newer_tip(staging.here, part.address, BRANCH, live, options)
            return None

        directory = part.source.directory or Path()
        step = source.directory_step(staging.here, directory, live, newer, part.address)
        if step.commit is None and staged is not None and _is_made(part, staged, step):
            return staged
        return step.make(staging.here, source.Author())

    def check(self) -> None:
        """Check the staged commit, unless it has passed before under the same rules.

        Raises:
            PipelineError: it may not be published; the findings say why.
        """
        with self._step("check"):
            commit = self._staged()
            if self.status.has_passed(commit, self._rules):
                self.status.data["refused"] = None
                return
            _course, findings = rules.check_commit(self._files(commit), self.settings.start_file)
            if findings:
                self.status.refused(commit, findings)
                why = message("publish_refused", slug=self.settings.slug, commit=commit[:12])
                raise PipelineError(why, self.status.data["refused"]["findings"])
            self.status.passed(commit, self._rules)

    def publish(self) -> None:
        """Bring the staged commit, which must have passed, to GitLab and to the mirror.

        Raises:
            PipelineError: it has not passed, or GitLab has commits of its own, or is not there.
        """
        self.check()
        with self._step("publish"):
            self._have_projects()
            # Nothing moves before everything may move. Expected answers go first: an exercise's
            # are there when learners see it.
            found = [(part, self._compare(part)) for part in reversed(self.parts)]
            for part, comparison in found:
                self._push(part, comparison)
            for part, _comparison in found:
                self._move(part)
            self._describe()

    def _have_projects(self) -> None:
        done = self._gitlab.keep()
        self.missing_staff = done.missing_staff
        for what, after in done.after.items():
            self.changes.append(Change(what, done.before.get(what), after))

    def _compare(self, part: Part) -> push.Comparison:
        commit = self._staged(part)
        here = part.staging.here
        if part.address not in self._gitlab.published():
            return push.Comparison("behind", None, here.count(None, commit))
        return push.compare(here, part.address, BRANCH, commit, self._credentials())

    def _push(self, part: Part, found: push.Comparison) -> None:
        commit, state = self._staged(part), found.state
        if state == "behind":
            if not self.dry_run:
                here, options = part.staging.here, self._credentials()
                push.push(here, part.address, BRANCH, commit, options)
            self.changes.append(Change(f"{part.name} in GitLab", found.theirs, commit))
            state = "pushed"
        if part is self.template:
            self.status.in_gitlab(state, commit if state != "ahead" else str(found.theirs))

    def _move(self, part: Part) -> None:
        commit, live = self._staged(part), part.mirror.commit()
        if commit == live:
            return
        if not self.dry_run:
            part.mirror.move(part.staging.path, commit, live)
            part.staging.open([part.mirror.objects])
            part.staging.forget_borrowed()
        self.changes.append(Change(f"{part.name} on the server", live, commit))

    def _describe(self) -> None:
        """Write what is published for the hub, unless it is there."""
        commit, path = self._staged(), self.paths.declaration
        try:
            before = declaration.read_json(path) or {}
        except (OSError, ValueError):
            before = {}
        if (before.get("commit"), before.get("rules")) == (commit, self._rules):
            return
        files = self._files(commit)
        read = rules.read_course(files)
        course = read[0] if read else None
        data = declaration.describe(self.settings.slug, commit, files.paths, course)
        if not self.dry_run:
            declaration.write_json(path, {**data, "rules": self._rules})
        before.pop("rules", None)
        if before != data:
            what = "list of files and exercises"
            self.changes.append(Change(what, before.get("commit"), commit))

    def _staged(self, part: Part | None = None) -> str:
        commit = (part or self.template).staging.commit()
        if commit is None:
            raise PipelineError(message("publish_nothing_fetched", slug=self.settings.slug))
        return commit

    def _files(self, commit: str) -> CommitFiles:
        return CommitFiles.of(self.template.staging.here, commit, MAX_FILE_BYTES)

    def _credentials(self) -> list[str]:
        return credential_options(str(self.settings.gitlab.token_file))


def _is_made(part: Part, staged: str, step: source.Step) -> bool:
    """Whether the staged commit is what a directory's files ask for."""
    here = part.staging.here
    if here.tree_of(staged) != step.tree:
        return False
    parents = here.run("rev-list", "--parents", "-n", "1", staged)[1].split()[1:]
    return parents == ([step.parent] if step.parent else [])


def _explained(error: GitError | OSError) -> Message:
    if isinstance(error, GitError) and error.code:
        return message(f"publish_{error.code}", **error.fields)
    return message("publish_failed", why=str(error))
