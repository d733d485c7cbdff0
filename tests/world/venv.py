"""The virtual environment for working on the collection, made again when its pins change."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from world import locks, paths
from world.images import digest, lock
from world.run import WorldError, say, stream

REQUIREMENTS = paths.ROOT / "requirements-dev.txt"
# No wheel, no installation: what builds a package would not be pinned.
HASHED = ("--require-hashes", "--only-binary", ":all:")
ANSIBLE_CONFIG = Path(__file__).with_name("ansible.cfg")
BYTECODE = paths.CACHE / "bytecode"
SHOWN = ("Downloading", "Resolved", "Prepared", "Installed")


def folder() -> Path:
    """Return the environment's folder: `ATELIER_VENV`, else `.venv` of the checkout."""
    return Path(os.environ.get("ATELIER_VENV") or paths.ROOT / ".venv").absolute()


def program(name: str) -> str:
    """Return the path of a program of the environment."""
    return str(folder() / "bin" / name)


def environment() -> dict[str, str]:
    """Return variables that let the environment's programs find each other and the collection.

    What Python compiles is kept in one folder, also for the checkout's own files: without it each
    of a thousand short processes would compile them again.
    """
    return {
        "PATH": f"{folder() / 'bin'}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(paths.link_collection()),
        "ANSIBLE_CONFIG": str(ANSIBLE_CONFIG),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "PYTHONPATH": ":".join(
            str(paths.ROOT / folder) for folder in ("tests", "files/atelier/src", "files/toolbar")
        ),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(BYTECODE),
        "PYTHONUNBUFFERED": "1",
    }


def full_environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's variables, with the environment's programs and authorities."""
    return {**os.environ, **environment(), **trust(), **more}


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
        _install()
        stamp.write_text(wanted)
    return True


def _install() -> None:
    """Install the pinned tools with uv, in half of pip's time; with pip where uv cannot."""
    pip = [program("pip"), "install", "--disable-pip-version-check", *HASHED]
    try:
        own = folder() / "uv.txt"
        own.write_text(locks.excerpt(REQUIREMENTS.read_text(encoding="utf-8"), "uv"))
        _stream("installing uv", [*pip, "-r", str(own)])
        # Not compiled: of 24,000 files a tenth is ever imported, see `environment`.
        uv = [program("uv"), "pip", "install", *HASHED, "--python", program("python")]
        _stream("installing the pinned tools", [*uv, "-r", str(REQUIREMENTS)])
    except WorldError as error:  # e.g. a mirror that only pip's configuration knows
        say(f"{error}\n   uv could not install them: pip does")
        _stream("installing the pinned tools", [*pip, "-r", str(REQUIREMENTS)])


def _stream(what: str, command: Sequence[str]) -> None:
    stream(
        what,
        command,
        env={**trust(), "UV_LINK_MODE": "copy"},  # no link into a cache that others write
        show=lambda line: f"   {line.strip()[:100]}" if line.strip().startswith(SHOWN) else None,
    )


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


def trust() -> dict[str, str]:
    """Let pip and uv trust what the machine does: behind an inspecting proxy theirs is too little.

    What is set for one of them already stays.
    """
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    file = os.environ.get("PIP_CERT") or (str(system) if system.exists() else "")
    names = ("PIP_CERT", "SSL_CERT_FILE") if file else ()
    return {name: os.environ.get(name) or file for name in names}
