"""The declaration of values to compare: variables, printed output and files of an answer."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, FiniteFloat, model_validator
from pydantic_core import PydanticCustomError

from atelier.config.fields import RepositoryPath, Strict, Title

Amount = Annotated[FiniteFloat, Field(ge=0)]
VARIABLE = r"^[A-Za-z_.\u00c0-\u024f][\w.]*$"
"""A variable's name in Python or R."""
RUNNABLE = frozenset({".ipynb", ".py", ".r", ".rmd", ".qmd", ".org"})
"""Endings of files that can be run."""
TEST_ENDINGS = frozenset({".py", ".r", ".ipynb"})
MOST_CHECKS = 100


def _no_switch(value: object) -> object:
    """Refuse booleans such as ``attempts: yes``, which Python would accept as numbers."""
    if isinstance(value, bool):
        raise PydanticCustomError("float_type", "not a number")
    return value


Number = BeforeValidator(_no_switch)


class Tolerance(Strict):
    """Largest difference of two numbers that count as equal."""

    absolute: Amount = 0.0
    relative: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 0.0


class ValueCheck(Strict):
    """One value that the answer must have: a variable, all that is printed, or a file."""

    variable: Annotated[str, Field(pattern=VARIABLE)] | None = None
    output: Literal[True] | None = None
    file: RepositoryPath | None = None
    equals: Any = None
    """Without this key, the value is compared with that of the expected answer."""
    tolerance: Tolerance = Tolerance()
    key: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Columns by which the rows of a table are found; without any, by their order."""
    label: Annotated[str, Field(min_length=1)] | None = None
    """Beginning of the one line of the output that is compared."""
    points: Annotated[FiniteFloat, Field(ge=0, le=1000), Number] = 1.0
    say: Title | None = None
    hidden: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> ValueCheck:
        if sum(one is not None for one in (self.variable, self.output, self.file)) != 1:
            raise PydanticCustomError("value_kind", "one of variable, output, file")
        if self.label and not self.output:
            raise PydanticCustomError("value_label", "for the output only")
        return self

    @property
    def kind(self) -> Literal["variable", "output", "file"]:
        """What is compared."""
        if self.variable is not None:
            return "variable"
        return "output" if self.output else "file"

    @property
    def name(self) -> str:
        """Name of the variable or path of the file; empty for the output."""
        return self.variable or self.file or ""

    @property
    def is_given(self) -> bool:
        """Whether the declaration itself says the value."""
        return "equals" in self.model_fields_set


def ending(path: str) -> str:
    """Return a path's ending in small letters, with its dot."""
    return PurePosixPath(path).suffix.lower()
