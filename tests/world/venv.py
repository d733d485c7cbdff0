"""The virtual environment for working on the collection, made again when its pins change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from world import paths
from world.images import digest, lock
from world.run import say, stream

REQUIREMENTS = paths.ROOT / "requirements-dev.txt"


def folder() -> Path:
    """Return the environment's folder: `ATELIER_VENV`, else `.venv` of the checkout."""
    return Path(os.environ.get("ATELIER_VENV") or paths.ROOT / ".venv").absolute()


def program(name: str) -> str:
    """Return the path of a program of the environment."""
    return str(folder() / "bin" / name)


def environment() -> dict[str, str]:
    """Return variables that let the environment's programs find each other and the collection."""
    return {
        "PATH": f"{folder() / 'bin'}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(paths.link_collection()),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "PYTHONPATH": ":".join(
            str(paths.ROOT / folder) for folder in ("tests", "files/atelier/src", "files/toolbar")
        ),
        "PYTHONUNBUFFERED": "1",
    }


def ensure() -> bool:
    """Make the environment unless it is there with the pinned packages. True when made."""
    if os.environ.get("ATELIER_VENV"):
        return False  # somebody else's: theirs to fill
    wanted = digest(REQUIREMENTS, f"{sys.version_info[:2]}", str(folder()))
    stamp = folder() / ".requirements"
    if stamp.exists() and stamp.read_text() == wanted:
        return False
    with lock("venv"):
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        say("==> virtual environment: installing the pinned tools (1 to 3 min)")
        stamp.unlink(missing_ok=True)
        if not _is_of_this_python():
            shutil.rmtree(folder(), ignore_errors=True)
            stream("making the virtual environment", [sys.executable, "-m", "venv", folder()])
        stream(
            "installing the pinned tools",
            [program("pip"), "install", "--disable-pip-version-check", "-r", REQUIREMENTS],
            env=_trust(),
            show=lambda line: f"   {line.strip()[:100]}" if "Downloading" in line else None,
        )
        stamp.write_text(wanted)
    return True


def _is_of_this_python() -> bool:
    """Whether the environment there works here, so that only what changed must be installed.

    What is pinned no more stays in it until `make clean`.
    """
    question = "import sys; print(sys.version_info[:2], sys.prefix)"
    try:
        answer = subprocess.run(
            [program("python"), "-c", question], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == f"{sys.version_info[:2]} {folder()}"


def _trust() -> dict[str, str]:
    """Let pip trust what the machine trusts: behind an inspecting proxy its list is not enough."""
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    if os.environ.get("PIP_CERT") or not system.exists():
        return {}
    return {"PIP_CERT": str(system)}
