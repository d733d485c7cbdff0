"""Several processes of the hub share one record of launches: each launch is accepted once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from atelier.cli import settings as settings_command
from atelier.lti.nonces import NonceStore
from kit.platform11 import Visitor
from kit.postgres import Postgres, postgres
from kit.site import ROOT, Site, free_port

NOW = 2_100_000_000  # ahead of today: a record refuses what is older than itself
Capture = pytest.CaptureFixture[str]

CLAIM = """
import sys
from atelier.lti.nonces import NonceStore
store = NonceStore(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    if store.claim("campus", 2_100_000_000, f"n{number}", now=2_100_000_000, expires=2_100_000_600):
        print(number, flush=True)
store.close()
"""
PROCESSES = 4


def claim_at_once(database: str) -> Counter[str]:
    """Several processes claim the same launches; how often each was given."""
    hubs = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, database],
            env={"PYTHONPATH": os.pathsep.join([str(ROOT / "files/atelier/src"), *sys.path])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for hub in hubs:
        assert hub.stdout is not None
        assert hub.stdout.readline() == "ready\n"
    for hub in hubs:  # all at once, once all are there
        assert hub.stdin is not None
        hub.stdin.write("go\n")
        hub.stdin.flush()
    won: Counter[str] = Counter()
    for hub in hubs:
        said, _ = hub.communicate(timeout=60)
        assert hub.returncode == 0
        won.update(said.split())
    return won


EACH_ONCE = {str(number): 1 for number in range(200)}


def test_each_launch_is_claimed_by_one_process(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/jupyterhub.sqlite"
    assert claim_at_once(database) == EACH_ONCE
    assert not claim_at_once(database), "what they recorded outlives them"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


def test_each_launch_is_claimed_by_one_process_on_postgresql(server: Postgres) -> None:
    assert claim_at_once(server.full_url()) == EACH_ONCE
    server.stop("immediate")
    server.start()
    assert not claim_at_once(server.full_url()), "a crash of the database loses nothing"


def test_each_launch_is_claimed_by_one_thread_on_postgresql(server: Postgres) -> None:
    server.create("threads")
    store = NonceStore(server.full_url("threads"))

    def claim(_: int) -> list[int]:
        return [
            number
            for number in range(50)
            if store.claim("k", NOW, f"n{number}", now=NOW, expires=NOW + 600)
        ]

    with ThreadPoolExecutor(8) as threads:
        won = Counter(number for mine in threads.map(claim, range(8)) for number in mine)
    store.close()
    assert won == dict.fromkeys(range(50), 1)


def test_expired_launches_are_forgotten_on_postgresql(server: Postgres) -> None:
    server.create("expired")
    store = NonceStore(server.full_url("expired"))
    later = NOW + 10 * 86_400
    assert store.claim("k", NOW, "n", now=NOW, expires=NOW + 600)
    assert not store.claim("k", NOW, "n", now=NOW + 86_000, expires=NOW + 600)
    assert store.claim("k", later, "m", now=later, expires=later + 600)
    with store._record._engine.connect() as connection:  # type: ignore[attr-defined]
        (count,) = connection.exec_driver_sql("SELECT count(*) FROM atelier_nonces").one()
    store.close()
    assert count == 1


def test_the_hub_keeps_users_and_launches_in_postgresql(server: Postgres, tmp_path: Path) -> None:
    server.create("hub")
    site = Site(tmp_path)
    site.write_settings(hub={"database_url": server.url("hub")})
    (tmp_path / "secrets/database_password").write_text(server.password + "\n")
    with closing(site):
        site.start_all()
        with Visitor(site.hub_url, site.consumer_secret, "42") as visitor:
            form = visitor.form(target="check")
            assert visitor.post(form).status_code == 302
            site.stop("hub", signal.SIGKILL)
            site.start_hub()
            assert visitor.post(form).status_code == 401, "a replay after a crash"
            assert visitor.post(visitor.form()).status_code == 302
            assert visitor.get("/hub/home").status_code == 200
        assert server.password not in site.log("hub")
    assert not list((tmp_path / "hub").glob("*.sqlite*"))


def test_a_database_is_looked_at_before_it_is_configured(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "database_password").write_text(server.password)
    assert settings_command.main(["database", server.url()]) == 0
    (tmp_path / "database_password").write_text("another")
    assert settings_command.main(["database", server.url()]) == 1
    said = capsys.readouterr().err
    assert "password authentication failed" in said
    assert "another" not in said
    nowhere = f"postgresql://atelier@127.0.0.1:{free_port()}/atelier"
    assert settings_command.main(["database", nowhere]) == 1
    assert "refused" in capsys.readouterr().err
