"""The pinned tools are installed by uv, and by pip where uv cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from world import venv
from world.run import WorldError

Commands = list[list[str]]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commands:
    """A checkout without an environment. Returns the commands that were run there."""
    ran: Commands = []

    def stream(what: str, command: Sequence[str | Path], **_: object) -> None:
        del what
        ran.append([str(word) for word in command])

    pins = tmp_path / "requirements.txt"
    pins.write_text("ruff==0.1\nuv==0.2 \\\n    --hash=sha256:00\n")
    monkeypatch.delenv("ATELIER_VENV", raising=False)
    monkeypatch.setattr(venv.paths, "ROOT", tmp_path)
    monkeypatch.setattr(venv, "REQUIREMENTS", pins)
    monkeypatch.setattr(venv, "stream", stream)
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(venv, "_is_of_this_python", lambda: True)
    return ran


def shape(commands: Commands) -> list[tuple[str, str]]:
    """The programs, with what they install."""
    return [(Path(program).name, Path(last).name) for program, *_, last in commands]


def test_uv_installs_everything_once(commands: Commands) -> None:
    assert venv.ensure()
    assert shape(commands) == [("pip", "uv.txt"), ("uv", "requirements.txt")]
    assert (venv.folder() / "uv.txt").read_text() == "uv==0.2 \\\n    --hash=sha256:00\n"
    assert all("--require-hashes" in command for command in commands)
    assert not venv.ensure()


@pytest.mark.parametrize("fails", ["uv.txt", "requirements.txt"])
def test_pip_does_it_where_uv_cannot(
    fails: str, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stream(what: str, command: Sequence[str | Path], **_: object) -> None:
        commands.append([str(word) for word in command])
        if len(commands) < 3 and Path(command[-1]).name == fails:
            raise WorldError(what)

    monkeypatch.setattr(venv, "stream", stream)
    assert venv.ensure()
    assert shape(commands)[-1] == ("pip", "requirements.txt")
    assert not venv.ensure()


def test_an_environment_that_could_not_be_filled_is_tried_again(
    commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stream(what: str, command: Sequence[str | Path], **_: object) -> None:
        del command
        raise WorldError(what)

    with monkeypatch.context() as broken:
        broken.setattr(venv, "stream", stream)
        with pytest.raises(WorldError, match="installing the pinned tools"):
            venv.ensure()
    assert venv.ensure()
    assert commands


def test_what_python_compiles_is_kept_apart_from_the_sources(tmp_path: Path) -> None:
    (tmp_path / "imported.py").write_text("")
    cache = tmp_path / "bytecode"
    env = {**venv.environment(), "PYTHONPATH": str(tmp_path), "PYTHONPYCACHEPREFIX": str(cache)}
    subprocess.run([sys.executable, "-c", "import imported"], env=env, check=True)
    assert list(cache.rglob("imported.*.pyc"))
    assert not (tmp_path / "__pycache__").exists()
    assert Path(venv.environment()["PYTHONPYCACHEPREFIX"]).is_relative_to(venv.paths.CACHE)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"PIP_CERT": "/a"}, {"PIP_CERT": "/a", "SSL_CERT_FILE": "/a"}),
        ({"PIP_CERT": "/a", "SSL_CERT_FILE": "/b"}, {"PIP_CERT": "/a", "SSL_CERT_FILE": "/b"}),
    ],
)
def test_authorities_are_those_of_the_machine(
    given: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_CERT", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert venv.trust() == expected
