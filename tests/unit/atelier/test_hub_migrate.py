"""The hub's database of an earlier JupyterHub, brought to the installed one's tables."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from alembic.script import ScriptDirectory
from atelier.hub import migrate as hub
from atelier.hub.migrate import MigrationError, known_revisions, migrate, revision_of
from atelier.sqlite_files import copies
from jupyterhub import orm
from jupyterhub.dbutil import ALEMBIC_DIR
from kit.desk_database import dumped
from sqlalchemy import make_url

FORMER = Path(__file__).with_name("schemas") / "jupyterhub-5.2.1.sql"
HEAD = ScriptDirectory(ALEMBIC_DIR).get_current_head()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database that JupyterHub 5.2.1 made; its last change is in the write-ahead log alone."""
    path = tmp_path / "jupyterhub.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(FORMER.read_text())
        connection.execute("PRAGMA journal_mode=WAL")
    pid = os.fork()
    if pid == 0:
        lost = sqlite3.connect(path)
        lost.execute('UPDATE spawners SET state = \'{"object_id": "last"}\'')
        lost.commit()
        os.kill(os.getpid(), signal.SIGKILL)  # as a hub does whose machine runs out of memory
    os.waitpid(pid, 0)
    assert path.with_name("jupyterhub.sqlite-wal").stat().st_size
    return path


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def opened(file: Path) -> Any:
    """A session as JupyterHub opens it: it refuses a database of another revision."""
    return orm.new_session_factory(url(file))()


def test_the_newest_revision_is_read_from_the_files_of_jupyterhub() -> None:
    known = known_revisions()
    assert set(known) - set(known.values()) == {HEAD}


def test_a_database_of_an_earlier_jupyterhub_is_upgraded(file: Path) -> None:
    other = file.with_name("other.sqlite")  # what fails to open it leaves it open for a while
    shutil.copy(file, other)
    with pytest.raises(orm.DatabaseSchemaMismatch):
        opened(other)
    migrate(url(file))
    session = opened(file)
    (spawner,) = session.query(orm.Spawner)
    assert (spawner.user.name, spawner.name) == ("uada0000000000000", "rr1")
    assert spawner.state == {"object_id": "last"}
    session.close()
    (copy,) = copies(file)
    assert copy.name == f"jupyterhub.sqlite.before-{HEAD}"
    assert '"last"' in dumped(copy), "what was in the write-ahead log"
    assert revision_of(make_url(url(copy))) == "4621fec11365"
    assert {path.stat().st_mode & 0o777 for path in (file, copy)} == {0o600}
    content = file.read_bytes()
    migrate(url(file))
    assert file.read_bytes() == content


def test_a_new_database_is_left_to_jupyterhub(tmp_path: Path) -> None:
    migrate(url(tmp_path / "jupyterhub.sqlite"))
    assert not list(tmp_path.iterdir())
    opened(tmp_path / "jupyterhub.sqlite").close()
    migrate(url(tmp_path / "jupyterhub.sqlite"))
    assert not copies(tmp_path / "jupyterhub.sqlite")


def test_a_database_of_a_newer_jupyterhub_is_refused(file: Path) -> None:
    migrate(url(file))
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'fffffffffffe'")
    copy = file.with_name("jupyterhub.sqlite.before-fffffffffffe")
    copies(file)[0].rename(copy)
    before = dumped(file)
    with pytest.raises(MigrationError) as refused:
        migrate(url(file))
    assert f"{file} is at revision fffffffffffe, which the installed JupyterHub does not" in str(
        refused.value
    )
    assert f"or put back {copy}, which was made before that upgrade" in str(refused.value)
    assert dumped(file) == before


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_upgrade_that_is_killed_is_made_by_the_next(
    file: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, apply = dumped(file), hub._apply
    pid = os.fork()
    if pid == 0:

        def killed(database: str) -> None:
            if when == "after":
                apply(database)
            os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(hub, "_apply", killed)
        migrate(url(file))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert dumped(file) == before
    migrate(url(file))
    opened(file).close()
    assert sorted(path.name for path in file.parent.iterdir()) == [
        "jupyterhub.sqlite",
        f"jupyterhub.sqlite.before-{HEAD}",
    ]


def test_an_upgrade_that_fails_changes_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, apply = dumped(file), hub._apply

    def fails(database: str) -> None:
        apply(database)
        raise ValueError("a revision of theirs")

    monkeypatch.setattr(hub, "_apply", fails)
    with pytest.raises(MigrationError) as failed:
        migrate(url(file))
    assert f"{file} to the installed JupyterHub's revision: a revision of theirs. The" in str(
        failed.value
    )
    assert dumped(file) == before
    assert not file.with_name("jupyterhub.sqlite.upgraded").exists()


def test_a_database_that_a_hub_still_uses_is_not_replaced(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as other:
        other.execute("SELECT * FROM users").fetchall()
        with pytest.raises(MigrationError, match="Another process uses it: stop that one first"):
            migrate(url(file))
        other.execute("UPDATE users SET admin = 1")
        other.commit()
    migrate(url(file))
    session = opened(file)
    assert session.query(orm.User).one().admin
    session.close()


def test_the_command_does_not_show_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = {"hub_url": "https://hub.campus.example", "gitlab_url": "https://git.campus.example"}
    address = "postgresql://hub@127.0.0.1:1/hub"
    settings = tmp_path / "atelier.yml"
    settings.write_text(yaml.safe_dump({"site": site, "hub": {"database_url": address}}))
    (tmp_path / "database_password").write_text("correct-horse")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert hub.main(["--settings", str(settings)]) == 1
    said = capsys.readouterr().err
    assert "hub:***@127.0.0.1:1/hub" in said
    assert "correct-horse" not in said
    assert "See that it answers" in said
    assert "Traceback" not in said
