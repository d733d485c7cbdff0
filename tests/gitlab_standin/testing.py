"""For tests: a stand-in as a process, with a root token.

with running_standin(tmp_path) as standin:
    standin.gitlab.projects.create({"name": "Demo"})
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from gitlab import Gitlab
from kit import fork_server
from kit.fork import Process

from gitlab_standin.contract import check_answer

TESTS = Path(__file__).resolve().parent.parent
STARTED_WITHIN_SECONDS = 30
IMPORTED = ("gitlab_standin.__main__", "gitlab_standin.rails", "httptools", "uvloop")
"""What a stand-in and `gitlab-rails` import; stand-ins of tests are forks that have it."""
ROOT_SCOPES = "%w[api sudo read_repository write_repository]"


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Standin:
    """A running stand-in."""

    root: Path
    port: int
    url: str
    root_password: str
    process: Process
    root_token: str = ""

    @property
    def gitlab(self) -> Gitlab:
        """A python-gitlab client of root, new at each use."""
        return self.client(self.root_token)

    def client(self, token: str) -> Gitlab:
        """A python-gitlab client with this token.

        Every answer it gets is checked: no field that GitLab's API does not have.
        """
        client = Gitlab(self.url, private_token=token, keep_base_url=True)
        client.session.hooks["response"].append(check_answer)
        return client

    def runner(self, script: str) -> str:
        """``gitlab-rails runner``; returns what the script prints, AssertionError when it fails."""
        words = ["gitlab_standin.rails", "--root", str(self.root), "runner", script]
        env = process_environment()
        if isinstance(self.process, fork_server.Fork):
            done = fork_server.run(fork_server.of(*IMPORTED), words, cwd=Path.cwd(), env=env)
        else:
            command = [sys.executable, "-m", *words]
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def git_url(self, path: str, token: str, username: str = "oauth2") -> str:
        """An address git can clone from, with the token in it: for tests only."""
        scheme, rest = self.url.split("://")
        return f"{scheme}://{username}:{token}@{rest}/{path}.git"

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


def process_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment in which ``python -m gitlab_standin`` is found."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GITLAB_", "GIT_CONFIG"))}
    return {**inherited, "PYTHONPATH": str(TESTS), **(extra or {})}


def default_gitlab_rb(url: str) -> str:
    """The least a stand-in needs."""
    return f"external_url '{url}'\n"


def start(
    root: Path,
    port: int,
    gitlab_rb_text: str | None = None,
    env: Mapping[str, str] | None = None,
    password: str | None = None,
    prefix: str = "",
) -> Standin:
    """Start the process in ``root`` (made when missing) and wait until it answers.

    ``prefix`` is the path of external_url, when it has one.
    """
    root.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}{prefix}"
    gitlab_rb = root / "gitlab.rb"
    if gitlab_rb_text is not None or not gitlab_rb.exists():
        gitlab_rb.write_text(gitlab_rb_text or default_gitlab_rb(url))
    password = password or secrets.token_urlsafe(18)
    words = ["gitlab_standin", "--root", str(root)]
    words += ["--gitlab-rb", str(gitlab_rb), "--port", str(port)]
    settings = {
        "GITLAB_ROOT_PASSWORD": password,
        "GITLAB_STANDIN_IMPORT_SECONDS": "0.1",
        **(env or {}),
    }
    with (root / "output.log").open("ab") as log:
        process = fork_server.fork(
            fork_server.of(*IMPORTED),
            words,
            cwd=Path.cwd(),
            env=process_environment(settings),
            output=log,
        )
    standin = Standin(root, port, url, password, process)
    deadline = time.monotonic() + STARTED_WITHIN_SECONDS
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            standin.kill()
            raise RuntimeError((root / "output.log").read_text())
        try:
            if httpx.get(f"{url}/-/readiness", timeout=2, trust_env=False).status_code == 200:
                return standin
        except httpx.HTTPError:
            time.sleep(0.05)


def make_root_token(standin: Standin) -> str:
    """A token of root, by the documented recipe."""
    return standin.runner(
        "user = User.find_by_username('root')\n"
        f"token = user.personal_access_tokens.create(name: 'tests', scopes: {ROOT_SCOPES},"
        " expires_at: 300.days.from_now)\n"
        "token.save!\n"
        "print token.token\n"
    )


@contextmanager
def running_standin(
    tmp_path: Path,
    gitlab_rb_text: str | None = None,
    *,
    port: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Standin]:
    """A stand-in below ``tmp_path``, stopped at the end.

    ``gitlab_rb_text`` is the whole gitlab.rb; it must name the address that is used, so give
    ``port`` with it.
    """
    assert shutil.which("ruby"), "ruby is needed to evaluate gitlab.rb: apt-get install ruby"
    standin = start(tmp_path / "gitlab", port or free_port(), gitlab_rb_text, env)
    try:
        standin.root_token = make_root_token(standin)
        yield standin
    finally:
        standin.process.terminate()
        try:
            standin.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            standin.kill()
