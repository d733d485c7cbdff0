"""What the role says of variables that cannot work, before it changes anything."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from world import paths, venv

HERE = Path(__file__).parent
GOOD: dict[str, Any] = {
    "ansible_connection": "local",
    "atelier_domain": "mooc.example.org",
    "atelier_gitlab_root_password": "correct horse battery",
    "memory_mb": 8000,
}
SITES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "good": ({}, []),
    "password": (
        {"atelier_gitlab_root_password": "short"},
        ["atelier_gitlab_root_password (gitlab_root_password) must be set and have at least 12"],
    ),
    "both": (
        {"gitlab_smtp": {"tls": True, "starttls": True}, "gitlab_image": "gitlab/gitlab-ce:18.1.0"},
        [
            "gitlab_smtp has both tls and starttls, and GitLab would not start",
            "gitlab_image is gitlab/gitlab-ce:18.1.0, but gitlab.rb as this role writes it needs",
        ],
    ),
    "untold": ({"gitlab_image": "registry.example.org:5000/gitlab"}, []),
    "token": (
        {"gitlab_deployment": "external", "atelier_gitlab_root_password": ""},
        ["gitlab_admin_token must hold an administrator's access token of https://gitlab.mooc"],
    ),
    "external": ({"gitlab_deployment": "external", "gitlab_admin_token": "glpat-0"}, []),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the role's check says of each site; an empty text where it finds nothing."""
    folder = tmp_path_factory.mktemp("checked")
    hosts = {name: {**GOOD, **variables} for name, (variables, _) in SITES.items()}
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    extra = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "rendered": str(folder),
        "role_template": str(paths.ROOT / "roles/gitlab/templates/gitlab.rb.j2"),
    }
    done = subprocess.run(
        [venv.program("ansible-playbook"), "-i", str(inventory), "-e", json.dumps(extra),
         str(HERE / "render.yml")],
        env={
            **os.environ, **venv.environment(),
            "ANSIBLE_COLLECTIONS_PATH": str(paths.link_collection()),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    tasks = json.loads(done.stdout)["plays"][0]["tasks"]
    (checks,) = [
        one["hosts"] for one in tasks if one["task"]["name"].endswith("Check the variables")
    ]
    return {name: one["msg"] if one.get("failed") else "" for name, one in checks.items()}


@pytest.mark.parametrize("site", SITES)
def test_all_that_is_wrong_is_said_at_once(said: dict[str, str], site: str) -> None:
    expected = SITES[site][1]
    lines = said[site].splitlines()
    assert len(lines) == len(expected)
    for line, start in zip(lines, expected, strict=True):
        assert start in line


def test_no_secret_is_said(said: dict[str, str]) -> None:
    assert "short" not in said["password"]
