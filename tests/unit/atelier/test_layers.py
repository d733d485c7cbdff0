"""Which layer may import which; small rules of the server."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import atelier
import pytest
from atelier.config.models import Settings
from atelier.desk.logs import scrub
from atelier.gitlab.client import expiry
from atelier.hub.engines.base import extra_hosts, git_environment

SOURCE = Path(str(atelier.__file__)).parent
# From the top down: a package imports only from those below it, hub and desk not from each other.
LAYERS = [
    {"cli", "desk", "hub"},
    {"messages"},
    {"courses"},
    {"gitlab", "homes"},
    {"lti"},
    {"exercises", "learner", "web"},
    {"sandbox"},
    {"config"},
    {"i18n", "identity", "limits", "sqlite_files"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.name)
def test_a_package_imports_only_from_layers_below(path: Path) -> None:
    package = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if package == "__init__":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("atelier."):
            other = str(node.module).split(".")[1]
            assert other == package or LEVEL[other] > LEVEL[package], f"{path.name} imports {other}"
    assert len(path.read_text().splitlines()) <= 400


def test_a_token_lives_a_whole_day_at_least() -> None:
    # GitLab kills a token at 00:00 UTC of its date: made at 23:59, it must outlive the next day.
    assert expiry(date(2026, 12, 30), 1) == date(2027, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "password glpat-AbCdEfGhIjKlMnOpQrSt refused",
        "Authorization: token 0123456789abcdef0123",
        "{'private_token': 'AbCdEfGhIjKlMnOpQrSt'}",
    ],
)
def test_logs_hide_what_looks_like_a_token(text: str) -> None:
    shown = scrub(text)
    assert "[hidden]" in shown
    assert "AbCdEfGhIj" not in shown
    assert "0123456789" not in shown


def test_names_below_localhost_are_told_to_git() -> None:
    settings = Settings.model_validate(
        {
            "site": {
                "hub_url": "https://hub.atelier.localhost:8443",
                "gitlab_url": "https://gitlab.atelier.localhost:8443",
            }
        }
    )
    assert extra_hosts(settings) == {
        "hub.atelier.localhost": "172.30.0.1",
        "gitlab.atelier.localhost": "172.30.0.1",
    }
    assert git_environment(settings) == {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.curloptResolve",
        "GIT_CONFIG_VALUE_0": "gitlab.atelier.localhost:8443:172.30.0.1",
    }
    elsewhere = settings.model_copy(
        update={"site": settings.site.model_copy(update={"gitlab_here": False})}
    )
    assert extra_hosts(elsewhere) == {"hub.atelier.localhost": "172.30.0.1"}
    assert git_environment(elsewhere) == {}
    public = Settings.model_validate(
        {"site": {"hub_url": "https://hub.x.org", "gitlab_url": "https://gitlab.x.org"}}
    )
    assert git_environment(public) == {}
