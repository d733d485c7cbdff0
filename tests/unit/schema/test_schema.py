"""The schema itself: in both languages, of the standard library alone, known to all it feeds."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._schema import (
    consumer,
    course,
    registration,
    specs,
)
from ansible_collections.mooc.atelier.plugins.module_utils._schema.keys import Group, Key, Table
from ansible_collections.mooc.atelier.plugins.module_utils._schema.kinds import Items
from atelier.config.models import Consumer, Course, Launcher
from atelier.config.registrations import Registration
from atelier.courses.settings import Member, Source
from atelier.lti.keysets13 import usable
from unit.schema.table import SECRET, Row, rows
from world import docs, paths

FOLDER = paths.ROOT / "plugins/module_utils/_schema"
LINKED = paths.ROOT / "files/atelier/src/atelier/config/schema"
FILES = sorted(FOLDER.glob("*.py"))
TABLES = (
    course.COURSE, course.REGISTERED_COURSE, consumer.LISTED_CONSUMER, consumer.KEPT_CONSUMER,
    registration.REGISTRATION, registration.KEPT_REGISTRATION,
)  # fmt: skip


def inner(table: Table) -> list[Table]:
    """A table and those of its dictionaries."""
    kinds = [key.kind.of if isinstance(key.kind, Items) else key.kind for key in table.keys]
    return [table, *(one for kind in kinds if isinstance(kind, Group) for one in inner(kind.table))]


KEYS = [key for table in TABLES for one in inner(table) for key in one.keys]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_needs_no_more_than_python(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= sys.stdlib_module_names
        if isinstance(node, ast.ImportFrom):
            known = str(node.module).split(".")[0] in sys.stdlib_module_names
            assert known or node.level == 1, f"{path.name} imports {node.module}"
    assert len(path.read_text().splitlines()) <= 400


def test_the_server_package_has_all_of_it_but_what_makes_documentation() -> None:
    assert {path.name for path in FILES} - {path.name for path in LINKED.glob("*.py")} == {
        "specs.py"
    }
    for path in LINKED.glob("*.py"):
        assert path.resolve() == FOLDER / path.name


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_key_is_described_in_both_languages(key: Key) -> None:
    for text in (key.en, key.fr):
        assert text
        assert not text.endswith(".")
        assert "|" not in text, "it stands in a table"
    code = re.compile(r"`([^`]*)`")
    assert len(code.findall(key.en)) == len(code.findall(key.fr))
    page = key.link.partition("#")[0]
    assert not page or (paths.ROOT / "docs" / page).is_file()


@pytest.mark.parametrize("model", [Course, Consumer, Registration, Launcher, Source, Member])
def test_a_model_has_the_keys_of_its_table(model: Any) -> None:
    own = {"previous"} & model.model_fields.keys()  # a model of its own
    assert model.model_fields.keys() - own == set(model.table.names)
    for key in model.table.keys:
        field = model.model_fields[key.name]
        assert field.is_required() == key.required, key.name
        if not key.required:
            default = key.kind.read(key.default) if key.default is not None else None
            found = list(field.default) if isinstance(field.default, tuple) else field.default
            assert found == default, key.name


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_default_is_a_value_of_its_kind(key: Key) -> None:
    if key.default is not None:
        assert key.kind.read(key.default) == key.default


def test_what_is_generated_from_it_is_what_is_committed() -> None:
    different = [
        str(path.relative_to(paths.ROOT))
        for path, text in docs.made().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert different == [], "run `make docs`"


def test_french_is_written_with_its_own_signs() -> None:
    assert specs.french("l'été : `a: 'b'`") == "l’été\N{NO-BREAK SPACE}: `a: 'b'`"


def keysets() -> list[Row]:
    return [row for row in rows() if row.changes.get("jwks") and row.changes.get("jwks_url") is ...]


@pytest.mark.parametrize("row", keysets(), ids=lambda row: row.name)
def test_a_key_set_is_right_where_launches_can_be_checked_with_it(row: Row) -> None:
    jwks = row.entry["jwks"]
    private = isinstance(jwks, dict) and "d" in str(jwks.get("keys"))
    if not private:
        assert bool(isinstance(jwks, dict) and usable(jwks)) == row.right


@pytest.mark.parametrize(
    "entry",
    [
        {"key": "fun", "platform": "fun", "secret": f"{SECRET} {SECRET}"},
        {"key": "fun", "platform": "fun", "secret": SECRET, "rotate": "a b"},
        {"key": "fun", "platform": "fun", "secret": [SECRET]},
        {"key": SECRET, "platform": "fun", "secret": SECRET, "secrets": SECRET},
    ],
)
def test_no_message_shows_a_secret(entry: dict[str, Any]) -> None:
    problems = consumer.LISTED_CONSUMER.problems(entry)
    assert problems
    assert SECRET not in str([(one.problem, one.fix, one.shown) for one in problems])


def test_a_password_in_an_address_is_not_shown() -> None:
    entry = {"slug": "rr1", "title": {"fr": "f", "en": "e"}, "repository": "https://a:hunter2@[::1"}
    assert "hunter2" not in str(course.COURSE.problems(entry))
