"""A variable's value as plain JSON, for the values that a course compares."""

from __future__ import annotations

import datetime
import decimal
import fractions
import math
import sys
from typing import Any

from atelier.sandbox.programs.values import MOST_DEPTH, MOST_NODES, CrossingError


class Plain:
    """Turns one value into plain JSON data, and counts what is in it."""

    def __init__(self) -> None:
        self._nodes = 0

    def of(self, value: Any, depth: int = 0) -> Any:
        """Return a value as plain JSON data.

        Raises:
            CrossingError: it is no plain value, or too large.
        """
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > MOST_DEPTH:
            raise CrossingError("the value is too large or too deep")
        package = type(value).__module__.partition(".")[0]
        if package in {"numpy", "pandas"}:
            value = _converted(package, value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str.__str__(value).encode("utf-8", "replace").decode()
        if isinstance(value, int):
            return _whole(int.__int__(value))
        if isinstance(value, float | decimal.Decimal | fractions.Fraction):
            return _real(float(value))
        if isinstance(value, complex):
            return {"real": _real(value.real), "imag": _real(value.imag)}
        if isinstance(value, datetime.date | datetime.time):
            return value.isoformat()
        if isinstance(value, datetime.timedelta):
            return value.total_seconds()
        if isinstance(value, dict):
            pairs = dict.items(value)
            return {str(self.of(key, depth + 1)): self.of(one, depth + 1) for key, one in pairs}
        if isinstance(value, set | frozenset):
            return sorted((self.of(one, depth + 1) for one in value), key=repr)
        if isinstance(value, list | tuple | range):
            return [self.of(one, depth + 1) for one in value]
        raise CrossingError(f"no plain value: {type(value).__name__}")


def _whole(number: int) -> Any:
    return number if number.bit_length() <= 1024 else str(hex(number))[:1000]


def _real(number: float) -> Any:
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else ("Infinity" if number > 0 else "-Infinity")


def _converted(package: str, value: Any) -> Any:
    """Return a value of numpy or pandas as one of Python's own types."""
    module = sys.modules[package]
    if package == "numpy":
        if isinstance(value, module.ndarray | module.generic):
            return value.tolist() if value.dtype.kind != "M" else value.astype(str).tolist()
        return value
    if value is module.NA or value is module.NaT:
        return None
    if isinstance(value, module.DataFrame):
        columns = [list(value.iloc[:, at]) for at in range(value.shape[1])]
        return {"columns": dict(zip(map(str, value.columns), columns, strict=False))}
    if isinstance(value, module.Series) and not isinstance(value.index, module.RangeIndex):
        return dict(zip(map(str, value.index), value, strict=True))
    if isinstance(value, module.Series | module.Index):
        return list(value)
    return value
