"""Who may still come in, and who teaches where, by the inventory's files as they are now."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from atelier.config.admission import Admission
from atelier.config.live import Courses, LiveConsumers, LiveRegistrations
from atelier.config.models import Settings
from atelier.desk.db.answers import AnswerRepository, Arrival
from atelier.desk.db.database import database_file, open_database
from atelier.desk.db.migrate import migrate
from atelier.desk.entry import Entry
from atelier.desk.errors import RefusedError
from kit.desk_database import desk_database
from lms.platform13 import Platform13, make_key

LMS = Platform13("https://lms.example", "https://hub.mooc.example", make_key())


class Files:
    """The inventory's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "courses.d").mkdir()
        self.admission = Admission(
            LiveConsumers(folder / "consumers.yml"),
            LiveRegistrations(folder / "registrations.yml", folder / "joined.yml"),
            Courses(folder / "courses.d"),
        )
        self.consumers("fun")
        self.write("registrations.yml", {"registrations": []})
        self.course("rr1")

    def write(self, name: str, data: Any) -> None:
        """Replace a file, as the role does."""
        new = self.folder / ".new"
        new.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
        new.replace(self.folder / name)

    def consumers(self, *keys: str, **values: Any) -> None:
        """Consumers, each of a platform of its own that is trusted for roles."""
        listed = [
            {"key": key, "platform": key.split("-")[0], "secret": "a-secret" * 4,
             "trust_roles": True, **values}
            for key in keys
        ]  # fmt: skip
        self.write("consumers.yml", {"consumers": listed})

    def course(self, slug: str, **values: Any) -> None:
        title = {"fr": "c", "en": "c"}
        whole = {"slug": slug, "title": title, "template": "a/b", "image": "i", **values}
        self.write(f"courses.d/{slug}.yml", whole)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_what_was_removed_is_closed(files: Files) -> None:
    admission = files.admission
    assert not admission.closed("rr1", "fun")
    files.consumers("moodle")
    assert admission.closed("rr1", "fun")
    files.consumers("fun", "moodle")
    assert not admission.closed("rr1", "fun")
    files.course("rr1", consumers=["moodle"])
    assert admission.closed("rr1", "fun")
    files.course("rr1")
    files.consumers("fun", courses=["rr2"])
    assert admission.closed("rr1", "fun")
    files.consumers("fun")
    (files.folder / "courses.d/rr1.yml").unlink()
    assert admission.closed("rr1", "fun")


def test_a_registration_that_was_removed_is_closed(files: Files) -> None:
    files.write("registrations.yml", {"registrations": [LMS.registration("fun-13", "fun")]})
    assert not files.admission.closed("rr1", "fun-13")
    files.write("registrations.yml", {"registrations": []})
    assert files.admission.closed("rr1", "fun-13")
    files.write("joined.yml", {"registrations": [LMS.registration("fun-13", "fun")]})
    assert not files.admission.closed("rr1", "fun-13"), "it registered itself"


@pytest.mark.parametrize("name", ["consumers.yml", "registrations.yml"])
@pytest.mark.parametrize("content", [None, "{", "consumers: 3\nregistrations: 3\n"])
def test_what_cannot_be_read_closes_nothing(
    tmp_path: Path, files: Files, name: str, content: str | None
) -> None:
    if content is None:
        (tmp_path / name).unlink()
    else:
        files.write(name, content)
    assert not files.admission.closed("rr1", "fun")
    assert files.admission.state() is None
    assert not files.admission.may_teach("rr1", "fun"), "but it makes nobody a teacher"


def test_a_course_whose_file_is_wrong_is_not_closed(files: Files) -> None:
    files.write("courses.d/rr2.yml", "{")
    assert not files.admission.closed("rr2", "fun")
    assert files.admission.closed("rr3", "fun")


def test_a_launch_of_an_earlier_version_is_open_by_any_key_of_its_platform(files: Files) -> None:
    files.consumers("fun-a", "fun-b")
    state = {"platform": "fun", "consumer": "fun-b", "launches": {"rr1": {}}}
    files.course("rr1", consumers=["fun-a"])
    assert files.admission.open_courses(state) == ["rr1"]
    files.course("rr1", consumers=["moodle"])
    assert files.admission.open_courses(state) == []
    assert files.admission.open_courses(None) == []


def test_an_instructor_is_staff_where_the_course_names_their_platform(files: Files) -> None:
    may = files.admission.may_teach
    assert may("rr1", "fun"), "there is no other platform"
    files.consumers("fun", "moodle")
    assert not may("rr1", "fun"), "the course is anybody's"
    files.course("rr1", consumers=["fun"])
    assert may("rr1", "fun")
    assert not may("rr1", "moodle")
    assert not may("rr1", "unknown")
    assert not may("rr2", "fun")
    files.course("rr1")
    files.consumers("fun", "moodle", courses=["rr1"])
    assert may("rr1", "fun"), "the consumer is for that course"
    files.consumers("fun", trust_roles=False)
    assert not may("rr1", "fun")


def test_one_platform_by_1_1_and_1_3_is_one(files: Files) -> None:
    registration = LMS.registration("fun-13", "fun", trust_roles=True)
    files.write("registrations.yml", {"registrations": [registration]})
    assert files.admission.may_teach("rr1", "fun-13")
    files.write("registrations.yml", {"registrations": [{**registration, "platform": "other"}]})
    assert not files.admission.may_teach("rr1", "fun-13")


# The desk.

SITE = {"hub_url": "https://hub.mooc.example", "gitlab_url": "https://gitlab.mooc.example"}


class Door:
    """The desk's, with what is remembered of launches."""

    def __init__(self, files: Files, engine: Any, admins: tuple[str, ...] = ()) -> None:
        self.book = AnswerRepository(engine)
        settings = Settings.model_validate({"site": SITE, "hub": {"admin_users": admins}})
        self.entry = Entry(settings, self.book, files.admission)

    def arrive(self, who: str, course: str, consumer: str, *, staff: bool = False) -> None:
        arrival = Arrival(who, course, "", consumer, "", "", None, 1.0)
        self.book.record_launches([(arrival, who, staff)])

    async def admitted(self, who: str, course: str | None = None) -> bool:
        try:
            await self.entry.admit(who, course)
        except RefusedError as refused:
            return refused.reason != "entry_closed"
        return True


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    return desk_database(tmp_path)


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


def test_the_desk_s_pages_are_closed_with_what_one_came_by(files: Files, engine: Any) -> None:
    door = Door(files, engine)
    files.consumers("fun", "moodle")
    door.arrive("ada", "rr1", "fun")
    door.arrive("ada", "rr2", "moodle")
    files.course("rr2")
    assert run(door.admitted("ada", "rr1"))
    files.consumers("moodle")
    assert not run(door.admitted("ada", "rr1"))
    assert run(door.admitted("ada", "rr2"))
    assert run(door.admitted("ada"))
    files.write("consumers.yml", {"consumers": []})
    assert not run(door.admitted("ada"))
    assert not run(door.admitted("ada", "elsewhere"))
    assert run(door.admitted("nobody yet"))


def test_staff_are_staff_while_the_course_names_their_platform(files: Files, engine: Any) -> None:
    door = Door(files, engine, admins=("root",))
    files.consumers("fun", "moodle")
    files.course("rr1", consumers=["fun"])
    door.arrive("ada", "rr1", "fun", staff=True)
    door.arrive("eve", "rr1", "moodle", staff=True)
    assert run(door.entry.staff("ada", "rr1"))
    assert not run(door.entry.staff("eve", "rr1"))
    assert run(door.entry.staff("root", "rr1"))
    files.course("rr1")
    assert not run(door.entry.staff("ada", "rr1"))


def test_a_database_that_did_not_note_consumers_is_brought_up_to_date(
    files: Files, tmp_path: Path
) -> None:
    file = database_file(tmp_path)
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in (
            "CREATE TABLE people (username VARCHAR NOT NULL, course VARCHAR NOT NULL,"
            " name VARCHAR NOT NULL, staff BOOLEAN NOT NULL, PRIMARY KEY (username, course))",
            "CREATE TABLE arrivals (username VARCHAR NOT NULL, course VARCHAR NOT NULL,"
            " exercise VARCHAR NOT NULL, consumer VARCHAR NOT NULL, outcome_url VARCHAR NOT NULL,"
            " sourcedid VARCHAR NOT NULL, services JSON, at FLOAT NOT NULL,"
            " PRIMARY KEY (username, course, exercise))",
            "INSERT INTO people VALUES ('ada', 'rr1', 'Ada', 1), ('bob', 'rr1', 'Bob', 1)",
            "INSERT INTO arrivals VALUES ('ada', 'rr1', 'pi', 'old', '', 's', NULL, 1.0),"
            " ('ada', 'rr1', 'e', 'fun', '', 's', NULL, 2.0)",
        ):
            connection.execute(statement)
    migrate(file)
    door = Door(files, open_database(file))
    assert door.book.launch_keys("ada") == {"rr1": "fun"}
    assert door.book.launch_keys("bob") == {"rr1": ""}
    assert run(door.entry.staff("ada", "rr1"))
    assert not run(door.entry.staff("bob", "rr1")), "until their next launch says by which key"
    assert run(door.admitted("bob", "rr1"))
