"""What the documentation of a module says is what the module takes."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from world import paths

MODULES = (
    "git_mirror",
    "git_publish",
    "gitlab_instance_info",
    "gitlab_settings",
    "gitlab_template",
    "lti_consumers",
)
FRAGMENTS = {"mooc.atelier.gitlab"}


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


def documented(module: Any) -> dict[str, Any]:
    documentation = yaml.safe_load(module.DOCUMENTATION)
    options = dict(documentation["options"])
    if FRAGMENTS & set(documentation["extends_documentation_fragment"]):
        fragment = (paths.ROOT / "plugins/doc_fragments/gitlab.py").read_text()
        options |= yaml.safe_load(fragment.split('r"""')[1].split('"""')[0])["options"]
    return options


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


@pytest.mark.parametrize("name", MODULES)
def test_options(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"ansible_collections.mooc.atelier.plugins.modules.{name}")
    arguments = taken(module, monkeypatch)
    said = {option: plain(value) for option, value in documented(module).items()}
    does = {option: plain(value) for option, value in arguments["argument_spec"].items()}
    assert said == does


@pytest.mark.parametrize("name", MODULES)
def test_check_mode_is_supported_as_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"ansible_collections.mooc.atelier.plugins.modules.{name}")
    said = yaml.safe_load(module.DOCUMENTATION)["attributes"]["check_mode"]["support"]
    assert taken(module, monkeypatch)["supports_check_mode"] is (said == "full")


@pytest.mark.parametrize("name", MODULES)
def test_examples_and_returns_are_yaml(name: str) -> None:
    module = importlib.import_module(f"ansible_collections.mooc.atelier.plugins.modules.{name}")
    for task in yaml.safe_load(module.EXAMPLES):
        assert f"mooc.atelier.{name}" in task
    for key, value in yaml.safe_load(module.RETURN).items():
        assert {"description", "type", "returned"} <= set(value), key
