"""Databases of every earlier version, brought to today's tables, whatever comes in between."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from atelier.desk.db.answers import AnswerRepository
from atelier.desk.db.database import database_file, open_database
from atelier.desk.db.grades import GradeQueue
from atelier.desk.db.migrate import migrate
from atelier.desk.db.spaces import SpaceRepository
from atelier.desk.db.tables import REVISION, metadata
from atelier.desk.db.upgrade import SCRIPTS
from atelier.sqlite_files import copies
from kit.desk_database import SCHEMAS, desk_database, dumped, restore, rows
from sqlalchemy import Column, Engine, MetaData, String, create_engine

DUMPS = sorted(SCHEMAS.glob("*.sql"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return database_file(tmp_path)


def columns(file: Path) -> dict[str, Any]:
    """What SQLite says of all columns and indexes of a database."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        run = connection.execute
        names = [name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: (
                run(f"PRAGMA table_info({name})").fetchall(),
                sorted(row[1:] for row in run(f"PRAGMA index_list({name})")),
            )
            for name in names
            if name != "alembic_version"
        }


def differences(engine: Engine, wanted: MetaData) -> list[Any]:
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), wanted))


def read_back(engine: Engine, before: dict[str, list[dict[str, Any]]]) -> None:
    """Every row that was there is what the repositories say."""
    spaces, answers, grades = SpaceRepository(engine), AnswerRepository(engine), GradeQueue(engine)
    for row in before["spaces"]:
        found = spaces.find(row["username"], row["course"])
        assert found is not None
        assert vars(found.request) == {
            name: row[name] for name in ("username", "course", "name", "email")
        }
        assert found.ready == (row["state"] == "ready")
        for name in ("project", "url", "branch", "reason", "checked"):
            assert getattr(found, name) == row[name]
    revocations = {(row["username"], row["course"]) for row in before["revocations"]}
    assert set(spaces.pending_revocations()) == revocations
    for row in before.get("arrivals", ()):
        arrival = answers.arrival(row["username"], row["course"], row["exercise"])
        assert arrival is not None
        assert vars(arrival) == {**row, "services": json.loads(row["services"])}
    for row in before.get("people", ()):
        assert answers.names(row["course"])[row["username"]] == row["name"]
        assert answers.is_staff(row["username"], row["course"]) == row["staff"]
        assert row.get("consumer", "") in ("", answers.launch_keys(row["username"])[row["course"]])
    for row in before.get("attempts", ()):
        where = (row["username"], row["course"], row["exercise"])
        kept = {attempt.id: attempt for attempt in answers.attempts(*where)}
        assert {**row, "comparison": None} == vars(kept[row["id"]])
        if row["comparison"]:
            latest = answers.latest(*where)
            assert latest is not None
            assert latest.comparison == json.loads(row["comparison"])
    owed = [(row["username"], row["course"], row["exercise"]) for row in before.get("rechecks", ())]
    assert sorted(answers.rechecks()) == sorted(owed)
    for row in before.get("grades", ()):
        grade = grades.of_course(row["course"])[row["username"], row["exercise"]]
        assert vars(grade) == row
    spaces.schedule_all_revocations()
    lent = {(row["username"], row["course"]) for row in before.get("lent", ())}
    assert set(spaces.pending_revocations()) == revocations | lent


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_rows_of_every_earlier_version_are_read(dump: Path, file: Path) -> None:
    restore(dump, file.parent)
    before = rows(file)
    as_it_was = dumped(file)
    assert all(before.values()), "the fixture has a row in every table"
    migrate(file)
    engine = open_database(file)
    assert differences(engine, metadata) == []
    if dump.stem != f"revision-{REVISION}":
        (copy,) = copies(file)
        assert dumped(copy) == as_it_was
        assert copy.stat().st_mode & 0o777 == 0o600
    else:
        assert not copies(file), "nothing was changed"
    read_back(engine, before)
    engine.dispose()


@pytest.mark.parametrize("dump", [None, *DUMPS], ids=lambda path: path.stem if path else "new")
def test_tables_are_those_that_tables_py_describes(dump: Path | None, file: Path) -> None:
    """A change of tables.py needs a revision: python -m kit.desk_database revision <what>."""
    if dump is not None:
        restore(dump, file.parent)
    migrate(file)
    wanted = file.with_name("wanted.sqlite")
    engine = create_engine(f"sqlite:///{wanted}")
    metadata.create_all(engine)
    assert columns(file) == columns(wanted)
    assert differences(open_database(file), metadata) == []


def test_a_column_without_a_revision_is_noticed(file: Path) -> None:
    wanted = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(wanted)
    wanted.tables["people"].append_column(Column("seen", String))
    assert differences(desk_database(file.parent), wanted) != []


def test_revisions_are_numbered_and_each_has_its_fixture() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    numbers = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
    assert numbers[-1] == REVISION, "tables.py says which revision its tables are of"
    missing = [one for one in numbers if not (SCHEMAS / f"revision-{one}.sql").exists()]
    assert not missing, "python -m kit.desk_database dump"
