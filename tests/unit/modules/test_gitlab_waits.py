"""The modules for one object wait for GitLab, and give up, as the modules for classes do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._gitlab import calls
from kit.clock import Clock
from kit.gitlab_double import TOKEN, Double, Groups, serve
from kit.modules import Ran, run

SETTING = {"settings": {"signup_enabled": False}}
COURSE = {"group": "rr1", "staff": [{"username": "alice"}]}
TASKS = {"gitlab_settings": SETTING, "gitlab_instance_info": {}, "gitlab_template": COURSE}


class GitLab(Groups):
    """All that the three modules ask for."""

    def answer(self, method: str, path: str, token: str | None, body: object) -> tuple[int, object]:
        course = path.removeprefix("/api/v4/").startswith(("groups", "projects", "users"))
        return (Groups if course else Double).answer(self, method, path, token, body)


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    known = GitLab()
    known.settings = {"signup_enabled": True}
    server = serve(known)
    yield known
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    clock.drive(monkeypatch, calls)
    return clock


def task(name: str, gitlab: Double, folder: Path) -> Ran:
    token_file = folder / "token"
    token_file.write_text(TOKEN)
    return run(name, api_url=gitlab.url, token_file=str(token_file), **TASKS[name])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TASKS)
def test_a_busy_gitlab_is_waited_for_as_long_as_it_asks(
    gitlab: GitLab, clock: Clock, tmp_path: Path, name: str
) -> None:
    gitlab.faults = [(429, {"Retry-After": "30"}), (429, {"Retry-After": "30"})]
    began = clock.now
    assert not task(name, gitlab, tmp_path).result.get("failed")
    assert 60 <= clock.now - began < 65


@pytest.mark.parametrize("name", TASKS)
def test_a_pause_of_an_hour_is_said_and_not_waited_for(
    gitlab: GitLab, clock: Clock, tmp_path: Path, name: str
) -> None:
    gitlab.faults = [(429, {"Retry-After": "3600"})]
    failure = task(name, gitlab, tmp_path).failure
    assert failure.startswith("GitLab asks to wait 3600 s before the next request (429)")
    assert clock.slept == []
    assert len(gitlab.asked) == 1


@pytest.mark.parametrize("name", TASKS)
def test_a_few_failures_are_not_noticed(
    gitlab: GitLab, clock: Clock, tmp_path: Path, name: str
) -> None:
    gitlab.faults = [(502, {}), "lost", (503, {})]
    assert not task(name, gitlab, tmp_path).result.get("failed")
    assert len(clock.slept) == 3


@pytest.mark.parametrize("name", TASKS)
def test_a_gitlab_that_stays_down_is_said_after_seven_tries(
    gitlab: GitLab, clock: Clock, tmp_path: Path, name: str
) -> None:
    gitlab.faults = [(502, {})] * 20
    failure = task(name, gitlab, tmp_path).failure
    assert f"GitLab at {gitlab.url} answered 502" in failure
    assert "(after 7 tries)" in failure
    assert len(gitlab.asked) == 7
    nobody = Double(url="http://127.0.0.1:9")
    failure = task(name, nobody, tmp_path).failure
    assert failure.startswith("GitLab at http://127.0.0.1:9 cannot be reached")
    assert "(after 7 tries)" in failure
    assert sum(clock.slept) < 60


@pytest.mark.parametrize("lost", [3, 4, 7])
def test_what_was_made_and_not_heard_of_is_made_once(
    gitlab: GitLab, clock: Clock, tmp_path: Path, lost: int
) -> None:
    """The group, the project or the member: the answer to the POST does not come."""
    gitlab.faults = [*[""] * (lost - 1), "lost"]
    assert task("gitlab_template", gitlab, tmp_path).changed
    made = [path for method, path, _ in gitlab.writes if method == "POST"]
    assert [path.rpartition("/")[2] for path in made] == ["groups", "projects", "members"]
    assert len(clock.slept) == 1
