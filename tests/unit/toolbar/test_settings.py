"""Where the toolbar's settings come from."""

from __future__ import annotations

import pytest
from atelier_toolbar.settings import Toolbar
from traitlets.config import Config


def test_without_settings_outputs_are_kept_and_ten_megabytes_allowed() -> None:
    toolbar = Toolbar()
    assert (toolbar.strip, toolbar.max_bytes) == (False, 10**7)


def test_the_course_sets_them_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_TOOLBAR_OUTPUTS", "strip")
    monkeypatch.setenv("ATELIER_TOOLBAR_MAX_FILE_MB", "25")
    toolbar = Toolbar()
    assert (toolbar.strip, toolbar.max_bytes) == (True, 25 * 10**6)


def test_jupyters_configuration_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_TOOLBAR_OUTPUTS", "strip")
    assert not Toolbar(config=Config({"Toolbar": {"outputs": "keep"}})).strip


@pytest.mark.parametrize("value", ["", "0", "-1", "ten", "1e3"])
def test_a_wrong_environment_is_as_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ATELIER_TOOLBAR_OUTPUTS", value)
    monkeypatch.setenv("ATELIER_TOOLBAR_MAX_FILE_MB", value)
    toolbar = Toolbar()
    assert (toolbar.strip, toolbar.max_bytes) == (False, 10**7)
