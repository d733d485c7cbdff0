"""Command ``atelier-settings``: checks settings files before they replace the current ones."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import BaseModel, ValidationError
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from atelier.config.credentials import Credentials, database_url
from atelier.config.models import (
    DEFAULT_FILE,
    Consumers,
    Course,
    Hub,
    Model,
    Settings,
    SettingsError,
    load,
)
from atelier.config.registrations import Registrations
from atelier.config.schema.hosts import PlatformHosts
from atelier.config.schema.kinds import Reading
from atelier.config.schema.problems import sentence

CONNECT_SECONDS = 10


def _read_current(model: type[Model], path: Path, settings: Settings, remarks: list[str]) -> Model:
    """Read a current file; add a remark for each value that a new file must not have."""
    reading = Reading(private_hosts=PlatformHosts(settings.lti.private_hosts), kept=True)
    found = load(model, path, reading)
    remarks += [f"{path}: {sentence(problem)}" for problem in reading.remarks]
    return found


def check_site(path: Path) -> list[str]:
    """Read all of a site's files and check their references to each other.

    Returns:
        Warnings, one sentence each.

    Raises:
        SettingsError: a file is invalid.
    """
    settings = load(Settings, path)
    remarks: list[str] = []
    courses: dict[str, Course] = {}
    for file in sorted(settings.paths.courses.glob("*.yml")):
        course = _read_current(Course, file, settings, remarks)
        if course.slug != file.stem:
            raise SettingsError(
                f"{file}: slug = {course.slug!r}: must be the file's name, {file.stem!r}"
            )
        courses[course.slug] = course
    keys: set[str] = set()
    if settings.paths.consumers.exists():
        consumers = _read_current(Consumers, settings.paths.consumers, settings, remarks)
        for consumer in consumers.consumers:
            keys.add(consumer.key)
            remarks += [
                f"{settings.paths.consumers}: consumer {consumer.key!r} names the course"
                f" {slug!r}, which does not exist"
                for slug in consumer.courses or ()
                if slug not in courses
            ]
    if settings.paths.registrations.exists():
        registrations = _read_current(
            Registrations, settings.paths.registrations, settings, remarks
        )
        for one in registrations.registrations:
            if one.key in keys:
                raise SettingsError(
                    f"{settings.paths.registrations}: registration {one.key!r}: a consumer of"
                    f" {settings.paths.consumers} has that key"
                )
            keys.add(one.key)
            remarks += [
                f"{settings.paths.registrations}: registration {one.key!r} names the course"
                f" {slug!r}, which does not exist"
                for slug in one.courses or ()
                if slug not in courses
            ]
    for course in courses.values():
        remarks += [
            f"course {course.slug!r} names the consumer {key!r}, which does not exist"
            for key in course.consumers or ()
            if key not in keys
        ]
    return remarks


def check_database(url: str, credentials: Credentials) -> None:
    """Connect to a database with the hub's URL and password.

    Raises:
        SettingsError: the connection fails; the text is the database's message.
    """
    try:
        hub = Hub(database_url=url)
    except ValidationError as error:
        raise SettingsError(f"database: {error.errors()[0]['msg']}") from None
    engine = create_engine(
        database_url(hub, credentials), connect_args={"connect_timeout": CONNECT_SECONDS}
    )
    try:
        with engine.connect():
            pass
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", error)).strip()
        raise SettingsError(f"database {hub.database_url}: {said}") from None
    finally:
        engine.dispose()


def main(argv: list[str] | None = None) -> int:
    """Run the command; return 0 if the check succeeds, else 1 with the errors on stderr."""
    models: dict[str, type[BaseModel]] = {
        "settings": Settings,
        "course": Course,
        "consumers": Consumers,
        "registrations": Registrations,
    }
    parser = argparse.ArgumentParser(
        prog="atelier-settings", description="Check the files of a site's settings."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="check the whole site, or one file (with --kind)")
    check.add_argument(
        "file", nargs="?", type=Path, default=DEFAULT_FILE, help="the file (default: %(default)s)"
    )
    check.add_argument(
        "--kind", choices=sorted(models), help="kind of the file, which is checked alone"
    )
    database = commands.add_parser(
        "database",
        help="test the connection to the hub's database; the password is read from a credential",
    )
    database.add_argument("url", help="the database's URL, such as postgresql://user@host/database")
    options = parser.parse_args(argv)
    try:
        if options.command == "database":
            check_database(options.url, Credentials())
            return 0
        if options.kind:
            load(models[options.kind], options.file)
            remarks = []
        else:
            remarks = check_site(options.file)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    for remark in remarks:
        print(f"note: {remark}")
    return 0
