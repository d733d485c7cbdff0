"""A browser walk can be looked at."""

from __future__ import annotations

import pytest
from kit.headed import visible


def test_the_browser_is_hidden_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("ATELIER_HEADED", raising=False)
    assert "headless" not in visible()
    monkeypatch.setenv("ATELIER_HEADED", "1")
    shown = visible()
    assert shown["headless"] is False
    assert shown["slow_mo"] > 0


def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_HEADED", "1")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.fail.Exception, match="needs a display"):
        visible()
