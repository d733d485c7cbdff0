"""A server that must stay as it is, and files that inventories get wrong."""

from __future__ import annotations

import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from world.target import Target

TAKEN_PORT = 9443
PLACES = ("/boot", "/etc", "/home", "/opt", "/root", "/srv", "/usr", "/var/lib", "/var/spool")


@dataclass(frozen=True)
class Server:
    """A bare server, and the moment from which it must not change."""

    target: Target

    def changes(self) -> list[str]:
        """Files made or changed since the fixture was set up; Ansible's own folder apart."""
        found = self.target.run(
            "find", *PLACES, "-xdev", "-cnewer", "/run/began", "-not", "-type", "d",
            "-not", "-path", "/var/lib/systemd/*",
        )  # fmt: skip
        return found.split()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start a bare server on which another program holds a port."""
    target = Target("atelier-test-preflight")
    target.down()
    target.up()
    target.run(
        "systemd-run", "--unit=elsewhere", "--service-type=exec",
        "python3", "-m", "http.server", str(TAKEN_PORT),
    )  # fmt: skip
    target.run("touch", "/run/began")
    yield Server(target)
    target.down()


@dataclass(frozen=True)
class Files:
    """Files on the controller that inventories name.

    Attributes:
        repository: address of a git repository with a branch `main`.
    """

    folder: Path
    repository: str

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Make certificates, an archive, a course directory, and serve a repository."""
    folder = tmp_path_factory.mktemp("files")
    names = ("hub.mooc.univ.test", "gitlab.mooc.univ.test", "*.notebooks.mooc.univ.test")
    key = write_pair(folder, "good", names)
    write_pair(folder, "no_wildcard", names[:2], key)
    write_pair(folder, "narrow", (names[0], names[2]), key)
    write_pair(folder, "expired", names, key, ends=-1)
    write_pair(folder, "other", names)
    (folder / "page.html").write_text("<html></html>")
    (folder / "course").mkdir()
    (folder / "course/README.md").write_text("# Course\n")
    (folder / "empty").mkdir()
    with tarfile.open(folder / "image.tar", "w") as archive:
        archive.add(folder / "page.html", "manifest.json")
    make_repository(folder / "git/rr1.git")
    handler = partial(QuietHandler, directory=str(folder / "git"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield Files(folder, f"http://127.0.0.1:{web.server_address[1]}/rr1.git")
        web.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves git's plain files ("dumb" protocol) without a log."""

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


def write_pair(
    folder: Path,
    name: str,
    names: tuple[str, ...],
    key: ec.EllipticCurvePrivateKey | None = None,
    ends: int = 90,
) -> ec.EllipticCurvePrivateKey:
    """Write `<name>.pem` and `<name>.key`; return the key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=ends))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return key


def make_repository(bare: Path) -> None:
    """Make a bare repository with one commit on `main`, ready for plain HTTP."""
    environment = {
        **os.environ,
        "GIT_AUTHOR_NAME": "Teacher", "GIT_AUTHOR_EMAIL": "teacher@univ.test",
        "GIT_COMMITTER_NAME": "Teacher", "GIT_COMMITTER_EMAIL": "teacher@univ.test",
    }  # fmt: skip

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "--git-dir", str(bare), *words],
            env=environment, check=True, capture_output=True, text=True, input="",
        )  # fmt: skip
        return done.stdout.strip()

    bare.mkdir(parents=True)
    git("init", "--quiet", "--bare", "--initial-branch=main")
    commit = git("commit-tree", "-m", "Start", git("mktree"))
    git("update-ref", "refs/heads/main", commit)
    git("update-server-info")
