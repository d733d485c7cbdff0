"""Two checkouts on one machine do not take each other's demo."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import demo
from world.run import WorldError


@pytest.fixture
def container_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with Docker where the demo's container exists. Returns where secrets go."""
    monkeypatch.setattr(demo, "succeeds", lambda *_: True)
    monkeypatch.setattr(demo.needs, "common", lambda _: None)
    monkeypatch.setattr(demo.needs, "ports", lambda *_: None)
    monkeypatch.setattr(demo.needs, "memory", lambda *_: None)
    monkeypatch.setattr(demo, "VARS", tmp_path / "vars.yml")
    monkeypatch.setattr(demo.Target, "checkout", lambda _: None)
    return tmp_path / "vars.yml"


@pytest.mark.usefixtures("container_there")
def test_a_demo_of_another_checkout_is_left_alone() -> None:
    with pytest.raises(WorldError, match="another checkout's demo has it"):
        demo.check(None)


def test_our_own_demo_is_taken_up_again(container_there: Path) -> None:
    container_there.write_text("{}")
    demo.check(None)


def test_secrets_of_a_former_demo_do_not_make_another_checkout_s_ours(
    container_there: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    container_there.write_text("{}")
    monkeypatch.setattr(demo.Target, "checkout", lambda _: tmp_path)
    with pytest.raises(WorldError, match="another checkout's demo has it"):
        demo.check(None)


def test_a_checkout_that_was_moved_keeps_its_demo(
    container_there: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    container_there.write_text("{}")
    monkeypatch.setattr(demo.Target, "checkout", lambda _: tmp_path / "where-it-was")
    demo.check(None)


def test_a_demo_that_is_still_needed_is_not_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def removed(*_: object) -> bool:
        raise AssertionError("something was removed")

    for module, name in ((demo.lms, "stop"), (demo, "remove_server"), (demo.shutil, "rmtree")):
        monkeypatch.setattr(module, name, removed)
    note = tmp_path / "demo-kept"
    monkeypatch.setenv("KEEP_DEMO", str(note))
    assert demo.down() is False
    assert note.exists()
