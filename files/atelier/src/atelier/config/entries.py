"""Models of entries whose keys the schema declares: a course, a consumer, a registration.

A model defines its fields and their types. The schema (:mod:`atelier.config.schema`) defines the
valid values and the defaults, so that preflight and hub accept the same values.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from atelier.config.fields import Strict
from atelier.config.schema.keys import Table
from atelier.config.schema.kinds import PLAIN, Reading
from atelier.config.schema.problems import Problem, SchemaError


def context(reading: Reading) -> dict[str, Any]:
    """Return the pydantic context that tells validators how to read values."""
    return {"reading": reading}


def _reading(info: ValidationInfo) -> Reading:
    found = (info.context or {}).get("reading", PLAIN)
    return found if isinstance(found, Reading) else PLAIN


def _plain(value: Any) -> Any:
    """Return an already parsed value in the form that it has in files."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value.model_dump() if isinstance(value, BaseModel) else value


def _error(problems: tuple[Problem, ...]) -> PydanticCustomError:
    """Combine all problems into one error; pydantic adds the key, and callers add the value."""
    lines = (" ".join(filter(None, (one.key, f"{one.problem}: {one.fix}"))) for one in problems)
    return PydanticCustomError("schema", "{reason}", {"reason": "; ".join(lines)})


class Entry(Strict):
    """An entry of a settings file."""

    table: ClassVar[Table]
    """The entry's keys. Pydantic alone validates fields that the table lacks."""

    @field_validator("*", mode="before")
    @classmethod
    def _as_declared(cls, value: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        if name not in cls.table:
            return value
        try:
            return cls.table[name].read(_plain(value), _reading(info))
        except SchemaError as error:
            raise _error(error.problems) from None

    @model_validator(mode="after")
    def _rules_hold(self, info: ValidationInfo) -> Any:
        values = {name: _plain(getattr(self, name)) for name in self.table.names}
        given = {name: value for name, value in values.items() if value is not None}
        problems = tuple(
            problem
            for rule in self.table.rules
            for problem in rule(given, frozenset(), _reading(info))
        )
        if problems:
            raise _error(problems)
        return self
