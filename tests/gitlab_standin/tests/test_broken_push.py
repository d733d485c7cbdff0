"""A push cut off half-way, by the client or by the death of the service, leaves no process."""

from __future__ import annotations

import base64
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from gitlab_standin.testing import Standin, running_standin


def _git_processes(root: Path) -> list[int]:
    """Processes of git working on repositories below `root`."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            content = environment.read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if f"GIT_PROJECT_ROOT={root}".encode() in content:
            found.append(int(environment.parent.name))
    return found


def _half_a_push(standin: Standin) -> socket.socket:
    address = urlsplit(standin.url)
    credentials = base64.b64encode(f"root:{standin.root_token}".encode()).decode()
    connection = socket.create_connection((address.hostname or "", address.port or 80), timeout=10)
    connection.sendall(
        (
            "POST /root/p.git/git-receive-pack HTTP/1.1\r\n"
            f"Host: {address.netloc}\r\n"
            f"Authorization: Basic {credentials}\r\n"
            "Content-Type: application/x-git-receive-pack-request\r\n"
            "Content-Length: 441\r\n\r\n00a8"
        ).encode()
    )
    return connection


def _until(wanted: bool, root: Path) -> bool:
    for _ in range(100):
        if bool(_git_processes(root)) is wanted:
            return True
        time.sleep(0.1)
    return False


def test_the_death_of_the_service_ends_its_git(tmp_path: Path) -> None:
    with running_standin(tmp_path) as standin:
        standin.gitlab.projects.create({"name": "p", "initialize_with_readme": True})
        connection = _half_a_push(standin)
        assert _until(True, tmp_path), "the push never began"
        standin.kill()
        connection.close()
        assert _until(False, tmp_path), "git goes on without its service"
