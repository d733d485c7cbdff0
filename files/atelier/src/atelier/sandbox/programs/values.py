"""Values as they cross between the learner's process and the tests' process: plain data.

What JSON has no type for carries a mark, ``{"t": mark, ...}``. The other side builds a new value of
built-in types, of numpy or of pandas, so that no method of the sender's (such as ``__eq__``) comes
along, and nothing is unpickled. What is no plain value is *lent*: see :mod:`.peer`.

This file runs inside the course's image, in both processes: only the standard library is there.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import fractions
import importlib
import math
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

MOST_NODES = 300_000
"""Most values within one value."""
MOST_DEPTH = 60
MOST_BITS = 100_000
"""Size of the largest whole number."""
_DTYPE = re.compile(r"[<>|=]?(?:[biufc]\d{1,2}|[SU]\d{1,6}|[mM]8(?:\[\w{1,10}\])?)")
_TIMES = (datetime.datetime, datetime.date, datetime.time)  # a datetime is a date
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))


class CrossingError(Exception):
    """A value cannot cross, or an operation is not possible from the other side."""


class Packer:
    """Turns one value into JSON data.

    Args:
        lend: returns the data for something that is no plain value.
    """

    def __init__(self, lend: Callable[[Any], Any]) -> None:
        self._lend = lend
        self._nodes = 0

    def pack(self, value: Any, depth: int = 0) -> Any:
        """Return a value as JSON data.

        Raises:
            CrossingError: it is too large or too deep.
        """
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > MOST_DEPTH:
            raise CrossingError("the value is too large or too deep")
        if value is None or value is True or value is False:
            return value
        packed = None
        package = type(value).__module__.partition(".")[0]
        if package == "numpy":
            packed = self._numpy(value, depth)
        elif package == "pandas":
            packed = self._pandas(value, depth)
        if packed is None:
            packed = self._builtin(value, depth)
        return self._lend(value) if packed is None else packed

    def _many(self, mark: str, values: Iterable[Any], depth: int) -> dict[str, Any]:
        return {"t": mark, "of": [self.pack(one, depth + 1) for one in values]}

    def _builtin(self, value: Any, depth: int) -> Any:
        # Methods of the built-in types themselves: a class derived from them may have its own.
        if isinstance(value, int | float | complex | str | bytes | bytearray):
            return _single(value)
        if isinstance(value, list):
            return [self.pack(one, depth + 1) for one in list.__iter__(value)]
        kinds: tuple[Any, ...] = (tuple, set, frozenset)
        for kind in kinds:
            if isinstance(value, kind):
                return self._many(kind.__name__, kind.__iter__(value), depth)
        if isinstance(value, dict):
            return self._many("dict", (one for pair in dict.items(value) for one in pair), depth)
        if type(value) in _VIEWS:
            return [self.pack(one, depth + 1) for one in value]
        if isinstance(value, range | slice):
            return self._many(type(value).__name__, (value.start, value.stop, value.step), depth)
        return _moment(value)

    def _numpy(self, value: Any, depth: int) -> Any:
        numpy = sys.modules["numpy"]
        if not isinstance(value, numpy.ndarray | numpy.generic) or isinstance(
            value, numpy.ma.MaskedArray
        ):
            return None
        array = numpy.asarray(value)
        shape = [int(size) for size in array.shape]
        if array.dtype.kind == "O":
            return {**self._many("objects", array.ravel(), depth), "shape": shape}
        if array.dtype.kind not in "biufcSUmM":
            return None
        data = base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()
        scalar = isinstance(value, numpy.generic)
        return {"t": "array", "v": data, "dtype": array.dtype.str, "shape": shape, "scalar": scalar}

    def _pandas(self, value: Any, depth: int) -> Any:
        pandas = sys.modules["pandas"]
        if value is pandas.NA or value is pandas.NaT:
            return {"t": "missing", "v": "NA" if value is pandas.NA else "NaT"}
        if isinstance(value, pandas.DataFrame):
            columns = [_column(value.iloc[:, at]) for at in range(value.shape[1])]
            parts = [_labels(value.columns), _labels(value.index), *columns]
            return self._many("frame", parts, depth)
        if isinstance(value, pandas.Series):
            return self._many("series", (value.name, _labels(value.index), _column(value)), depth)
        if isinstance(value, pandas.Index):
            return self._many("index", (value.name, _column(value)), depth)
        return None


def _single(value: Any) -> Any:
    if isinstance(value, int):
        number = int.__int__(value)
        if number.bit_length() > MOST_BITS:
            raise CrossingError("the number is too large")
        return number if number.bit_length() <= 53 else {"t": "int", "v": hex(number)}
    if isinstance(value, float):
        real = float.__float__(value)
        return real if math.isfinite(real) else {"t": "float", "v": repr(real)}
    if isinstance(value, complex):
        return {"t": "complex", "v": [repr(float(value.real)), repr(float(value.imag))]}
    if isinstance(value, bytes | bytearray):
        return {"t": "bytes", "v": base64.b64encode(value).decode()}
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return {"t": "text", "v": base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()}
    return text


def _moment(value: Any) -> Any:
    """Return times and the numbers of the standard library; None for anything else."""
    for kind in _TIMES:
        if isinstance(value, kind):
            return {"t": "time", "kind": kind.__name__, "v": value.isoformat()}
    if isinstance(value, datetime.timedelta):
        return {"t": "span", "of": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, decimal.Decimal):
        return {"t": "decimal", "v": str(value)}
    if isinstance(value, fractions.Fraction):
        return {"t": "fraction", "of": [_single(value.numerator), _single(value.denominator)]}
    return None


def _column(column: Any) -> Any:
    array = column.to_numpy()
    return array if array.dtype.kind in "biufcmM" else list(array)


def _labels(index: Any) -> Any:
    return list(index) if index.nlevels > 1 else _column(index)


class Unpacker:
    """Builds one value from JSON data.

    Args:
        borrow: returns what stands for something that the other side has lent.
    """

    def __init__(self, borrow: Callable[[dict[str, Any]], Any]) -> None:
        self._borrow = borrow

    def unpack(self, data: Any) -> Any:
        """Build a value.

        Raises:
            CrossingError: the data are not valid.
        """
        try:
            return self._built(data, 0)
        except CrossingError:
            raise
        except Exception as error:
            raise CrossingError(f"not a valid value: {type(error).__name__}") from None

    def _built(self, data: Any, depth: int) -> Any:
        if depth > 2 * MOST_DEPTH:
            raise CrossingError("too deep")
        if isinstance(data, list):
            return [self._built(one, depth + 1) for one in data]
        if not isinstance(data, dict):
            return data
        if data["t"] in _BORROWED:
            return self._borrow(data)
        return _BUILDERS[data["t"]](
            data, [self._built(one, depth + 1) for one in data.get("of", ())]
        )


def _array(data: Any, _of: Any) -> Any:
    if not _DTYPE.fullmatch(data["dtype"]):
        raise CrossingError("not a type of numbers")
    numpy = importlib.import_module("numpy")
    flat = numpy.frombuffer(base64.b64decode(data["v"]), dtype=data["dtype"])
    array = flat.reshape([int(size) for size in data["shape"]]).copy()
    return array[()] if data["scalar"] else array


def _objects(data: Any, of: Any) -> Any:
    array = importlib.import_module("numpy").empty(len(of), dtype=object)
    for at, one in enumerate(of):
        array[at] = one
    return array.reshape([int(size) for size in data["shape"]])


def _int(data: Any, _of: Any) -> int:
    if len(data["v"]) > MOST_BITS // 4 + 10:
        raise CrossingError("the number is too large")
    return int(data["v"], 16)


def _frame(_data: Any, of: Any) -> Any:
    names, index, *columns = of
    frame = importlib.import_module("pandas").DataFrame(dict(enumerate(columns)), index=index)
    frame.columns = names
    return frame


def _series(_data: Any, of: Any) -> Any:
    name, index, values = of
    return importlib.import_module("pandas").Series(values, index=index, name=name)


def _missing(data: Any, _of: Any) -> Any:
    pandas = importlib.import_module("pandas")
    return pandas.NA if data["v"] == "NA" else pandas.NaT


_BORROWED = frozenset({"remote", "yours", "exception"})
_BUILDERS: dict[str, Callable[[Any, Any], Any]] = {
    "int": _int,
    "float": lambda data, _of: float(data["v"]),
    "complex": lambda data, _of: complex(*map(float, data["v"])),
    "text": lambda data, _of: base64.b64decode(data["v"]).decode("utf-8", "surrogatepass"),
    "bytes": lambda data, _of: base64.b64decode(data["v"]),
    "tuple": lambda _data, of: tuple(of),
    "set": lambda _data, of: set(of),
    "frozenset": lambda _data, of: frozenset(of),
    "dict": lambda _data, of: dict(zip(of[::2], of[1::2], strict=True)),
    "range": lambda _data, of: range(*of),
    "slice": lambda _data, of: slice(*of),
    "time": lambda data, _of: {one.__name__: one for one in _TIMES}[data["kind"]].fromisoformat(
        data["v"]
    ),
    "span": lambda _data, of: datetime.timedelta(*of),
    "decimal": lambda data, _of: decimal.Decimal(data["v"][:1000]),
    "fraction": lambda _data, of: fractions.Fraction(*of),
    "array": _array,
    "objects": _objects,
    "frame": _frame,
    "series": _series,
    "index": lambda _data, of: importlib.import_module("pandas").Index(of[1], name=of[0]),
    "missing": _missing,
}
