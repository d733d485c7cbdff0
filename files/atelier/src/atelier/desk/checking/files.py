"""Fetches what a check needs from GitLab: answer, expected answer, tests, and data files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from atelier.config.models import Course
from atelier.desk.db.spaces import Record
from atelier.desk.errors import RefusedError
from atelier.exercises.exercises import CourseExercises, Exercise
from atelier.exercises.model import Limits
from atelier.exercises.needed import TooMuchError, gather, source_of
from atelier.exercises.testfiles.model import MOST_BYTES
from atelier.gitlab.errors import SpaceError
from atelier.gitlab.files import RepositoryFiles, SavedVersion
from atelier.limits.fair_queue import SMALL_BYTES
from atelier.sandbox.model import MOST_FILE_BYTES

MAX_FILE_BYTES = Limits().max_bytes


@dataclass(frozen=True)
class Place:
    """A learner's exercise: the course, the exercise, and the learner's space."""

    course: Course
    exercise: Exercise
    declared: CourseExercises
    template: SavedVersion
    record: Record | None
    """The learner's space; None: there is none (for a teacher, for example) or it is not ready."""
    preparing: bool = False
    """Whether the space is being prepared."""


@dataclass(frozen=True)
class AnswerFiles:
    """The files of a check; None: missing.

    Attributes:
        expected: the expected answer.
        answer: the learner's answer.
        given: the template's file.
        tests: the file of tests.
        beside: the template's files that the answer needs when it runs.
        own: the learner's files that it needs; those of the template come first.
        wanted: files of the project with the expected answers that values are compared with.
        made: files of the learner that are compared although nothing is run.
    """

    expected: bytes | None
    answer: bytes | None
    given: bytes | None
    tests: bytes | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict)
    own: Mapping[str, bytes] = field(default_factory=dict)
    wanted: Mapping[str, bytes] = field(default_factory=dict)
    made: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def small(self) -> bool:
        """Whether the files are small, so that comparing them needs few resources."""
        files = (self.expected, self.answer, self.given)
        together = sum(len(file) for file in files if file)
        others = (*self.beside.values(), *self.own.values())
        return together + sum(map(len, others)) <= SMALL_BYTES


class FileFetcher:
    """Fetches the files of a check. Methods block: call them in threads.

    Args:
        repository_files: reads files of GitLab's projects.
    """

    def __init__(self, repository_files: RepositoryFiles) -> None:
        self._files = repository_files

    def fetch(self, place: Place, project: str, version: SavedVersion) -> AnswerFiles:
        """Return the files of a check.

        Args:
            place: the exercise.
            project: the learner's project.
            version: the learner's commit.

        Raises:
            RefusedError: the answer needs too many files, or too large ones.
            SpaceError: GitLab refuses.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        exercise, most = place.exercise, MAX_FILE_BYTES
        answer = self._files.file(project, exercise.file, version.commit, most)
        template = place.course.template
        given = self._files.of_course(template, exercise.file, place.template.commit, most)
        expected = self._expected(place, exercise.expected_file, most)
        if not exercise.is_computed or answer is None:
            return AnswerFiles(expected, answer, given)
        tests = self._expected(place, exercise.tests, MOST_BYTES) if exercise.tests else None
        named = [one.name for one in exercise.values if one.kind == "file" and not one.is_given]
        wanted = {path: self._expected(place, path, most) for path in named}
        found = AnswerFiles(
            expected,
            answer,
            given,
            tests,
            wanted={path: file for path, file in wanted.items() if file is not None},
        )
        if exercise.can_run:
            return self._with_data(found, place, project, version)
        paths = {one.name for one in exercise.values}
        made = {path: self._files.file(project, path, version.commit, most) for path in paths}
        return AnswerFiles(
            expected,
            answer,
            given,
            wanted=found.wanted,
            made={path: file for path, file in made.items() if file is not None},
        )

    def make(self, place: Place, record: Record) -> None:
        """Put the template's file into a learner's project; leave one that is there as it is.

        Raises:
            SpaceError: GitLab refuses, or the template has no such file.
            GitLabUnavailableError: GitLab is unavailable; try later.
        """
        path, template = place.exercise.file, place.course.template
        content = self._files.of_course(template, path, place.template.commit, MAX_FILE_BYTES)
        if content is None:
            raise SpaceError(f"{template} has no {path}")
        author = {"author_name": record.request.name, "author_email": record.request.email}
        self._files.create(
            record.project,
            record.branch or "main",
            path,
            content,
            text=f"{path}: the course's file",
            author={key: value for key, value in author.items() if value},
        )

    def _expected(self, place: Place, path: str, most: int) -> bytes | None:
        """Return a file of the project with the expected answers."""
        project = place.declared.project(place.course.slug)
        head = self._files.head_lately(project, place.declared.expected_branch)
        return None if head is None else self._files.of_course(project, path, head.commit, most)

    def _with_data(
        self, found: AnswerFiles, place: Place, project: str, version: SavedVersion
    ) -> AnswerFiles:
        """Add the files that answer, tests and expected answer name, in template and project."""
        exercise, template, commit = place.exercise, place.course.template, place.template.commit
        answer = source_of(exercise.file, found.answer or b"")
        others = [
            source_of(path, content)
            for path, content in (
                (exercise.expected_file, found.expected),
                (exercise.tests or "", found.tests),
            )
            if content
        ]
        listing = self._files.paths(template, commit)
        own_listing = set(self._files.paths(project, version.commit)) - set(listing)
        try:
            beside = gather(
                exercise.file,
                [answer, *others],
                listing,
                lambda path: self._files.of_course(template, path, commit, MAX_FILE_BYTES),
                exercise.data,
            )
            own = gather(
                exercise.file,
                [answer],
                own_listing,
                lambda path: self._files.file(project, path, version.commit, MAX_FILE_BYTES),
            )
        except TooMuchError:
            raise RefusedError(409, "exercise_too_much_data") from None
        sent = sum(map(len, (*beside.values(), *own.values())))
        if sent + max(len(found.answer or b""), len(found.expected or b"")) > MOST_FILE_BYTES:
            raise RefusedError(409, "exercise_too_much_data")
        return AnswerFiles(
            found.expected, found.answer, found.given, found.tests, beside, own, found.wanted
        )
