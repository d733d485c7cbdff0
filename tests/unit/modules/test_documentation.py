"""What the documentation of a module says is what the module takes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from ansible.module_utils.basic import FILE_COMMON_ARGUMENTS
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from world import paths

PLUGINS = paths.ROOT / "plugins"
NAMES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
# The others are documentation alone: their work is done on the controller.
MODULES = [
    name
    for name in NAMES
    if "AnsibleModule(" in (PLUGINS / "modules" / f"{name}.py").read_text(encoding="utf-8")
]


class CapturedError(Exception):
    """Carries the arguments with which a module describes itself."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        super().__init__()
        self.arguments = arguments


def taken(module: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    def capture(**arguments: Any) -> None:
        raise CapturedError(arguments)

    monkeypatch.setattr(module, "AnsibleModule", capture)
    with pytest.raises(CapturedError) as captured:
        module.main()
    return dict(captured.value.arguments)


def documentation(name: str) -> dict[str, Any]:
    """What ansible-doc knows of a module, with what several modules share."""
    path = PLUGINS / "modules" / f"{name}.py"
    found = get_docstring(str(path), fragment_loader, collection_name="mooc.atelier")
    return dict(found[0])


def plain(option: dict[str, Any]) -> dict[str, Any]:
    """What both sides say of one option."""
    inner = option.get("suboptions") or option.get("options") or {}
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "required": option.get("required", False),
        "default": option.get("default"),
        "choices": option.get("choices"),
        "inner": {name: plain(value) for name, value in inner.items()},
    }


def option_of_ansible(option: str, arguments: dict[str, Any]) -> bool:
    """Whether the module takes it by `add_file_common_args`."""
    return bool(arguments.get("add_file_common_args")) and option in FILE_COMMON_ARGUMENTS


@pytest.mark.parametrize("name", MODULES)
def test_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"ansible_collections.mooc.atelier.plugins.modules.{name}")
    arguments = taken(module, monkeypatch)
    said = {
        option: plain(value)
        for option, value in documentation(name).get("options", {}).items()
        if not option_of_ansible(option, arguments)
    }
    does = {option: plain(value) for option, value in arguments["argument_spec"].items()}
    assert said == does


@pytest.mark.parametrize("name", MODULES)
def test_check_mode_is_supported_as_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"ansible_collections.mooc.atelier.plugins.modules.{name}")
    said = documentation(name)["attributes"]["check_mode"]["support"]
    assert taken(module, monkeypatch)["supports_check_mode"] is (said == "full")


@pytest.mark.parametrize("name", NAMES)
def test_examples_and_returns_are_yaml(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.mooc.atelier.plugins.modules.{name}")
    examples = yaml.safe_load(module.EXAMPLES)
    tasks = [task for item in examples for task in item.get("block", [item])]
    assert any(f"mooc.atelier.{name}" in task for task in tasks)
    for key, value in yaml.safe_load(module.RETURN).items():
        assert {"description", "type", "returned"} <= set(value), key
