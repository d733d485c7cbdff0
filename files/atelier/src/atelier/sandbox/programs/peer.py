"""How the learner's process and the tests' process call each other: one JSON message a line.

Functions and other objects stay where they are; the other side has a :class:`Remote` of each, and
every use of it is a message. Either side may ask while it is being asked: a test can pass a
function to a learner's function.

This file runs inside the course's image, in both processes: only the standard library is there.
"""

from __future__ import annotations

import builtins
import json
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from atelier.sandbox.programs.values import CrossingError, Packer, Unpacker

LONGEST_LINE = 6 * 2**20
MOST_LENT = 100_000
"""Most objects that a process lends to the other one."""
_LONGEST_ERROR = 100_000
_ITERATORS = (types.GeneratorType, map, filter, zip, enumerate, reversed)
_ALWAYS_TRUE = frozenset({"function", "class"})


class UndefinedError(Exception):
    """The other side has no variable of that name."""


class CallTimeoutError(Exception):
    """A call took too long."""


class GoneError(Exception):
    """The other side does not answer any more."""


class Remote:
    """A function, class, iterator or object of the other side.

    Calls, attributes, items, ``len``, ``str`` and iteration are asked for. Comparisons and truth
    are refused: methods of the object's own class would decide them.
    """

    __hash__ = object.__hash__

    def __init__(self, peer: Peer, number: int, kind: str, name: str, of: int) -> None:
        for key, value in (
            ("peer", peer),
            ("number", number),
            ("kind", kind),
            ("name", name),
            ("of", of),
        ):
            object.__setattr__(self, f"_atelier_{key}", value)

    _atelier_peer: Peer
    _atelier_number: int
    _atelier_kind: str
    _atelier_name: str
    _atelier_of: int

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there."""
        return self._ask("call", args=list(args), kwargs=kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask("attr", name=name)

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", key=key)

    def __len__(self) -> int:
        return cast(int, self._exactly("length", int))

    def __str__(self) -> str:
        return cast(str, self._exactly("text", str))

    def __repr__(self) -> str:
        return f"<{self._atelier_kind} {self._atelier_name} of the answer>"

    def __iter__(self) -> Iterator[Any]:
        iterator = self if self._atelier_kind == "iterator" else self._exactly("iterator", Remote)
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                return
            yield item

    def __next__(self) -> Any:
        found = self._exactly("next", list)
        if not found:
            raise StopIteration
        return found[0]

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, Remote) and instance._atelier_of == self._atelier_number

    def __bool__(self) -> bool:
        if self._atelier_kind in _ALWAYS_TRUE:
            return True
        raise CrossingError(f"{self!r} is not a plain value: neither true nor false here")

    def _refused(self, *_others: Any) -> Any:
        raise CrossingError(f"{self!r} is not a plain value: it cannot be compared or changed here")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refused
    __contains__ = __setattr__ = __delattr__ = __setitem__ = __delitem__ = _refused

    def _exactly(self, what: str, kind: type) -> Any:
        found = self._ask(what)
        if type(found) is not kind:
            raise CrossingError(f"{what} of {self!r} is no {kind.__name__}")
        return found

    def _ask(self, what: str, **given: Any) -> Any:
        return self._atelier_peer.ask(what, id=self._atelier_number, **given)


class Peer:
    """One side of the conversation.

    Args:
        read: returns the next line from the other side; empty when it is gone.
        write: sends a line.
        serves: what the other side may ask for.
    """

    def __init__(
        self, read: Callable[[], bytes], write: Callable[[bytes], None], serves: frozenset[str]
    ) -> None:
        self._read = read
        self._write = write
        self._serves = serves
        self._lent: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._classes: dict[int, type[Exception]] = {}
        self._asked = 0

    def ask(self, what: str, **given: Any) -> Any:
        """Ask the other side, and return what it answers.

        Raises:
            CrossingError: something cannot cross.
            UndefinedError: there is no variable of that name.
            CallTimeoutError: it took too long.
            GoneError: there is no answer.
            Exception: what was called has raised it; of a built-in class, or of a new one that is
                derived from a built-in one.
        """
        self._asked += 1
        number = self._asked
        message = {"do": what, "n": number, **given}
        for name in {"args", "key"} & given.keys():
            message[name] = self.pack(given[name])
        if "kwargs" in given:
            message["kwargs"] = {name: self.pack(one) for name, one in given["kwargs"].items()}
        line = json.dumps(message)
        if len(line) > LONGEST_LINE:
            raise CrossingError("too large")
        self._write(line.encode() + b"\n")
        while True:
            reply = self._receive()
            if "do" in reply:
                self._write(json.dumps(self.answer(reply)).encode() + b"\n")
            elif reply.get("n", number) == number:
                return self._result(reply)
            # Else it is the reply to a question that has been given up.

    def _receive(self) -> dict[str, Any]:
        line = self._read()
        try:
            message = json.loads(line) if line.endswith(b"\n") else None
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise GoneError("the answer's process has ended, or sent something else")
        return message

    def _result(self, reply: dict[str, Any]) -> Any:
        if "value" in reply:
            return self.unpack(reply["value"])
        if isinstance(reply.get("error"), dict):
            raise self._error(reply["error"])
        for kind in (UndefinedError, CrossingError, CallTimeoutError):
            if kind.__name__ in reply:
                raise kind(str(reply[kind.__name__])[:500])
        raise GoneError("the answer's process has ended")

    def _error(self, told: dict[str, Any]) -> Exception:
        kind = self._exception_class(told)
        try:
            arguments = self.unpack(told.get("args"))
            return kind(*arguments)
        except Exception:
            return Exception(f"{told.get('name')}"[:100])

    def _exception_class(self, told: dict[str, Any]) -> type[Exception]:
        base: type[Exception] = Exception
        for name in told["bases"]:
            found = getattr(builtins, str(name), None)
            if isinstance(found, type) and issubclass(found, Exception):
                base = found
                break
        number = told.get("class")
        if not isinstance(number, int):
            return base
        return self._classes.setdefault(number, type(str(told["name"])[:100], (base,), {}))

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Do what the other side asks for, and return the reply to it."""
        return {**self._done(message), "n": message.get("n")}

    def _done(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            what = str(message.get("do"))
            if what not in self._serves:
                raise CrossingError("not possible from here")
            reply = {"value": self.pack(getattr(self, f"do_{what}")(message))}
            if len(json.dumps(reply)) > LONGEST_LINE:
                raise CrossingError("the value is too large")
            return reply
        except (CrossingError, UndefinedError, CallTimeoutError, GoneError) as error:
            return {type(error).__name__: str(error)}
        except KeyboardInterrupt:
            return {CallTimeoutError.__name__: "the call took too long"}
        except BaseException as error:
            return {"error": self._told(error)}

    def _told(self, error: BaseException) -> dict[str, Any]:
        told = self._class_told(type(error))
        try:
            told["args"] = self.pack(list(error.args))
            if len(json.dumps(told)) <= _LONGEST_ERROR:
                return told
        except Exception:  # noqa: S110 (its arguments do not cross)
            pass
        told["args"] = []
        return told

    def _class_told(self, kind: type[BaseException]) -> dict[str, Any]:
        bases = [one.__name__ for one in kind.__mro__ if one.__module__ == "builtins"]
        own = {} if kind.__module__ == "builtins" else {"class": self._lend(kind)}
        return {"name": kind.__name__, "bases": bases, **own}

    def do_call(self, message: dict[str, Any]) -> Any:
        """Call something that was lent."""
        named = {name: self.unpack(one) for name, one in message["kwargs"].items()}
        return self._own(message)(*self.unpack(message["args"]), **named)

    def do_attr(self, message: dict[str, Any]) -> Any:
        """Read an attribute."""
        return getattr(self._own(message), str(message["name"]))

    def do_item(self, message: dict[str, Any]) -> Any:
        """Read an item."""
        return self._own(message)[self.unpack(message["key"])]

    def do_length(self, message: dict[str, Any]) -> Any:
        """Measure."""
        return len(self._own(message))

    def do_text(self, message: dict[str, Any]) -> Any:
        """Write as text."""
        return str(self._own(message))

    def do_iterator(self, message: dict[str, Any]) -> Any:
        """Begin to iterate."""
        iterator = iter(self._own(message))
        return _Lent(iterator, "iterator")

    def do_next(self, message: dict[str, Any]) -> Any:
        """Return the next item in a list, which is empty at the end."""
        try:
            return [next(self._own(message))]
        except StopIteration:
            return []

    def _own(self, message: dict[str, Any]) -> Any:
        try:
            return self._lent[message["id"]]
        except (KeyError, TypeError):
            raise CrossingError("no such object") from None

    def _lend(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._lent) >= MOST_LENT:
                raise CrossingError("too many objects")
            number = len(self._lent) + 1
            self._lent[number] = value
            self._numbers[id(value)] = number
        return number

    def pack(self, value: Any) -> Any:
        """Return a value as JSON data.

        Raises:
            CrossingError: it is too large or too deep.
        """
        return Packer(self._as_lent).pack(value)

    def unpack(self, data: Any) -> Any:
        """Build a value from JSON data.

        Raises:
            CrossingError: the data are not valid.
        """
        return Unpacker(self._borrowed).unpack(data)

    def _as_lent(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Remote):
            if value._atelier_peer is not self:
                raise CrossingError("an object of another process")
            return {"t": "yours", "id": value._atelier_number}
        if isinstance(value, types.ModuleType):
            raise CrossingError("it is a module: the tests import their own")
        if isinstance(value, type) and issubclass(value, BaseException):
            return {"t": "exception", **self._class_told(value)}
        kind = "function" if callable(value) else "object"
        if isinstance(value, _Lent):
            value, kind = value.value, value.kind
        elif isinstance(value, type):
            kind = "class"
        elif isinstance(value, _ITERATORS):
            kind = "iterator"
        name = getattr(value, "__name__", None) or type(value).__name__
        told: dict[str, Any] = {"t": "remote", "kind": kind, "id": self._lend(value)}
        return {**told, "name": str(name), "class": self._lend(type(value))}

    def _borrowed(self, data: Mapping[str, Any]) -> Any:
        if data["t"] == "yours":
            return self._lent[data["id"]]
        if data["t"] == "exception":
            return self._exception_class(dict(data))
        kind = str(data["kind"])
        kind = kind if kind in {"function", "class", "iterator"} else "object"
        return Remote(self, int(data["id"]), kind, str(data["name"])[:100], int(data["class"]))


class _Lent:
    """Something to lend as what it is not known to be."""

    def __init__(self, value: Any, kind: str) -> None:
        self.value = value
        self.kind = kind
