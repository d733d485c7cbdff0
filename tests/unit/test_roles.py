"""What a person who reuses one role relies on: documented variables, specs equal to defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
SCENARIOS_WITHOUT_ROLE = {"_shared", "default"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def defaults(role: str) -> dict[str, Any]:
    return load(ROOT / "roles" / role / "defaults/main.yml") or {}


def options(role: str) -> dict[str, Any]:
    specs = load(ROOT / "roles" / role / "meta/argument_specs.yml")
    return specs["argument_specs"]["main"]["options"]


def test_every_role_of_the_design_is_there() -> None:
    assert set(ROLES) >= {
        "preflight", "docker", "nginx", "gitlab", "jupyterhub", "course_image", "course",
    }  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_argument_spec_names_the_defaults(role: str) -> None:
    required = {name for name, option in options(role).items() if option.get("required")}
    assert set(options(role)) - required == set(defaults(role)) - required


@pytest.mark.parametrize("role", ROLES)
def test_argument_spec_states_the_same_defaults(role: str) -> None:
    known = options(role)
    stated = {name: known[name]["default"] for name in known if "default" in known[name]}
    assert stated == {name: defaults(role)[name] for name in stated}


@pytest.mark.parametrize("role", ROLES)
def test_public_variables_begin_with_the_role_name(role: str) -> None:
    assert [name for name in defaults(role) if not name.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", ROLES)
def test_readme_names_every_variable(role: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text(encoding="utf-8")
    assert [name for name in options(role) if name not in readme] == []


@pytest.mark.parametrize("role", ROLES)
def test_main_is_a_table_of_contents(role: str) -> None:
    contents = {"import_tasks", "include_tasks", "meta", "import_role", "include_role"}
    for task in load(ROOT / "roles" / role / "tasks/main.yml"):
        modules = {key.removeprefix("ansible.builtin.") for key in task}
        assert modules & contents, f"{task.get('name')} does its work in main.yml"
        assert task.get("tags") or "meta" in modules, f"{task.get('name')} has no tag"


@pytest.mark.parametrize("playbook", ["site", "course"])
@pytest.mark.parametrize("role", ["course_image", "course"])
def test_a_documented_tag_of_a_role_reaches_it(playbook: str, role: str) -> None:
    steps = load(ROOT / "roles" / role / "tasks/main.yml")
    tags = {tag for step in steps for tag in step["tags"]} - {"always"}
    (play,) = load(ROOT / f"playbooks/{playbook}.yml")
    including = "ansible.builtin.include_role"  # whose own tags decide whether it is looked into
    (task,) = [
        task
        for task in play["tasks"]
        if task.get(including, {}).get("name") == f"mooc.atelier.{role}"
        and "tasks_from" not in task[including]
    ]
    assert set(task["tags"]) == tags
    assert task[including]["apply"]["tags"] == [role], "more would run what was not asked for"


@pytest.mark.parametrize("role", ROLES)
def test_role_has_a_molecule_scenario(role: str) -> None:
    assert (ROOT / "molecule" / role / "molecule.yml").is_file()


def test_no_scenario_is_without_its_role() -> None:
    scenarios = {path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml")}
    assert scenarios - SCENARIOS_WITHOUT_ROLE <= set(ROLES)


def test_a_course_image_is_recorded_when_all_else_is_done() -> None:
    # Without a record the next run does it all again: an interrupted one leaves nothing behind.
    tasks = load(ROOT / "roles/course_image/tasks/build.yml")
    assert tasks[-1]["ansible.builtin.import_tasks"] == "publish.yml"
    names = [task["name"] for task in load(ROOT / "roles/course_image/tasks/publish.yml")]
    assert names == ["List what the image is made of", "Record the new image"]
