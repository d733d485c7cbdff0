"""Upgrades of the desk's database that are interrupted, met by another, or impossible."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from atelier.desk.db import migrate as command
from atelier.desk.db import upgrade as upgrading
from atelier.desk.db.database import database_file
from atelier.desk.db.migrate import MigrationError, migrate
from atelier.desk.db.tables import REVISION
from atelier.desk.db.upgrade import SCRIPTS, upgrade
from atelier.sqlite_files import KEPT_COPIES, copies, directory_lock, keep_copy
from kit.desk_database import SCHEMAS, dumped, restore, rows
from kit.site import until
from kit.small_disk import small_disk
from sqlalchemy import Engine, event

BEFORE_REVISIONS = SCHEMAS / "unversioned-6-bffcc7d.sql"
WITHOUT_CONSUMERS = SCHEMAS / "unversioned-2-179679e.sql"

LATER = {
    "0002": """
def upgrade():
    op.add_column("people", sa.Column("seen", sa.Float))
    op.execute("UPDATE people SET seen = 1.5")
""",
    "0003": """
def upgrade():
    with op.batch_alter_table("grades") as table:
        table.alter_column("reason", new_column_name="why")
    op.create_table("events", sa.Column("id", sa.Integer, primary_key=True))
""",
}
BROKEN = {**LATER, "0003": LATER["0003"] + '    op.drop_table("missing")\n'}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return database_file(tmp_path)


def scripts_with(folder: Path, revisions: dict[str, str]) -> Path:
    """The revisions of the package, and later ones."""
    scripts = folder / "scripts"
    shutil.copytree(SCRIPTS, scripts)
    for number, code in revisions.items():
        head = f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {number!r}\n"
        head += f"down_revision = '{int(number) - 1:04}'\n"
        (scripts / f"versions/v{number}_test.py").write_text(head + code)
    return scripts


def test_several_revisions_are_one_step(file: Path, tmp_path: Path) -> None:
    restore(WITHOUT_CONSUMERS, tmp_path)
    upgrade(file, scripts_with(tmp_path, LATER), "0003")
    there = rows(file)
    assert there["alembic_version"] == [{"version_num": "0003"}]
    assert {row["seen"] for row in there["people"]} == {1.5}
    assert "why" in there["grades"][0]
    assert [path.name for path in copies(file)] == ["desk.sqlite.before-0001"]


def in_a_fork(work: Callable[[], None]) -> int:
    """Do something in a process of its own; return its exit code, minus a signal's number."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextlib.contextmanager
def killed_at(number: int) -> Iterator[None]:
    """Have this process killed before its n-th statement that writes, or before the commit."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(_connection: object, _cursor: object, text: str, *_: object) -> None:
        if not text.lstrip().startswith(("PRAGMA", "SELECT")):
            count()

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", lambda _: count())
    yield


@pytest.mark.long
def test_a_migration_that_is_killed_at_any_statement_is_made_by_the_next(tmp_path: Path) -> None:
    scripts = scripts_with(tmp_path, LATER)
    restored = restore(WITHOUT_CONSUMERS, tmp_path)
    before, content = dumped(restored), restored.read_bytes()
    upgrade(restored, scripts, "0003")
    after = dumped(restored)
    for number in range(1, 200):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = database_file(folder)
        file.write_bytes(content)

        def work(file: Path = file, number: int = number) -> None:
            with killed_at(number):
                upgrade(file, scripts, "0003")

        ended = in_a_fork(work)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        assert dumped(file) == before
        upgrade(file, scripts, "0003")
        assert dumped(file) == after
        assert dumped(copies(file)[0]) == before
    assert number > 15, "it was killed at each statement of each revision"


def test_a_copy_that_was_cut_short_is_made_again(file: Path) -> None:
    restore(BEFORE_REVISIONS, file.parent)
    before = dumped(file)
    unfinished = file.with_name("desk.sqlite.before-0001.new")
    unfinished.write_bytes(b"SQLite format 3\0 and no more")
    migrate(file)
    assert not unfinished.exists()
    assert dumped(copies(file)[0]) == before


@pytest.mark.parametrize("dump", [None, WITHOUT_CONSUMERS], ids=["new", "old"])
def test_processes_that_start_at_once_do_it_once(dump: Path | None, tmp_path: Path) -> None:
    for turn in range(5):
        folder = tmp_path / str(turn)
        folder.mkdir()
        file = database_file(folder)
        if dump is not None:
            restore(dump, folder)
        reading, writing = os.pipe()
        pids = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    os.close(writing)
                    os.read(reading, 1)  # until the parent closes its end
                    migrate(file)
                    code = 0
                finally:
                    os._exit(code)
            pids.append(pid)
        os.close(writing)
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 4
        os.close(reading)
        assert rows(file)["alembic_version"] == [{"version_num": REVISION}]


def test_one_process_at_a_time_makes_the_database(file: Path) -> None:
    """Not even the write-ahead log can be switched on by two at once: SQLite does not wait then."""
    with directory_lock(file.parent):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                migrate(file)
                code = 0
            finally:
                os._exit(code)
        waiting = re.compile(rf"-> FLOCK .* {pid} ")
        until(lambda: waiting.search(Path("/proc/locks").read_text()), "the other one waits")
        assert not file.exists()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert rows(file)["alembic_version"] == [{"version_num": REVISION}]


def test_a_revision_that_fails_changes_nothing_and_says_what_to_do(
    file: Path, tmp_path: Path
) -> None:
    restore(BEFORE_REVISIONS, tmp_path)
    before, scripts = dumped(file), scripts_with(tmp_path, BROKEN)
    for _ in range(KEPT_COPIES + 1):  # systemd tries again and again
        with pytest.raises(MigrationError) as failed:
            upgrade(file, scripts, "0003")
    message = str(failed.value)
    assert f"cannot apply revision 0003 to the desk's database {file}" in message
    assert "no such table: missing" in message
    assert "The database is as it was. Install the former version" in message
    assert dumped(file) == before
    assert not copies(file), "there is nothing to go back to"
    migrate(file)


def test_a_database_of_a_newer_version_is_refused(file: Path, tmp_path: Path) -> None:
    restore(BEFORE_REVISIONS, tmp_path)
    upgrade(file)
    upgrade(file, scripts_with(tmp_path, LATER), "0003")
    before = dumped(file)
    with pytest.raises(MigrationError) as refused:
        migrate(file)
    message = str(refused.value)
    assert f"{file} is at revision 0003, and this version of the collection knows" in message
    assert "revisions up to 0001" in message
    assert f"put back {file}.before-0002," in message
    assert dumped(file) == before
    shutil.copy(f"{file}.before-0002", file)
    for log in ("-wal", "-shm"):
        file.with_name(file.name + log).unlink(missing_ok=True)
    migrate(file)


def test_the_newest_copies_are_kept(file: Path) -> None:
    migrate(file)
    for number in range(2, 3 + KEPT_COPIES):
        copy = keep_copy(file, f"{number:04}")
        os.utime(copy, (number, number))
    names = [path.name.rpartition("-")[2] for path in copies(file)]
    assert names == [f"{number:04}" for number in range(2 + KEPT_COPIES, 2, -1)]


def test_a_database_that_is_used_is_not_changed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore(BEFORE_REVISIONS, file.parent)
    before = dumped(file)
    monkeypatch.setattr(upgrading, "BUSY_SECONDS", 0.1)
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MigrationError, match="Another process uses it: stop that one first"):
            migrate(file)
    assert dumped(file) == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 100, b"text"])
def test_a_file_that_is_no_database_is_left_alone(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(MigrationError, match="It is damaged: put back a copy of it") as failed:
        migrate(file)
    assert str(file) in str(failed.value)
    assert file.read_bytes() == content


def test_a_disk_that_is_read_only_is_said(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        file = restore(BEFORE_REVISIONS, disk)
        remount = ["mount", "-o", "remount,ro", str(disk)]
        subprocess.run(remount, check=True)
        with pytest.raises(MigrationError, match="It cannot be written: see who owns") as failed:
            migrate(file)
        assert str(file) in str(failed.value)


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as disk:
        file = restore(BEFORE_REVISIONS, disk)
        before = dumped(file)
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass
        for spare in range(0, 40, 4):  # in kB: it fails at another point each time
            os.truncate(disk / "filler", (disk / "filler").stat().st_size - 1024 * spare)
            try:
                migrate(file)
            except MigrationError as failed:
                message = str(failed)
            else:
                break
            assert f"{file}" in message
            assert f"The disk is full: free 1 MiB in {disk}. Then: systemctl restart" in message
            elsewhere = tmp_path / str(spare)  # to read it takes some space
            shutil.copytree(disk, elsewhere, ignore=shutil.ignore_patterns("filler", "*-shm"))
            assert dumped(database_file(elsewhere)) == before
            assert not list(disk.glob("*.new"))
        assert message, "the disk was too full at first"
        (disk / "filler").unlink()
        migrate(file)
        assert rows(file)["grades"]


def test_the_command_says_what_keeps_the_desk_from_starting(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = file.with_name("atelier.yml")
    site = {"hub_url": "https://hub.campus.example", "gitlab_url": "https://git.campus.example"}
    settings.write_text(json.dumps({"site": site, "desk": {"state_dir": str(file.parent)}}))
    arguments = ["--settings", str(settings)]
    assert command.main(arguments) == 0
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0099'")
    assert command.main(arguments) == 1
    said = capsys.readouterr().err
    assert f"{file} is at revision 0099" in said
    assert "Traceback" not in said
