"""One `make dev` at a time in a checkout, and `make clean` only while none runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from world import checks, demo, dev, paths
from world.run import WorldError


def test_a_second_one_is_told_where_the_first_is(tmp_path: Path) -> None:
    folder = tmp_path / "dev"
    with dev.alone(folder):
        (folder / "ports.json").write_text(json.dumps({"page": 8700}))
        with pytest.raises(WorldError, match=rf"process {os.getpid()}\): http://127.0.0.1:8700/"):
            dev.alone(folder)
    dev.alone(folder).close()


def test_clean_leaves_a_running_one_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROOT", "DEV", "CACHE", "RESULTS"):
        monkeypatch.setattr(paths, name, tmp_path / name)
    monkeypatch.setattr(demo, "is_of_another_checkout", lambda: True)
    kept = paths.DEV / "secrets"
    with dev.alone(paths.DEV):
        kept.mkdir()
        with pytest.raises(WorldError, match="already runs"):
            checks.clean()
        assert kept.exists()
    assert checks.clean() == 0
    assert not paths.DEV.exists()
