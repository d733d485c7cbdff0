"""Debian's PostgreSQL, started for a test: a server of its own, as an unprivileged user."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from kit.site import free_port

USER = "atelier"
SERVER_ACCOUNT = "postgres"
"""The server refuses to run as root; Debian's package brings this account."""


@dataclass(frozen=True)
class Postgres:
    """A running server with one empty database, whose user needs a password."""

    port: int
    password: str
    folder: Path

    def url(self, database: str = USER) -> str:
        """A database, as a settings file names it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def full_url(self, database: str = USER) -> str:
        """The same as SQLAlchemy needs it."""
        return self.url(database).replace(f"://{USER}@", f"+psycopg://{USER}:{self.password}@")

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's own programs."""
        programs = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
        assert programs, f"{program} is not installed: apt-get install postgresql"
        return subprocess.run(
            [str(programs[-1]), *arguments],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            user=SERVER_ACCOUNT if os.geteuid() == 0 else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        ).stdout

    def create(self, name: str) -> None:
        """Make a database."""
        admin = self.url("postgres")
        with psycopg.connect(admin, password=self.password, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self.run("pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop the server; ``immediate`` as if it had crashed."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", how, "stop")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server while the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="atelier-postgres-"))
    server = Postgres(free_port(), secrets.token_hex(16), folder)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SERVER_ACCOUNT)
        password = folder / "password"
        password.write_text(server.password)
        password.chmod(0o644)  # in a folder of the server's account alone
        server.run(
            "initdb", "-D", str(folder / "data"), "-U", USER, "-A", "scram-sha-256",
            "--pwfile", str(password), "-N",
        )  # fmt: skip
        server.start()
        try:
            server.create(USER)
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)
