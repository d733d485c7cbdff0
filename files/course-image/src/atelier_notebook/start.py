"""`atelier-start`, the image's entry point: prepares the clone and executes the notebook server.

A child prepares the clone while this process starts the server, which takes a second. The server
opens its port when the child has ended (see `gate`).

The server also starts if the clone fails, so that the learner can read in Jupyter
what happened, and save their work.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from atelier_notebook import clone, gate, texts

SERVER = "jupyterhub-singleuser"
NOTICE = "A_LIRE-READ_ME.md"
FONTS = Path("/opt/atelier/matplotlib")
SETTINGS = Path(".config/atelier")
RESERVE_BYTES = 64 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)


def say(message: str) -> None:
    """Write one line to the container's log."""
    print(f"atelier-start: {message}", file=sys.stderr, flush=True)


def command(arguments: list[str]) -> tuple[bool, list[str]]:
    """Return whether to start the notebook server, and the command to execute.

    `docker run IMAGE` and `docker run IMAGE --some-option` mean the server, as does naming it;
    any other word is a command (`docker run IMAGE atelier-smoke`).
    """
    if not arguments or arguments[0].startswith("-"):
        return True, [SERVER, *arguments]
    return Path(arguments[0]).name == SERVER, arguments


def quoted(value: str) -> str:
    """Return `value` quoted for git's configuration files, on one line."""
    flat = " ".join(value.split())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


def write_identity(home: Path, environment: Mapping[str, str]) -> None:
    """Write the learner's name and e-mail address for git, to a file that /etc/gitconfig includes.

    The learner's own ~/.gitconfig overrides it.
    """
    name = environment.get("ATELIER_LEARNER_NAME", "")
    email = environment.get("ATELIER_LEARNER_EMAIL", "")
    found = [("name", name), ("email", email)]
    rows = [f"\t{key} = {quoted(value)}" for key, value in found if value.strip()]
    path = home / SETTINGS / "gitconfig"
    text = "\n".join(["[user]", *rows]) + "\n" if rows else ""
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except OSError:
        pass
    write_whole(path, text)


def keep_reserve(home: Path) -> None:
    """Reserve disk space, which is freed for the notice when the disk is full."""
    reserve = home / SETTINGS / "reserve"
    if not reserve.exists() or reserve.stat().st_size < RESERVE_BYTES:
        reserve.parent.mkdir(parents=True, exist_ok=True)
        reserve.write_bytes(os.urandom(RESERVE_BYTES))


def tell(home: Path, notices: list[texts.Notice], language: str) -> None:
    """Write the notice file, or remove the previous one if there are no notices."""
    path = home / NOTICE
    if not notices:
        try:
            if path.read_text(encoding="utf-8").startswith(texts.MARKER):
                path.unlink()
        except OSError:
            pass
        return
    page = texts.page(notices, language)
    try:
        write_whole(path, page)
    except OSError as error:
        if error.errno not in FULL:
            raise
        (home / SETTINGS / "reserve").unlink(missing_ok=True)
        write_whole(path, page)


def disk_is_full(home: Path) -> bool:
    """Whether less than twice the reserve is free for the learner's files."""
    space = os.statvfs(home)
    return space.f_bavail * space.f_frsize < 2 * RESERVE_BYTES


def prepare(home: Path, environment: Mapping[str, str], started: float) -> list[texts.Notice]:
    """Prepare home directory and clone; log the result and return the notices for the learner."""
    course = environment.get("ATELIER_COURSE", "")
    notices: list[texts.Notice] = []
    try:
        write_identity(home, environment)
        keep_reserve(home)
    except OSError as error:
        say(f"settings cannot be written: {error}")
        if error.errno in FULL:
            notices.append(texts.Notice(texts.Topic.DISK_FULL, course))
    if not course or "/" in course or course.startswith("."):
        say("no course named: nothing to clone")
        return notices
    template = environment.get("ATELIER_TEMPLATE", "")
    wanted = clone.Wanted(
        home=home,
        course=course,
        project_url=environment.get("ATELIER_PROJECT_URL", ""),
        template=Path(template) if template else None,
        limits=clone.PATIENCE.get(environment.get("ATELIER_SPACE", ""), clone.FORK),
    )
    try:
        outcome = clone.prepare(wanted, started)
    except OSError as error:
        say(f"the clone cannot be prepared: {error}")
        topic = texts.Topic.DISK_FULL if error.errno in FULL else texts.Topic.NO_COPY
        notices.append(texts.Notice(topic, course))
    else:
        for line in outcome.log:
            say(line)
        say(f"clone of {course}: {outcome.state}")
        notices.extend(outcome.notices)
    if disk_is_full(home):
        notices.append(texts.Notice(texts.Topic.DISK_FULL, course))
    return list(dict.fromkeys(notices))


def container_started(proc: Path = Path("/proc")) -> float:
    """Start of this container's first process, seconds since the epoch (proc(5))."""
    try:
        after_name = (proc / "1" / "stat").read_text().rpartition(")")[2].split()
        boot = next(
            int(line.split()[1])
            for line in (proc / "stat").read_text().splitlines()
            if line.startswith("btime ")
        )
        return boot + int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return time.time()


def make_ready(home: Path) -> None:
    """Prepare home directory and clone, and write the notices for the learner; never raises."""
    began = time.monotonic()
    try:
        notices = prepare(home, os.environ, container_started())
        tell(home, notices, texts.language_of(os.environ.get("LANG", "fr")))
    except Exception as error:
        say(f"preparing failed: {type(error).__name__}: {error}")
    say(f"ready after {time.monotonic() - began:.1f} s")


def bring_fonts(environment: Mapping[str, str], listed: Path = FONTS) -> None:
    """Copy matplotlib's font list to its cache directory; else matplotlib makes a new one."""
    folder = environment.get("MPLCONFIGDIR", "")
    if folder and not Path(folder).exists():
        with contextlib.suppress(OSError, shutil.Error):
            shutil.copytree(listed, folder)


def main(arguments: list[str] | None = None) -> int:
    """Execute the notebook server (or the given command), and prepare the clone in parallel."""
    given = sys.argv[1:] if arguments is None else arguments
    is_server, words = command(given)
    if is_server:
        home = Path(os.environ.get("HOME", "/home/learner"))
        runtime = os.environ.get("JUPYTER_RUNTIME_DIR")
        if runtime:
            Path(runtime).mkdir(mode=0o700, parents=True, exist_ok=True)
        bring_fonts(os.environ)
        os.chdir(home)
        gate.meanwhile(lambda: make_ready(home))
    try:
        os.execvp(words[0], words)  # noqa: S606 - this program's purpose
    except OSError as error:
        say(f"{words[0]}: {error.strerror}")
        return 127
