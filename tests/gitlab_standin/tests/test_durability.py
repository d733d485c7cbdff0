"""kill -9 at any moment loses nothing that was answered; a backup brings everything back."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import gitlab
import httpx
import pytest
from gitlab.v4.objects import Project
from gitlab_standin import testing
from gitlab_standin.testing import Standin, free_port, process_environment, running_standin

from .conftest import git


@pytest.fixture
def killed(tmp_path: Path) -> Standin:
    standin = testing.start(tmp_path / "gitlab", free_port())
    standin.root_token = testing.make_root_token(standin)
    return standin


def _again(standin: Standin) -> Standin:
    fresh = testing.start(standin.root, standin.port)
    fresh.root_token = standin.root_token
    return fresh


def test_writes_that_were_answered_survive_kills(killed: Standin) -> None:
    made: list[str] = []
    standin = killed
    for round_number in range(4):
        client = standin.client(standin.root_token)

        def write(client: gitlab.Gitlab = client, start: int = round_number * 1000) -> None:
            try:
                for number in range(start, start + 1000):
                    name = f"u{number}"
                    client.users.create(
                        {
                            "username": name,
                            "name": name,
                            "email": f"{name}@example.org",
                            "force_random_password": True,
                        }
                    )
                    made.append(name)
            except (gitlab.exceptions.GitlabError, OSError):
                return

        thread = threading.Thread(target=write)
        enough = len(made) + random.randint(6, 20)
        thread.start()
        deadline = time.monotonic() + 60
        while len(made) < enough and time.monotonic() < deadline:
            time.sleep(0.01)
        standin.kill()
        thread.join()
        standin = _again(standin)
    try:
        present = {u.username for u in standin.gitlab.users.list(get_all=True, per_page=100)}
        assert set(made) <= present
        assert len(made) >= 24
    finally:
        standin.kill()


def test_pushes_and_forks_survive_kills(killed: Standin, tmp_path: Path) -> None:
    project = killed.gitlab.projects.create({"name": "p", "initialize_with_readme": True})
    group = killed.gitlab.groups.create({"name": "forks", "path": "forks"})
    clone = tmp_path / "c"
    git("clone", "-q", killed.git_url("root/p", killed.root_token), str(clone))
    pushed: list[str] = []
    forks: list[int] = []
    standin = killed
    for number in range(5):
        (clone / f"f{number}").write_text("x")
        git("add", ".", cwd=clone)
        git("commit", "-qm", f"c{number}", cwd=clone)
        forks.append(
            project.forks.create(
                {"namespace_id": group.id, "path": f"f{number}", "name": f"f{number}"}
            ).id
        )
        running = subprocess.Popen(["git", "push", "-q"], cwd=clone, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.0, 0.15))
        standin.kill()
        if running.wait() == 0:
            pushed.append(git("rev-parse", "HEAD", cwd=clone).stdout.strip())
        standin = _again(standin)
        project = standin.gitlab.projects.get(project.id)
        head = project.branches.get("main").commit["id"]
        assert (
            not pushed
            or git(
                "merge-base", "--is-ancestor", pushed[-1], head, cwd=clone, check=False
            ).returncode
            == 0
        )
    try:
        for fork in forks:
            for _ in range(200):
                state = standin.gitlab.projects.get(fork).import_status
                if state == "finished":
                    break
                time.sleep(0.05)
            assert state == "finished"
        assert git("push", "-q", cwd=clone).returncode == 0
    finally:
        standin.kill()


def _backup(standin: Standin, *words: str, yes: bool = True) -> subprocess.CompletedProcess[str]:
    env = {"GITLAB_STANDIN_ROOT": str(standin.root), **({"GITLAB_ASSUME_YES": "1"} if yes else {})}
    return subprocess.run(
        [sys.executable, "-m", "gitlab_standin.backup", *words],
        env=process_environment() | env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_a_backup_brings_back_people_projects_and_commits(tmp_path: Path) -> None:
    with running_standin(tmp_path) as standin:
        gl = standin.gitlab
        project = gl.projects.create({"name": "p", "initialize_with_readme": True})
        assert isinstance(project, Project)
        head = project.commits.list()[0].id
        assert _backup(standin, "create", "BACKUP=one").returncode == 0
        assert "already exists" in _backup(standin, "create", "BACKUP=one").stderr
        archive = standin.root / "var/opt/gitlab/backups/one_gitlab_backup.tar"
        assert archive.stat().st_mode & 0o777 == 0o600
        listing = subprocess.run(["tar", "tf", archive], capture_output=True, text=True, check=True)
        assert "secrets" not in listing.stdout
        project.files.create(
            {"file_path": "later", "branch": "main", "content": "x", "commit_message": "later"}
        )
        gl.projects.create({"name": "also later"})
        assert "no such thing" not in _backup(standin, "restore", "BACKUP=two").stdout
        assert _backup(standin, "restore", "BACKUP=two").returncode == 1
        assert _backup(standin, "restore", "BACKUP=one", yes=False).returncode == 1
        assert len(gl.projects.list()) == 2
        restored = _backup(standin, "restore", "BACKUP=one")
        assert restored.returncode == 0, restored.stderr
        assert [p.name for p in gl.projects.list()] == ["p"]
        assert gl.projects.get(project.id).commits.list()[0].id == head
        assert httpx.get(f"{standin.url}/-/readiness").status_code == 200
