"""Hub and desk start on databases of earlier versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from atelier.hub.migrate import migrate, revision_of
from jupyterhub import orm
from jupyterhub.dbutil import write_alembic_ini
from kit.desk_database import SCHEMAS, restore
from kit.postgres import Postgres, postgres
from kit.site import Site
from sqlalchemy import make_url


def test_the_desk_starts_on_the_database_of_every_earlier_version(tmp_path: Path) -> None:
    with ExitStack() as open_sites:
        sites = []
        for dump in sorted(SCHEMAS.glob("*.sql")):
            root = tmp_path / dump.stem
            root.mkdir()
            site = open_sites.enter_context(closing(Site(root)))
            restore(dump, root / "desk")
            site.start("desk", site.programs()["desk"][0])
            sites.append(site)
        for site in sites:
            site.wait_for("desk", 60)
            assert "Traceback" not in site.log("desk")
    assert len(sites) > 5


def test_a_desk_whose_database_is_too_new_does_not_start(tmp_path: Path) -> None:
    with closing(Site(tmp_path)) as site:
        newest = sorted(SCHEMAS.glob("revision-*.sql"))[-1]
        too_new = tmp_path / "too-new.sql"
        revision = newest.stem.removeprefix("revision-")
        too_new.write_text(newest.read_text().replace(f"VALUES('{revision}')", "VALUES('9999')"))
        file = restore(too_new, tmp_path / "desk")
        site.start("desk", site.programs()["desk"][0])
        assert site._processes.pop("desk").wait(60) == 1
        assert f"{file} is at revision 9999" in site.log("desk")
        assert "Traceback" not in site.log("desk")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


def test_a_hub_s_database_in_postgresql_is_upgraded(server: Postgres, tmp_path: Path) -> None:
    url = server.full_url()
    session = orm.new_session_factory(url)()
    session.add(orm.User(name="uada0000000000000"))
    session.commit()
    newest = revision_of(make_url(url))
    session.close()
    write_alembic_ini(str(tmp_path / "alembic.ini"), url)
    command.downgrade(Config(str(tmp_path / "alembic.ini")), "ff1860e38070")
    with pytest.raises(orm.DatabaseSchemaMismatch):
        orm.new_session_factory(url)
    migrate(url)
    assert revision_of(make_url(url)) == newest
    session = orm.new_session_factory(url)()
    assert [user.name for user in session.query(orm.User)] == ["uada0000000000000"]
    session.close()
