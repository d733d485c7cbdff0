"""The declaration of parts that learners write in their own words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from atelier.config.fields import Strict, Title
from atelier.exercises.model import ProseKind, ProsePart

MOST_PARTS = 100
FROM_EXPECTED = "expected"
"""The number or the text is taken from the expected file, which learners cannot read."""
Amount = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
Points = Annotated[float, Field(ge=0, le=1000, strict=True, allow_inf_nan=False)]


def _are_texts(values: Sequence[object]) -> bool:
    return bool(values) and all(isinstance(one, str) and one.strip() for one in values)


class Expects(Strict):
    """What a part must have: a number, or words."""

    number: float | Literal["expected"] | None = None
    tolerance: Amount = 0.0
    keywords: tuple[tuple[str, ...], ...] | None = None

    @field_validator("number", mode="plain")
    @classmethod
    def _a_number(cls, value: object) -> object:
        if value == FROM_EXPECTED:
            return value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):  # type: ignore[arg-type]
            raise PydanticCustomError("float_type", "not a number")
        return float(value)  # type: ignore[arg-type]

    @field_validator("keywords", mode="plain")
    @classmethod
    def _groups(cls, value: object) -> object:
        groups = value if isinstance(value, list | tuple) else []
        if not groups or not all(
            isinstance(one, list | tuple) and _are_texts(one) for one in groups
        ):
            raise PydanticCustomError("prose_keywords", "no groups of words")
        return tuple(map(tuple, groups))

    @model_validator(mode="after")
    def _one(self) -> Expects:
        if (self.number is None) == (self.keywords is None):
            raise PydanticCustomError("prose_expects", "a number or keywords")
        if self.keywords and "tolerance" in self.model_fields_set:
            raise PydanticCustomError("prose_tolerance", "for a number only")
        return self


class ProseCheck(Strict):
    """One part in the learner's own words, and how it is judged."""

    part: str | int
    expects: Expects | None = None
    accepted: tuple[str, ...] | Literal["expected"] | None = None
    person: Literal[True] | None = None
    points: Points = 1.0
    say: Title | None = None

    @field_validator("part", mode="plain")
    @classmethod
    def _a_part(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
        if not is_number and not (isinstance(value, str) and value.strip()):
            raise PydanticCustomError("prose_part", "no part")
        return value

    @field_validator("accepted", mode="plain")
    @classmethod
    def _texts(cls, value: Any) -> object:
        if value == FROM_EXPECTED:
            return value
        if not isinstance(value, list | tuple) or not _are_texts(value):
            raise PydanticCustomError("prose_accepted", "no texts")
        return tuple(value)

    @model_validator(mode="after")
    def _one_way(self) -> ProseCheck:
        if sum(one is not None for one in (self.expects, self.accepted, self.person)) != 1:
            raise PydanticCustomError("prose_way", "one of expects, accepted, person")
        return self

    @property
    def kind(self) -> ProseKind:
        """How the part is judged."""
        if self.expects is not None:
            return "keywords" if self.expects.keywords else "number"
        return "person" if self.person else "accepted"

    def to_judge(self) -> ProsePart:
        """Return the part as plain data."""
        expects = self.expects or Expects.model_construct()
        return ProsePart(
            part=self.part,
            kind=self.kind,
            points=self.points,
            number=expects.number if isinstance(expects.number, float) else None,
            tolerance=expects.tolerance,
            keywords=expects.keywords or (),
            accepted=self.accepted if isinstance(self.accepted, tuple) else (),
            say=tuple(self.say.model_dump().items()) if self.say else (),
        )
