"""Two servers are compared place by place, and every difference is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import fingerprint


def test_equal_states_have_no_difference() -> None:
    state = {"files": {"/etc/x": ["0o640", "root:root", "abc"]}, "units": {}}
    assert fingerprint.differences(state, dict(state)) == []


def test_every_difference_is_named_by_its_place() -> None:
    one = {"files": {"/etc/x": ["0o640"], "/etc/y": ["0o600"]}, "units": {"nginx": "active"}}
    other = {"files": {"/etc/x": ["0o644"]}, "units": {"nginx": "active"}}
    assert fingerprint.differences(one, other) == [
        "/files//etc/x: ['0o640'] and ['0o644']",
        "/files//etc/y: ['0o600'] and None",
    ]


def test_a_fingerprint_of_other_sources_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "KEPT", tmp_path)
    monkeypatch.setattr(fingerprint, "sources", lambda: "now")
    fingerprint.keep("demo", {"units": {}})
    assert fingerprint.kept("demo") == {"units": {}}
    monkeypatch.setattr(fingerprint, "sources", lambda: "later")
    assert fingerprint.kept("demo") is None
    assert fingerprint.kept("other") is None
