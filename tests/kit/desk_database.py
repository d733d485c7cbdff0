"""A desk's database for tests, and what somebody needs who changes its tables.

``python -m kit.desk_database revision "add events"`` writes a revision from what tables.py has more
or less than the revisions so far; ``python -m kit.desk_database dump`` writes the fixture of it.
CONTRIBUTING.md says when.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import re
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from atelier.desk.db.answers import AnswerRepository, Arrival, Attempt
from atelier.desk.db.database import database_file, open_database
from atelier.desk.db.grades import GradeQueue
from atelier.desk.db.migrate import migrate
from atelier.desk.db.spaces import Request, SpaceRepository
from atelier.desk.db.upgrade import SCRIPTS, upgrade
from sqlalchemy import Engine

SCHEMAS = Path(__file__).parents[1] / "unit/desk/schemas"
"""Databases that earlier versions made, as SQL, with rows in every table."""


@functools.cache
def _new() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = database_file(Path(folder))
        migrate(file)
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.read_bytes()


def desk_database(folder: Path) -> Engine:
    """Open the desk's database in a folder, made when there is none."""
    file = database_file(folder)
    if not file.exists():
        file.write_bytes(_new())
    return open_database(file)


def restore(dump: Path, folder: Path) -> Path:
    """Make a database from a dump, in the folder of a desk; return its file."""
    file = database_file(folder)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.executescript(dump.read_text())
    return file


def dumped(file: Path) -> str:
    """Everything in a database, as SQL."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return "".join(f"{line}\n" for line in connection.iterdump())


def rows(file: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows of a database, by table."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]  # noqa: S608
            for (name,) in names.fetchall()
        }


def fill(engine: Engine) -> None:
    """Write at least one row into every table, with the code that the desk has for it."""
    spaces, answers, grades = SpaceRepository(engine), AnswerRepository(engine), GradeQueue(engine)
    ada, bob, course = "uada0000000000000", "ubob0000000000000", "rr1"
    for username, name in ((ada, "Ada Lovelace"), (bob, "Bob O'Hara")):
        spaces.ask(Request(username, course, name, f"{username[1:4]}@campus.example"))
    url = "https://gitlab.example/ada/rr1"
    spaces.succeed(Request(ada, course, "", ""), project="ada/rr1", url=url, branch="main")
    spaces.fail(Request(bob, course, "", ""), "GitLab ne répond pas")
    spaces.schedule_revocation(bob, course)
    spaces.record_issued(ada, course)
    outcomes, services = "https://campus.example/outcomes", {"lineitem": "https://campus.example/1"}
    one = Arrival(ada, course, "mean", "campus", outcomes, "course-v1:x:1", None, 1.0)
    two = Arrival(bob, course, "mean", "campus-13", "", "", services, 2.0)
    answers.record_launches([(one, "Ada Lovelace", False), (two, "Bob O'Hara", False)])
    for number, score in enumerate((0.25, 1.0), 1):
        when = f"2026-11-25T10:0{number}:00Z"
        found = {"parts": [{"name": "moyenne", "score": score}]}
        answers.record(
            Attempt(ada, course, "mean", f"c0ffee{number}", when, 3.0, f"d{number}", score, found)
        )
    answers.ask_rechecks(course, "mean")
    grades.owe(ada, course, "mean", 1.0)
    grades.failed(grades.due(1)[0], "la plateforme ne répond pas")


def write_revision(message: str) -> Path:
    """Write the revision that brings databases from the newest one to tables.py."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    head = ScriptDirectory.from_config(config).get_current_head() or "0000"
    number = f"{int(head) + 1:04}"
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")
    config.set_main_option("file_template", f"v%%(rev)s_{slug}")
    with tempfile.TemporaryDirectory() as folder:
        file = database_file(Path(folder))
        upgrade(file, target=head)
        engine = open_database(file)
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message.capitalize(), autogenerate=True, rev_id=number)
        engine.dispose()
    return next((SCRIPTS / "versions").glob(f"v{number}_*.py"))


def write_dump() -> Path:
    """Write the fixture of this version's tables."""
    with tempfile.TemporaryDirectory() as folder:
        engine = desk_database(Path(folder))
        fill(engine)
        engine.dispose()
        text = dumped(database_file(Path(folder)))
    (number,) = re.findall(r'INSERT INTO "alembic_version" VALUES\(\'(\d+)\'\)', text)
    dump = SCHEMAS / f"revision-{number}.sql"
    dump.write_text(text)
    return dump


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("revision").add_argument("message", help="what it changes")
    commands.add_parser("dump")
    options = parser.parse_args()
    print(write_dump() if options.command == "dump" else write_revision(options.message))
