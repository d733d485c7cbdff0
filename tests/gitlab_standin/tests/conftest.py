"""A stand-in per test file, and what several files need."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest
from gitlab.v4.objects import Project, User
from gitlab_standin.testing import Standin, running_standin

NewUser = Callable[..., User]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    with running_standin(tmp_path_factory.mktemp("standin")) as running:
        yield running


@pytest.fixture
def gl(standin: Standin) -> gitlab.Gitlab:
    return standin.gitlab


@pytest.fixture(scope="module")
def new_user(standin: Standin) -> NewUser:
    """Makes learners as the collection does."""
    numbers = iter(range(1, 10_000))

    def make(**changes: Any) -> User:
        name = f"learner{next(numbers)}"
        values = {
            "username": name,
            "name": f"Learner {name}",
            "email": f"{name}@example.org",
            "force_random_password": True,
            "skip_confirmation": True,
            "provider": "oauth2_generic",
            "extern_uid": name,
            **changes,
        }
        user = standin.gitlab.users.create(values)
        assert isinstance(user, User)
        return user

    return make


@pytest.fixture(scope="module")
def template(standin: Standin) -> Project:
    """A course's template project, internal, with one file."""
    gl = standin.gitlab
    group = gl.groups.create({"name": "Course", "path": "course", "visibility": "internal"})
    project = gl.projects.create(
        {
            "name": "template",
            "namespace_id": group.id,
            "visibility": "internal",
            "initialize_with_readme": True,
        }
    )
    assert isinstance(project, Project)
    return project


def token_of(user: User, *scopes: str, expires_at: str = "2100-01-01") -> str:
    """An impersonation token; ``expires_at`` beyond a year is cut to what GitLab allows."""
    import datetime as dt

    latest = (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=300)).isoformat()
    date = min(expires_at, latest)
    made = user.impersonationtokens.create({"name": "t", "scopes": scopes, "expires_at": date})
    assert isinstance(made.token, str)
    return made.token


def git(
    *arguments: str, cwd: Path | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run git as a person would, without anybody's configuration."""
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "A Learner",
        "GIT_AUTHOR_EMAIL": "learner@example.org",
        "GIT_COMMITTER_NAME": "A Learner",
        "GIT_COMMITTER_EMAIL": "learner@example.org",
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        ["git", *arguments], cwd=cwd, env=env, text=True, capture_output=True, check=check
    )


def fork_of(standin: Standin, template: Project, user: User, path: str = "course") -> Project:
    """A finished fork in the person's own namespace."""
    import time

    gl = standin.gitlab
    made = template.forks.create({"namespace_path": user.username, "path": path, "name": path})
    for _ in range(200):
        fork = gl.projects.get(made.id)
        if fork.import_status == "finished":
            assert isinstance(fork, Project)
            return fork
        assert fork.import_status in {"scheduled", "started"}
        time.sleep(0.05)
    raise AssertionError(fork.import_status)
