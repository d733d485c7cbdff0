"""The pipeline of a course's commits: fetch, check, publish.

A step that fails changes nothing for learners, and each step may be repeated. See
:mod:`atelier.courses` for the files.
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
    """A step failed; nothing has changed for learners.

    Attributes:
        message: the reason, as a key with its fields.
        findings: problems to correct in the course's repository, as in the status file.
    """

    def __init__(self, why: Message, findings: list[dict[str, Any]] | None = None) -> None:
        super().__init__(say(why["key"], DEFAULT, **why["fields"]))
        self.message = why
        self.findings = findings or []

    def say(self, lang: Language) -> str:
        """Return the reason as a sentence, followed by a line for each finding."""
        first = say(self.message["key"], lang, **self.message["fields"])
        return "\n".join([first, *finding_lines(self.findings, lang)])


@dataclass(frozen=True)
class Paths:
    """Paths of a course's files."""

    state: Path
    slug: str

    @property
    def declaration(self) -> Path:
        """The published commit's files and exercises, for the hub."""
        return self.state / "templates" / f"{self.slug}.json"

    @property
    def status(self) -> Path:
        """The status of the pipeline."""
        return self.state / "pipeline" / f"{self.slug}.json"

    @property
    def lock(self) -> Path:
        """The lock file of a run."""
        return self.state / "pipeline" / f"{self.slug}.lock"

    def mirror(self, part: str) -> Path:
        """Return the live repository of a part."""
        folder = "templates" if part == "template" else "expected"
        return self.state / folder / f"{self.slug}.git"

    def staging(self, part: str) -> Path:
        """Return the staging repository of a part."""
        suffix = "" if part == "template" else ".expected"
        return self.state / "pipeline" / f"{self.slug}{suffix}.git"


@contextmanager
def locked(paths: Paths, wait: float, dry_run: bool = False) -> Iterator[int | None]:
    """Hold a course's lock, so that runs do not overlap; yield the lock's file for git to inherit.

    Args:
        paths: the course's paths.
        wait: maximum time to wait for another run, seconds.
        dry_run: do not create the lock file: if it is missing, no other run is active. Yield None
            in that case.

    Raises:
        PipelineError: another run still holds the lock.
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
    """A part of a course: the template, or the expected answers."""

    name: str
    source: Source
    address: str
    mirror: Mirror
    staging: Staging

    @property
    def origin(self) -> str:
        """Address or directory of the source."""
        return str(self.source.repository or self.source.directory)


@dataclass(frozen=True)
class Change:
    """A change that a run made, or would make in a dry run."""

    what: str
    before: Any
    after: Any


class Pipeline:
    """One run for one course. The caller holds the lock.

    Args:
        settings: the course's settings.
        paths: the course's paths.
        lock: the lock's file, see :func:`locked`.
        proxies: environment variables for external sources.
        dry_run: report what would change, and change nothing.
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
        """The template, from which learners' spaces are forked."""
        return self.parts[0]

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """Record a step's result; save it unless in a dry run. Raise errors as PipelineError."""
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
        """Run all steps.

        Raises:
            PipelineError: a step failed; nothing has changed for learners.
        """
        self.pull()
        self.check()
        self.publish()

    def pull(self) -> None:
        """Fetch the sources into the staging repositories.

        Raises:
            PipelineError: a source cannot be read, or no longer contains the published commit.
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
            PipelineError: the commit has problems; see the findings.
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
        """Check the staged commit, push it to GitLab, and move the mirror to it.

        Raises:
            PipelineError: the check failed, GitLab's branch has other commits, or GitLab is
                unavailable.
        """
        self.check()
        with self._step("publish"):
            self._have_projects()
            # Compare all parts before pushing any. Publish expected answers first, so that they
            # exist when learners see the exercise.
            found = [(part, self._compare(part)) for part in reversed(self.parts)]
            for part, comparison in found:
                self._push(part, comparison)
            for part, _comparison in found:
                self._move(part)
            self._describe()

    def _have_projects(self) -> None:
        done = self._gitlab.ensure()
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
        """Write the published files and exercises for the hub, unless they are up to date."""
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
    """Return whether the staged commit is the one that a directory's files would produce."""
    here = part.staging.here
    if here.tree_of(staged) != step.tree:
        return False
    parents = here.run("rev-list", "--parents", "-n", "1", staged)[1].split()[1:]
    return parents == ([step.parent] if step.parent else [])


def _explained(error: GitError | OSError) -> Message:
    if isinstance(error, GitError) and error.code:
        return message(f"publish_{error.code}", **error.fields)
    return message("publish_failed", why=str(error))
