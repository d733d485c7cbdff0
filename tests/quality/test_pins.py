"""The pinned tools install wherever the README says that they do."""

from __future__ import annotations

from importlib.metadata import distributions

from packaging.specifiers import SpecifierSet

OLDEST = "3.11.2"  # Debian 12's own Python


def test_every_tool_installs_on_the_oldest_python() -> None:
    refused = {
        f"{one.name} {one.version} needs Python {wanted}"
        for one in distributions()
        if (wanted := one.metadata["Requires-Python"]) and not SpecifierSet(wanted).contains(OLDEST)
    }
    assert refused == set()
