"""A Jupyter server with the toolbar, and a GitLab over HTTP that wants a token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from gitlab_standin.testing import free_port
from kit.two_servers import CREDENTIAL_HELPER, GitLab, git

GIT_TOKEN = "canary-of-git-9f1c27"
JUPYTER_TOKEN = "of-jupyter-1b5e"


@dataclass
class Jupyter:
    """A running server, and requests to it."""

    root: Path
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def client(self) -> httpx.Client:
        headers = {"Authorization": f"token {JUPYTER_TOKEN}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, trust_env=False)

    def get(self, name: str, **query: str) -> dict[str, Any]:
        with self.client as client:
            answer = client.get(f"/atelier-toolbar/{name}", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @contextmanager
    def lines(self, name: str, **asked: Any) -> Iterator[Iterator[dict[str, Any]]]:
        """The lines of a command, as they come."""
        url = f"/atelier-toolbar/{name}"
        with self.client as client, client.stream("POST", url, json=asked) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/x-ndjson"
            yield (json.loads(line) for line in answer.iter_lines())

    def post(self, name: str, **asked: Any) -> dict[str, Any]:
        """The last line of a command."""
        with self.lines(name, **{"path": "demo", "message": "work"} | asked) as lines:
            return list(lines)[-1]

    @property
    def top(self) -> Path:
        return self.root / "demo"


@pytest.fixture
def gitlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitLab]:
    """A project, and git's configuration of the learner's machine: name, address, helper."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "ATELIER_TOOLBAR"))]:
        monkeypatch.delenv(name)
    helper = tmp_path / "lending" / "git-credential-test"
    helper.parent.mkdir()
    helper.write_text(CREDENTIAL_HELPER)
    helper.chmod(0o755)
    (helper.parent / "lent").write_text(GIT_TOKEN)
    (tmp_path / "gitconfig").write_text(
        "[user]\n\tname = Ada L\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        f"[credential]\n\thelper = {helper}\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    server = GitLab.start(tmp_path / "gitlab", GIT_TOKEN)
    try:
        first = tmp_path / "first"
        git(tmp_path, "init", "-q", "first")
        (first / "notes.md").write_text("notes\n")
        git(first, "add", "-A")
        git(first, "commit", "-qm", "files of the course")
        git(first, "push", "-q", str(server.bare), "HEAD:main")
        yield server
    finally:
        server.stop()


@pytest.fixture
def jupyter(tmp_path: Path, gitlab: GitLab) -> Iterator[Jupyter]:
    """A server at debug level whose root folder has a clone."""
    root = tmp_path / "home"
    root.mkdir()
    git(root, "clone", "-q", gitlab.url, "demo")
    port = free_port()
    log = tmp_path / "jupyter.log"
    settings = {
        "ServerApp.jpserver_extensions": {"atelier_toolbar": True},
        "ServerApp.port": port,
        "ServerApp.root_dir": str(root),
        "ServerApp.allow_root": True,
        "ServerApp.open_browser": False,
        "ServerApp.log_level": "DEBUG",
        "IdentityProvider.token": JUPYTER_TOKEN,
    }
    nested: dict[str, dict[str, Any]] = {}
    for name, value in settings.items():
        owner, _, trait = name.partition(".")
        nested.setdefault(owner, {})[trait] = value
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(nested))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "JUPYTER_CONFIG_DIR": str(tmp_path),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server"], stdout=out, stderr=out, env=environment
        )
    running = Jupyter(root, f"http://127.0.0.1:{port}", process, log)
    try:
        while True:
            assert process.poll() is None, log.read_text()
            try:
                httpx.get(f"{running.url}/api", timeout=5, trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait()
