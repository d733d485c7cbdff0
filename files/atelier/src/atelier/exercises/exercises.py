"""The exercises that a course repository declares in its ``atelier.yml``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    FiniteFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from atelier.config.fields import RepositoryPath, Strict, Title
from atelier.exercises.model import ENDINGS, Format, Kind, Reveal, Rule
from atelier.exercises.prose_checks import MOST_PARTS, ProseCheck
from atelier.exercises.value_checks import (
    MOST_CHECKS,
    RUNNABLE,
    TEST_ENDINGS,
    Number,
    Tolerance,
    ValueCheck,
    ending,
)

EXERCISES_FILE = "atelier.yml"
EXERCISE_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"
PROJECT = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$"
MAX_EXERCISES = 500


def _quoted(value: object) -> object:
    """Convert an integer to text: YAML reads an id such as ``3`` as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Compare(Strict):
    """Options of the comparison of an answer with the expected file."""

    format: Format | None = None
    """None: determined by the file's extension."""
    outputs: bool = False
    whitespace: Literal["ignored", "exact"] = "ignored"
    case: Literal["matters", "ignored"] = "matters"
    order: Literal["matters", "free"] = "matters"
    extra: Literal["ignored", "counted"] = "ignored"
    given: Literal["ignored", "counted"] = "ignored"
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] | None = None
    tolerance: Tolerance = Tolerance()
    delimiter: Annotated[str, Field(pattern=r"^[,;\t|]$")] | None = None
    key: tuple[Annotated[str, BeforeValidator(_quoted)], ...] = ()


class Exercise(Strict):
    """One exercise."""

    id: Annotated[str, Field(pattern=EXERCISE_ID), BeforeValidator(_quoted)]
    title: Title
    file: RepositoryPath
    expected: RepositoryPath = ""
    """Path in the project with the expected answers; by default the same as ``file``."""
    weight: Annotated[FiniteFloat, Field(ge=0, le=1000), Number] = 1.0
    opens: datetime | None = None
    closes: datetime | None = None
    attempts: Annotated[PositiveInt | None, Number] = None
    pass_mark: Annotated[FiniteFloat, Field(gt=0, le=1), Number] = 0.8
    show: Reveal = "hints"
    show_after_closing: Reveal | None = None
    hint: Title | None = None
    tests: RepositoryPath | None = None
    """Path of the tests in the project with the expected answers."""
    values: Annotated[tuple[ValueCheck, ...], Field(max_length=MOST_CHECKS)] = ()
    data: Annotated[tuple[RepositoryPath, ...], Field(max_length=MOST_CHECKS)] = ()
    """Files and folders of the course repository that the answer needs when it runs, besides those
    that it names."""
    prose: Annotated[tuple[ProseCheck, ...], Field(max_length=MOST_PARTS)] = ()
    """Parts in the learner's own words; if there are any, likeness does not count."""
    compare: Compare = Compare()

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def _moment(cls, value: object, info: ValidationInfo) -> object:
        """Parse a date; without a time or without an offset, it is in the course's time zone."""
        moment = value
        if isinstance(value, str):
            try:
                moment = datetime.fromisoformat(value.strip())
            except ValueError:
                raise PydanticCustomError("moment", "not a date") from None
            if len(value.strip()) <= len("2026-12-31"):
                moment = moment.date()
        if not hasattr(moment, "isoformat") or isinstance(moment, time):
            raise PydanticCustomError("moment", "not a date")
        if not isinstance(moment, datetime):
            hour = time.max.replace(microsecond=0) if info.field_name == "closes" else time.min
            moment = datetime.combine(moment, hour)  # type: ignore[arg-type]
        if moment.tzinfo is None:
            zone = (info.context or {}).get("zone")
            if zone is None:
                raise PydanticCustomError("zone", "no time zone")
            moment = moment.replace(tzinfo=zone)
        return moment

    @field_validator("tests")
    @classmethod
    def _readable_tests(cls, value: str | None) -> str | None:
        if value is not None and ending(value) not in TEST_ENDINGS:
            raise PydanticCustomError("tests_ending", "not a file of tests")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Exercise:
        if self.opens and self.closes and self.closes <= self.opens:
            raise PydanticCustomError("closes", "closes before it opens")
        if self.compare.format is None and self._ending() is None:
            raise PydanticCustomError("format", "unknown format")
        if self.compare.key and self.format != "csv":
            raise PydanticCustomError("csv_only", "for CSV only", {"option": "key"})
        if self.prose and self.format in ("csv", "python", "r"):
            raise PydanticCustomError("prose_format", "has no prose", {"file": self.file})
        needs_run = self.tests or any(one.kind != "file" for one in self.values)
        if needs_run and not self.can_run:
            raise PydanticCustomError("not_run", "cannot be run", {"file": self.file})
        return self

    def _ending(self) -> Format | None:
        return ENDINGS.get(PurePosixPath(self.file).suffix.lower())

    @property
    def format(self) -> Format:
        """Format in which the file is read."""
        return self.compare.format or self._ending() or "text"

    @property
    def can_run(self) -> bool:
        """Whether the learner's file is a program or a document with code."""
        return ending(self.file) in RUNNABLE

    @property
    def is_computed(self) -> bool:
        """Whether tests or values decide, and not the likeness to the expected file."""
        return bool(self.tests or self.values)

    @property
    def needs_expected(self) -> bool:
        """Whether the score depends on the expected file."""
        of_expected = any(not one.is_given and one.kind != "file" for one in self.values)
        return not self.is_computed or bool(self.prose) or of_expected

    @property
    def expected_file(self) -> str:
        """Path in the project with the expected answers."""
        return self.expected or self.file

    def state(self, now: datetime) -> Literal["upcoming", "open", "closed"]:
        """Return whether answers are accepted at a time (with a time zone)."""
        if self.opens and now < self.opens:
            return "upcoming"
        return "closed" if self.closes and now > self.closes else "open"

    def shows(self, now: datetime) -> Reveal:
        """Return how much of a comparison the learner may see at a time (with a time zone)."""
        if self.show_after_closing and self.state(now) == "closed":
            return self.show_after_closing
        return self.show

    def rule(self) -> Rule:
        """Return the rule for the comparison."""
        compare = self.compare
        tsv = PurePosixPath(self.file).suffix.lower() == ".tsv"
        return Rule(
            format=self.format,
            outputs=compare.outputs,
            whitespace=compare.whitespace,
            case=compare.case,
            order=compare.order,
            extra=compare.extra,
            given=compare.given,
            kinds=compare.kinds,
            tolerance_absolute=compare.tolerance.absolute,
            tolerance_relative=compare.tolerance.relative,
            delimiter=compare.delimiter or ("\t" if tsv else None),
            key=compare.key,
            prose=tuple(one.to_judge() for one in self.prose),
        )


class CourseExercises(Strict):
    """The content of a course repository's ``atelier.yml``."""

    version: Literal[1]
    timezone: str | None = None
    expected_project: Annotated[str, Field(pattern=PROJECT)] | None = None
    """None: ``<course slug>/expected``."""
    expected_branch: Annotated[str, Field(min_length=1, max_length=255)] = "main"
    exercises: Annotated[tuple[Exercise, ...], Field(max_length=MAX_EXERCISES)] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and zone(value) is None:
            raise PydanticCustomError("timezone", "unknown time zone")
        return value

    def get(self, exercise_id: str) -> Exercise | None:
        """Return the exercise with an id, if it exists."""
        return next((one for one in self.exercises if one.id == exercise_id), None)

    def of_file(self, path: str) -> Exercise | None:
        """Return the first exercise whose answer is the file, if there is one."""
        return next((one for one in self.exercises if one.file == path), None)

    def total(self, scores: Mapping[str, float]) -> float | None:
        """Return the course's total, 0..1: exercises by weight; unchecked exercises count as 0.

        Args:
            scores: score of each checked exercise, 0..1, by its id.

        Returns:
            None if no exercise was checked, or all weights are 0.
        """
        whole = math.fsum(one.weight for one in self.exercises)
        known = [one for one in self.exercises if one.id in scores]
        if not known or not whole:
            return None
        return math.fsum(one.weight * scores[one.id] for one in known) / whole

    def project(self, course: str) -> str:
        """Return the path of the GitLab project with the expected answers.

        Args:
            course: the course's slug.
        """
        return self.expected_project or f"{course}/expected"


def zone(name: Any) -> ZoneInfo | None:
    """Return a time zone by its IANA name; None if the name is unknown."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError, TypeError):
        return None
