"""The demo's course page: never taken for another one's, and stopped with an abandoned demo."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from world import demo, lms, process
from world.run import WorldError


@pytest.fixture
def stranger() -> Iterator[int]:
    """Serve HTTP on a port of this machine, as the course page of another checkout does."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_page_of_another_checkout_does_not_pass_for_ours(
    stranger: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lms, "PORT", stranger)
    monkeypatch.setattr(lms, "RECORD", tmp_path / lms.RECORD_NAME)
    monkeypatch.setattr(lms, "LOG", tmp_path / "lms.log")
    config = tmp_path / "demo.json"
    config.write_text("{}")
    with pytest.raises(WorldError, match=rf"listens on 127\.0\.0\.1:{stranger}.*\n.*demo-down"):
        lms.ensure("127.0.0.1", config)
    assert not (tmp_path / lms.RECORD_NAME).exists()


class Abandoned:
    """The target of a demo that another checkout made."""

    def __init__(self, checkout: Path | None) -> None:
        self.made_by = checkout
        self.there = True

    def checkout(self) -> Path | None:
        return self.made_by

    def down(self) -> bool:
        self.there = False
        return True


def test_the_course_page_goes_with_an_abandoned_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Abandoned(tmp_path)
    monkeypatch.setattr(demo, "TARGET", target)
    with subprocess.Popen(["sleep", "60"]) as page:
        process.record(tmp_path / ".demo" / lms.RECORD_NAME, page.pid, "course page")
        assert demo.remove_server()
        page.wait(timeout=10)  # alive, it would sleep on; its status may have been taken
    assert not target.there


def test_an_abandoned_demo_of_an_unknown_checkout_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = Abandoned(None)
    monkeypatch.setattr(demo, "TARGET", target)
    assert demo.remove_server()
    assert not target.there
