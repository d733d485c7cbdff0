"""The pages a newcomer follows lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").glob("*.md"),
        *ROOT.glob("roles/*/README.md"),
    ]
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors that GitLab and GitHub give to a page's headings."""
    fenced = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    text = fenced.sub("", page.read_text(encoding="utf-8"))
    found = set(re.findall(r'<a id="([^"]+)"', text))
    for heading in HEADING.findall(text):
        words = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
        found.add(words.strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        known = anchors(target) if anchor and target.suffix == ".md" and target.exists() else None
        if not target.exists() or (known is not None and anchor not in known):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "changelogs/fragments").glob("*.yml")), ids=lambda path: path.stem
)
def test_an_entry_of_the_changelog_is_text(path: Path) -> None:
    # A colon followed by a space makes a mapping of a sentence, which only `ansible-test` tells.
    sections = yaml.safe_load(path.read_text())
    entries = [entry for section in sections.values() for entry in section]
    assert [entry for entry in entries if not isinstance(entry, str)] == []
