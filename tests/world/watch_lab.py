"""JupyterLab for `make watch`: its packages, a learner's clone to work in, the server."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from world import locks, paths, venv
from world.images import digest, lock
from world.run import WorldError, capture, interruption, quoted, say, stop_group, stream

FOLDER = paths.CACHE / "watch"
PACKAGES = FOLDER / "venv"
COURSE_IMAGE = paths.ROOT / "files/course-image"
COURSE = paths.ROOT / "files/example-course"
LEFT_OUT = ("jupyterhub", "numpy", "scipy", "pandas", "matplotlib")
"""Of the course image: the toolbar has no use for them."""
PORT = 8890
START_SECONDS = 120
STOP_SECONDS = 10
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Snapshot = dict[Path, tuple[int, int]]


def snapshot(root: Path, names: Iterable[str]) -> Snapshot:
    """Return when the files below `root` that are named, or lie in named folders, were written."""
    found: Snapshot = {}
    for name in names:
        for path in (root / name, *(root / name).rglob("*")):
            with suppress(FileNotFoundError):  # an editor is at work
                if path.is_file():
                    about = path.stat()
                    found[path.relative_to(root)] = (about.st_mtime_ns, about.st_size)
    return found


def stop(process: subprocess.Popen[Any]) -> None:
    """Stop a process that leads a session, and its children."""
    stop_group(process.pid)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def program(name: str) -> str:
    """Return the path of a program of the packages' virtual environment."""
    return str(PACKAGES / "bin" / name)


def environment() -> dict[str, str]:
    """Return the caller's environment without what could lead git or Jupyter elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "JUPYTER", "ATELIER_", "PYTHON"))
    }
    return {**kept, "PATH": f"{PACKAGES / 'bin'}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


def ensure_packages() -> None:
    """Install JupyterLab with the course image's pins, unless it is there."""
    chosen, lock_file = COURSE_IMAGE / "requirements.in", COURSE_IMAGE / "requirements.txt"
    wanted = digest(chosen, lock_file, f"{sys.version_info[:2]}")
    stamp = PACKAGES / ".requirements"
    with lock("watch"):
        if stamp.exists() and stamp.read_text() == wanted:
            return
        say("==> JupyterLab for the toolbar: installing its packages (about a minute)")
        shutil.rmtree(PACKAGES, ignore_errors=True)
        stream("making the virtual environment", [sys.executable, "-m", "venv", PACKAGES])
        names = [match[1] for match in locks.CHOSEN.finditer(chosen.read_text(encoding="utf-8"))]
        listed = [name for name in (*names, "jupyter-builder") if name not in LEFT_OUT]
        # uv holds what it installs to the hashes of the constraints.
        venv.ensure()
        command = [venv.program("uv"), "pip", "install", "--python", program("python"), "--quiet"]
        pinned = ("--only-binary", ":all:", "--constraints", str(lock_file))
        stream("uv pip install", [*command, *pinned, *listed], env=venv.trust())
        stamp.write_text(wanted)


def ensure_clone(home: Path, remote: Path, settings: Path) -> None:
    """Make a learner's clone where each button has something to do, and its bare remote.

    The remote is one commit ahead, and the clone has a change to save.
    """
    settings.write_text(
        "[user]\n\tname = Ada Learner\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        "[core]\n\tquotePath = false\n[pull]\n\trebase = false\n"
    )
    clone = home / "demo"
    if (clone / ".ready").exists():
        return
    for folder in (home, remote):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(COURSE, clone)

    def git(*words: str | Path) -> None:
        told = f"GIT_CONFIG_GLOBAL={settings}"
        capture("env", told, "git", "-C", str(clone), *map(str, words))

    def append(name: str, line: str) -> None:
        with (clone / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Files of the course")
    git("init", "--quiet", "--bare", remote)
    git("remote", "add", "origin", remote)
    append("README.md", "A line that the teacher added.")
    git("commit", "--quiet", "--all", "-m", "A word more", "--author", "Teacher <t@example.org>")
    git("push", "--quiet", "--set-upstream", "origin", "main")
    git("reset", "--quiet", "--hard", "HEAD~1")
    git("update-ref", "refs/remotes/origin/main", "HEAD")  # nobody has asked yet
    append("journal.md", "A line to save.")
    exclude = clone / ".git/info/exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text("/.ready\n")
    (clone / ".ready").touch()


class Lab:
    """JupyterLab with the toolbar's server part as it is in the sources, on loopback."""

    def __init__(self, sources: Path, state: Path, labextension: Path) -> None:
        self._sources = sources
        self._state = state
        self._labextension = labextension
        self._log = state / "jupyter.log"
        self._port = _port()
        self._token = secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: Snapshot = {}

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"{self._url}/lab/tree/demo/journal.md?token={self._token}"

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Keep the server running in the block."""
        state = self._state
        ensure_clone(state / "home", state / "gitlab/demo.git", state / "gitconfig")
        self._configure()
        try:
            self._start()
            yield
        finally:
            self._stop()

    def check(self) -> None:
        """Notice when the server has ended.

        Raises:
            WorldError: with what it said last.
        """
        if self._process is not None and self._process.poll() is not None:
            raise WorldError(f"JupyterLab has ended ({self._log})\n{self._last_words()}")

    def follow(self) -> None:
        """Start the server again when its part of the toolbar has changed."""
        if self._look() != self._seen:
            self._stop()
            began = time.monotonic()
            if self._start():
                took = time.monotonic() - began
                say(f"==> server started again in {took:.1f} s, without its kernels: reload")

    def _look(self) -> Snapshot:
        files = snapshot(self._sources, ["atelier_toolbar"])
        built = ("labextension", "__pycache__")
        return {path: at for path, at in files.items() if not set(built) & set(path.parts)}

    def _configure(self) -> None:
        """Write Jupyter's settings: the course image's for the page, none that calls outside."""
        for name in ("jupyter", "python/atelier_toolbar-0.dist-info", "labextensions"):
            (self._state / name).mkdir(parents=True, exist_ok=True)
        link = self._state / "labextensions/atelier-toolbar"
        link.unlink(missing_ok=True)
        link.symlink_to(self._labextension)
        settings = {
            "ServerApp": {
                "allow_root": os.geteuid() == 0,
                "ip": "127.0.0.1",
                "jpserver_extensions": {
                    "atelier_toolbar": True, "jupyterlab": True, "notebook": True,
                    "jupyter_lsp": False, "nbdime": False,
                },
                "open_browser": False,
                "port": self._port,
                "port_retries": 0,
                "root_dir": str(self._state / "home"),
            },
            "IdentityProvider": {"token": self._token},
            "LabApp": {
                "app_settings_dir": str(COURSE_IMAGE / "etc"),
                "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
                "extension_manager": "readonly",
                "extra_labextensions_path": [str(self._state / "labextensions")],
                "news_url": None,
            },
        }  # fmt: skip
        config = self._state / "jupyter/jupyter_server_config.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(settings, indent=1))
        # What pip would have noted: where JupyterLab finds the toolbar's French texts.
        with (self._sources / "pyproject.toml").open("rb") as file:
            project = tomllib.load(file)["project"]
        noted = self._state / "python/atelier_toolbar-0.dist-info"
        (noted / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: atelier-toolbar\nVersion: 0\n"
        )
        points = project["entry-points"]["jupyterlab.locale"].items()
        lines = ["[jupyterlab.locale]", *(f"{name} = {value}" for name, value in points)]
        (noted / "entry_points.txt").write_text("\n".join([*lines, ""]))

    def _start(self) -> bool:
        """Start the server and wait for the toolbar's answer; tell whether there is one."""
        self._seen = self._look()
        state = self._state
        variables = {
            **environment(),
            "GIT_CONFIG_GLOBAL": str(state / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "IPYTHONDIR": str(state / "ipython"),
            "JUPYTER_CONFIG_DIR": str(state / "jupyter"),
            "JUPYTER_DATA_DIR": str(state / "jupyter/data"),
            "JUPYTER_RUNTIME_DIR": str(state / "jupyter/runtime"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": f"{self._sources}:{state / 'python'}",
        }
        with interruption.held(), self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [program("jupyter-lab")],
                cwd=state / "home",
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        interruption.let()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            status = self._answer("/atelier-toolbar/status?path=demo/journal.md")
            if status == 200:
                return True
            if status is not None and self._answer("/api") == 200:
                say(f"==> the server part of the toolbar fails:\n{self._last_words()}")
                return False
            time.sleep(0.1)
        raise WorldError(f"JupyterLab does not answer ({self._log})\n{self._last_words()}")

    def _answer(self, path: str) -> int | None:
        headers = {"Authorization": f"token {self._token}"}
        request = urllib.request.Request(self._url + path, headers=headers)
        try:
            with LOCAL.open(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return quoted([line for line in lines if not line.startswith("[I ")][-20:])

    def _stop(self) -> None:
        if self._process is not None:
            stop(self._process)
            self._process = None


def _port() -> int:
    """Return the usual port, so that an open page finds the server again, or a free one."""
    for port in (PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise WorldError("No port of 127.0.0.1 is free.")
