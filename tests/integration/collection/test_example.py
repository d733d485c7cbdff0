"""The example inventory is short; each key has a comment with a link that leads somewhere."""

from __future__ import annotations

import re

import pytest
import yaml
from world import paths

FOLDER = paths.ROOT / "inventories/example/group_vars/atelier"
TEXT = (FOLDER / "main.yml").read_text(encoding="utf-8")
PAGE = (paths.ROOT / "docs/configuration.md").read_text(encoding="utf-8")
HEADINGS = {
    re.sub(r"[^a-z0-9_ -]", "", line.lstrip("# ").lower()).replace(" ", "-")
    for line in PAGE.splitlines()
    if line.startswith("#")
}
KEYS = sorted(yaml.safe_load(TEXT))


def comment_above(key: str) -> str:
    lines = TEXT.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(f"{key}:"))
    return lines[place - 1]


def test_it_has_about_a_dozen_keys() -> None:
    assert 5 <= len(KEYS) <= 14


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_explained_on_the_line_above_with_a_link(key: str) -> None:
    comment = comment_above(key)
    assert comment.startswith("# ")
    link = re.search(r"docs/configuration\.md#(\S+)", comment)
    assert link is not None
    assert link[1] in HEADINGS


def test_every_link_leads_to_a_heading() -> None:
    assert set(re.findall(r"docs/configuration\.md#(\S+)", TEXT)) <= HEADINGS


def test_no_secret_is_in_the_settings_file() -> None:
    vault = yaml.safe_load((FOLDER / "vault.example.yml").read_text(encoding="utf-8"))
    assert all(f"{{{{ {name} }}}}" in TEXT for name in vault)
    assert set(vault.values()) == {"change-me"}
