"""Values that cross between the learner's process and the tests' process."""

from __future__ import annotations

import datetime
import decimal
import fractions
import json
from collections import Counter, OrderedDict, namedtuple
from enum import IntEnum
from typing import Any

import pytest
from atelier.sandbox.programs.peer import Peer, Remote
from atelier.sandbox.programs.plain import Plain
from atelier.sandbox.programs.values import CrossingError, Packer, Unpacker

Point = namedtuple("Point", "x y")


class Colour(IntEnum):
    RED = 1


class AlwaysEqual(float):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


def crossed(value: Any) -> Any:
    """Send a value to another process, as it were."""
    peer = Peer(lambda: b"", lambda _line: None, frozenset())
    return peer.unpack(json.loads(json.dumps(peer.pack(value))))


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -3, 2**53 + 1, -(2**9000), 1.0, 0.1, float("inf"), 1 + 2j, "é\0", "\ud800",
        b"\xff", [1, [2]], (1, (2,)), {1, 2}, frozenset({1}), {"a": 1, 2: (3,), None: []},
        range(3, 9, 2), slice(1, None), datetime.date(2026, 1, 2),
        datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC), datetime.time(3, 4),
        datetime.timedelta(days=-1, microseconds=3), decimal.Decimal("0.10"),
        fractions.Fraction(1, 3), {"t": "remote", "id": 1},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_value_arrives_as_it_was(value: Any) -> None:
    found = crossed(value)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_and_an_integer_that_is_a_float_keep_their_kind() -> None:
    assert str(crossed(float("nan"))) == "nan"
    assert type(crossed(3.0)) is float
    assert type(crossed([True])[0]) is bool


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(b=1), {"b": 1}),
        (Point(1, 2), (1, 2)),
        (Colour.RED, 1),
        ({}.keys(), []),
        (AlwaysEqual(3.5), 3.5),
    ],
)
def test_a_derived_class_arrives_as_the_built_in_one(value: Any, plain: Any) -> None:
    found = crossed(value)
    assert type(found) is type(plain)
    assert found == plain


def _deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100):
        found = [found]
    return found


def _circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "value",
    [_deep(), _circle(), [0] * 400_000, 1 << 200_000, json],
    ids=["deep", "circle", "long", "number", "module"],
)
def test_what_is_too_large_or_no_value_does_not_cross(value: Any) -> None:
    with pytest.raises(CrossingError):
        crossed(value)


@pytest.mark.parametrize(
    "data",
    [
        {}, {"t": "int", "v": "0x" + "f" * 100_000}, {"t": "int", "v": 3}, {"t": "__class__"},
        {"t": "dict", "of": [1]}, {"t": "set", "of": [[1]]}, {"t": "tuple", "of": 3},
        {"t": ["tuple"]}, {"t": "range", "of": [1, 2, 0]}, {"t": "bytes", "v": "é"},
        {"t": "array", "dtype": "|O", "shape": [1], "v": "AAAAAAAAAAA=", "scalar": False},
        {"t": "array", "dtype": "<f8,O", "shape": [1], "v": "", "scalar": False},
        {"t": "time", "kind": "timedelta", "v": "1"}, {"t": "remote", "id": "x"},
        {"t": "yours", "id": 4}, {"t": "exception"}, [{"t": "nothing"}],
    ],
    ids=lambda data: json.dumps(data)[:40],
)  # fmt: skip
def test_data_that_no_packer_makes_are_refused(data: Any) -> None:
    peer = Peer(lambda: b"", lambda _line: None, frozenset())
    with pytest.raises(CrossingError):
        peer.unpack(data)


def test_an_object_of_the_other_side_decides_nothing_here() -> None:
    one = Remote(Peer(lambda: b"", lambda _line: None, frozenset()), 1, "object", "Mean", 2)
    for decide in (
        lambda: one == 62.6, lambda: one != 62.6, lambda: one < 3, lambda: one >= 3,
        lambda: bool(one), lambda: 62.6 in one, lambda: setattr(one, "x", 3),
    ):  # fmt: skip
        with pytest.raises(CrossingError):
            decide()
    assert not isinstance(one, float)


@pytest.mark.parametrize("what", ["get", "attr", "item", "call", "do_call", "__init__", "pack"])
def test_a_side_does_what_it_serves_and_nothing_else(what: str) -> None:
    peer = Peer(lambda: b"", lambda _line: None, frozenset({"call"}))
    assert "CrossingError" in peer.answer(
        {"do": what, "id": 1, "name": "x", "args": [], "kwargs": {}}
    )


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (float("nan"), None), (float("-inf"), "-Infinity"), (fractions.Fraction(501, 8), 62.625),
        (decimal.Decimal("62.6"), 62.6), ((1, {2}), [1, [2]]), ({1: "a"}, {"1": "a"}),
        (datetime.date(2026, 1, 2), "2026-01-02"), (1j, {"real": 0.0, "imag": 1.0}),
        ("\ud800", "?"),
    ],
)  # fmt: skip
def test_a_value_to_compare_is_plain_json(value: Any, plain: Any) -> None:
    assert Plain().of(value) == plain
    json.dumps(Plain().of(value), allow_nan=False)


@pytest.mark.parametrize(
    "value",
    [_circle(), object(), print, [0] * 400_000],
    ids=["circle", "object", "function", "long"],
)
def test_a_value_that_is_not_plain_is_none_to_compare(value: Any) -> None:
    with pytest.raises(CrossingError):
        Plain().of(value)


def test_packers_need_no_peer() -> None:
    packed = Packer(lambda _value: {"t": "remote"}).pack([print])
    assert Unpacker(lambda data: data["t"]).unpack(packed) == ["remote"]
