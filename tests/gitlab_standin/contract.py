"""Checks answers against the table of GitLab's entities (``entities.yaml``)."""

import functools
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

TABLE = Path(__file__).parent / "entities.yaml"


@functools.cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(TABLE.read_text())
    return table


def entity_of(method: str, path: str) -> str | None:
    """The entity an operation answers, None when the table has none.

    ``path`` is what follows ``/api/v4``.
    """
    parts = [part for part in path.split("/") if part]
    best: tuple[int, str] | None = None
    for operation, entity in _table()["answers"].items():
        verb, _, pattern = operation.partition(" ")
        segments = [s for s in pattern.split("/") if s]
        star = segments[-1].startswith("*")
        fits = len(parts) >= len(segments) if star else len(parts) == len(segments)
        if verb != method or not fits:
            continue
        pairs = list(zip(segments, parts, strict=False))
        if all(segment[0] in ":*" or segment == part for segment, part in pairs):
            exact = sum(segment == part for segment, part in pairs)
            if best is None or exact > best[0]:
                best = (exact, entity)
    return best[1] if best else None


def unknown_fields(entity: str, value: Any, where: str = "") -> list[str]:
    """Fields of an answer that the real entity does not have."""
    if isinstance(value, list):
        return [name for item in value for name in unknown_fields(entity, item, where)]
    if not isinstance(value, dict):
        return []
    known = _table()["entities"][entity]
    fields = set(known["fields"].split())
    found = [f"{where or entity}.{name}" for name in value if name not in fields]
    for name, inner in known.get("within", {}).items():
        if inner in _table()["entities"]:
            found += unknown_fields(inner, value.get(name), f"{where or entity}.{name}")
        elif isinstance(value.get(name), dict):
            extra = set(value[name]) - set(inner.split())
            found += [f"{where or entity}.{name}.{field}" for field in extra]
    return found


def check_answer(response: Any, *_args: Any, **_kwargs: Any) -> None:
    """A hook for a ``requests`` session: AssertionError on a field that GitLab does not have."""
    path = urlsplit(response.request.url).path
    base, found, rest = path.partition("/api/v4")
    del base
    kind = response.headers.get("Content-Type", "")
    if not found or not response.ok or "application/json" not in kind:
        return
    entity = entity_of(response.request.method, rest)
    if entity is not None:
        wrong = unknown_fields(entity, response.json())
        assert not wrong, f"{response.request.method} {rest}: {sorted(set(wrong))}"
