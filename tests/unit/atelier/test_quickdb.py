"""How the hub's database commits."""

from __future__ import annotations

from pathlib import Path

from atelier.hub.sqlite_wal import use_write_ahead_log
from sqlalchemy import create_engine, text


def modes(path: Path) -> tuple[str, int]:
    """Journal mode and synchronous level of a new connection."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        journal = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        level = connection.execute(text("PRAGMA synchronous")).scalar_one()
    engine.dispose()
    return journal, level


def test_the_hub_s_own_file_alone_commits_with_one_wait(tmp_path: Path) -> None:
    use_write_ahead_log(f"sqlite:///{tmp_path}/jupyterhub.sqlite")
    use_write_ahead_log("postgresql://nobody@nowhere/x")
    use_write_ahead_log("sqlite://")
    assert modes(tmp_path / "jupyterhub.sqlite") == ("wal", 1)
    assert modes(tmp_path / "other.sqlite") == ("delete", 2), "full, as it comes"
