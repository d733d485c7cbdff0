"""A scenario is not repeated only while nothing it is made from has changed, and never in CI."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from world import passed, paths


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "KEPT", tmp_path / "passed")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("ATELIER_AGAIN", raising=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout: `course` needs `gitlab`, which needs `docker`; `nginx` needs nobody."""
    root = tmp_path / "checkout"
    for name in passed.COMMON:
        if Path(name).suffix:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)
        else:
            (root / name).mkdir(parents=True)
            (root / name / "something").write_text(name)
    for role, text in {
        "course": "- role: mooc.atelier.gitlab",
        "gitlab": "src: '{{ role_path }}/../../roles/docker/files/x'",
        "docker": "mooc.atelier.wait_ready: {}",
        "nginx": "nothing",
    }.items():
        (root / "roles" / role / "tasks").mkdir(parents=True)
        (root / "roles" / role / "tasks/main.yml").write_text(text)
        (root / "molecule" / role).mkdir()
        (root / "molecule" / role / "converge.yml").write_text(f"- role: mooc.atelier.{role}")
    (root / "molecule/default").mkdir()
    return root


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("course", ["course", "docker", "gitlab"]),
        ("nginx", ["nginx"]),
        ("default", ["course", "docker", "gitlab", "nginx"]),
    ],
)
def test_a_scenario_depends_on_the_roles_it_names_and_on_theirs(
    checkout: Path, scenario: str, expected: list[str]
) -> None:
    assert passed.roles(scenario, checkout) == expected


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("roles/docker/tasks/main.yml", {"course", "default", "docker", "gitlab"}),
        ("molecule/nginx/converge.yml", {"nginx"}),
        ("tests/world/something", {"course", "default", "docker", "gitlab", "nginx"}),
        ("README.md", set()),
    ],
)
def test_what_changed_decides_what_runs_again(
    checkout: Path, changed: str, again: set[str]
) -> None:
    scenarios = ["course", "default", "docker", "gitlab", "nginx"]
    for scenario in scenarios:
        passed.note(scenario, passed.inputs(scenario, checkout))
    (checkout / changed).write_text("other")
    runs = {one for one in scenarios if not passed.lately(one, passed.inputs(one, checkout))}
    assert runs == again


@pytest.mark.parametrize("variable", ["CI", "ATELIER_AGAIN"])
def test_everything_runs_again_in_ci_and_for_who_asks(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed.note("nginx", "inputs")
    assert passed.lately("nginx", "inputs")
    monkeypatch.setenv(variable, "1")
    assert passed.lately("nginx", "inputs") is None


@pytest.mark.parametrize("seconds", [passed.GOOD_FOR_SECONDS + 1, -60])
def test_what_passed_yesterday_or_by_a_clock_gone_wrong_runs_again(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed.note("nginx", "inputs")
    now = time.time()
    monkeypatch.setattr(passed.time, "time", lambda: now + seconds)
    assert passed.lately("nginx", "inputs") is None


def test_one_that_was_begun_again_has_not_passed() -> None:
    passed.note("nginx", "inputs")
    passed.forget("nginx")
    passed.forget("nginx")
    assert passed.lately("nginx", "inputs") is None


def test_a_change_of_the_real_docker_role_repeats_what_is_installed_on_it(tmp_path: Path) -> None:
    root = tmp_path / "copy"
    for name in ("molecule", "roles"):
        shutil.copytree(paths.ROOT / name, root / name)
    needing = {path.name for path in (root / "molecule").iterdir()} - {"_shared"}
    assert {one for one in needing if "docker" in passed.roles(one, root)} >= {
        "course", "course_image", "default", "docker", "gitlab", "jupyterhub",
    }  # fmt: skip


LONG = {
    "tests/e2e/": "tests/e2e/test_site.py",
    "tests/integration/modules/test_keys.py": "tests/integration/modules/test_keys.py",
    "tests/integration/atelier/test_rain.py": "tests/integration/atelier/test_rain.py",
    "tests/gitlab_standin/tests/test_users.py": "tests/gitlab_standin/tests/test_users.py",
}


@pytest.fixture
def tried(checkout: Path) -> Path:
    """The small checkout with a few long tests, and a quick one."""
    for path in (*LONG.values(), "tests/integration/modules/killed.py", "tests/unit/test_x.py"):
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(path)
    for name in passed.TOOLS:
        path = checkout / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    return checkout


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("roles/docker/tasks/main.yml", {"e2e", "rain"}),
        ("plugins/something", {"e2e", "rain", "keys"}),
        ("tests/integration/modules/killed.py", {"keys"}),
        ("tests/integration/atelier/test_rain.py", {"rain"}),
        ("tests/e2e/test_site.py", {"e2e"}),
        ("tests/kit", {"e2e", "rain", "keys", "users"}),
        ("tests/unit/test_x.py", set()),
    ],
)
def test_what_changed_decides_which_long_tests_run_again(
    tried: Path, changed: str, again: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passed.units, "__defaults__", (tried,))
    tests = [f"{path}::test_it" for path in LONG.values()]
    assert set(passed.units()) == set(LONG)
    passed.note_units(passed.units(), {test: {"passed": 1} for test in tests})
    assert set(passed.units_lately(tests)) == set(tests)
    (tried / changed).write_text("other")
    runs = set(tests) - set(passed.units_lately(tests))
    assert {name for name in ("e2e", "rain", "keys", "users") if name in str(runs)} == again


@pytest.mark.parametrize(
    ("ended", "lately"),
    [
        ({"a": {"passed": 1}, "b": {"skipped": 1}}, True),
        ({"a": {"passed": 1}, "b": {"failed": 1}}, False),
        ({"a": {"passed": 1, "error": 1}}, False),
        ({"a": {"skipped": 1}}, False),
    ],
)
def test_a_file_has_passed_when_none_of_its_tests_failed_and_one_ran(
    ended: dict[str, dict[str, int]], lately: bool
) -> None:
    name = "tests/integration/modules/test_keys.py"
    before = passed.units()
    passed.note_units(before, {f"{name}::{test}": kinds for test, kinds in ended.items()})
    assert bool(passed.units_lately([f"{name}::a"])) is lately


def test_what_was_skipped_as_it_passed_stays_passed_and_a_failure_is_remembered() -> None:
    test = "tests/integration/modules/test_keys.py::test_it"
    passed.note_units(passed.units(), {test: {"passed": 1}})
    passed.note_units(passed.units(), {test: {"skipped": 1}})
    assert passed.units_lately([test])
    passed.note_units(passed.units(), {test: {"failed": 1}})
    assert not passed.units_lately([test])
