"""Models of entries whose keys the schema declares: a course, a consumer, a registration.

A model names its fields and their types; which values they take, and their defaults, are the
schema's (:mod:`atelier.config.schema`), so that preflight and hub come to one verdict.
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
    """What pydantic hands to the validators, so that they read values in that way."""
    return {"reading": reading}


def _reading(info: ValidationInfo) -> Reading:
    found = (info.context or {}).get("reading", PLAIN)
    return found if isinstance(found, Reading) else PLAIN


def _plain(value: Any) -> Any:
    """A value that has been read before, as files have it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value.model_dump() if isinstance(value, BaseModel) else value


def _error(problems: tuple[Problem, ...]) -> PydanticCustomError:
    """One error for all problems; pydantic adds the name of the key, and callers its value."""
    lines = (" ".join(filter(None, (one.key, f"{one.problem}: {one.fix}"))) for one in problems)
    return PydanticCustomError("schema", "{reason}", {"reason": "; ".join(lines)})


class Entry(Strict):
    """An entry of a settings file."""

    table: ClassVar[Table]
    """Its keys. A field that the table lacks is the model's own."""

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
