"""`make bench-toolbar`: the toolbar's save and pull beside git's own, and what it adds to a start.

Saves and pulls are of a 30-cell notebook, to git over HTTP with a credential helper. The peers are
`git commit -a && git push` and `git pull` in the same clone, taken in turns in the same run. What
is printed are medians. Where the demo runs, starts are measured in its course image, too.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from atelier_toolbar import commands
from atelier_toolbar.settings import Toolbar
from gitlab_standin.testing import free_port
from kit.two_servers import CREDENTIAL_HELPER, GitLab, git
from world import demo

from benchmarks import toolbar_start
from benchmarks.figures import line

CELLS, TURNS, STARTS = 30, 25, 9
TOKEN = "of-the-bench"


def notebook(number: int) -> str:
    """A notebook like no other."""
    cells = [
        {
            "cell_type": "code", "execution_count": None, "id": f"cell-{cell}", "metadata": {},
            "outputs": [], "source": [f"x = {cell}\n", f"y = {number}\n"],
        }
        for cell in range(CELLS)
    ]  # fmt: skip
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1) + "\n"


class Bench:
    """A learner's clone of a project that is reached over HTTP."""

    def __init__(self, folder: Path) -> None:
        helper = folder / "helper" / "git-credential-bench"
        helper.parent.mkdir()
        helper.write_text(CREDENTIAL_HELPER)
        helper.chmod(0o755)
        (helper.parent / "lent").write_text(TOKEN)
        configuration = folder / "gitconfig"
        configuration.write_text(
            "[user]\n\tname = Ada L\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
            f"[credential]\n\thelper = {helper}\n"
        )
        os.environ |= {"GIT_CONFIG_GLOBAL": str(configuration), "GIT_CONFIG_NOSYSTEM": "1"}
        self.gitlab = GitLab.start(folder / "gitlab", TOKEN)
        git(folder, "init", "-q", "first")
        (folder / "first/exo.ipynb").write_text(notebook(0))
        git(folder / "first", "add", "-A")
        git(folder / "first", "commit", "-qm", "files of the course")
        git(folder / "first", "push", "-q", str(self.gitlab.bare), "HEAD:main")
        self.root = folder / "home"
        self.root.mkdir()
        git(self.root, "clone", "-q", self.gitlab.url, "demo")
        self._number = 0

    def _next(self) -> str:
        self._number += 1
        return notebook(self._number)

    def edit(self) -> None:
        """Change every cell here."""
        (self.root / "demo/exo.ipynb").write_text(self._next())

    def edit_on_the_web(self) -> None:
        """Change every cell in GitLab."""
        text = self._next().encode()
        self.gitlab.web_edit(lambda files: files.update({"exo.ipynb": text}))

    def save(self) -> None:
        """Save as the toolbar does."""
        asked = {"path": "demo/exo.ipynb", "message": "work", "files": ["demo/exo.ipynb"]}
        commands.save(self.root, asked, Toolbar(), lambda _: None)

    def plain_save(self) -> None:
        """Save as a person at a terminal does."""
        git(self.root / "demo", "commit", "-qam", "work")
        git(self.root / "demo", "push", "-q")

    def pull(self) -> None:
        """Pull as the toolbar does."""
        commands.pull(self.root, {"path": "demo/exo.ipynb"}, lambda _: None)

    def plain_pull(self) -> None:
        """Pull as a person at a terminal does."""
        git(self.root / "demo", "pull", "-q")


def timed(work: Callable[[], None]) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(
    before: Callable[[], None], ours: Callable[[], None], peer: Callable[[], None]
) -> tuple[float, float]:
    """Median seconds of two ways to do the same, taken in turns."""
    seconds: dict[Callable[[], None], list[float]] = {ours: [], peer: []}
    for _ in range(TURNS):
        for work in (ours, peer):
            before()
            seconds[work].append(timed(work))
    return statistics.median(seconds[ours]), statistics.median(seconds[peer])


def start_of_jupyter(folder: Path, *, toolbar: bool) -> float:
    """Seconds until a Jupyter server answers."""
    port = free_port()
    command = [
        sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser",
        f"--ServerApp.port={port}", f"--ServerApp.root_dir={folder}",
        f"--ServerApp.jpserver_extensions=atelier_toolbar={toolbar}",
    ]  # fmt: skip
    own = {name: str(folder) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    own["JUPYTER_RUNTIME_DIR"] = str(folder)
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **own}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/api", trust_env=False).raise_for_status()
                return time.perf_counter() - began
            except httpx.HTTPError:
                if process.poll() is not None:
                    raise RuntimeError("the Jupyter server does not start") from None
                time.sleep(0.01)
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench = Bench(folder)
        try:
            print(line("toolbar_save", *in_turns(bench.edit, bench.save, bench.plain_save), "s"))
            pulls = in_turns(bench.edit_on_the_web, bench.pull, bench.plain_pull)
            print(line("toolbar_pull", *pulls, "s"))
        finally:
            bench.gitlab.stop()
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(STARTS):
            for toolbar in (True, False):
                seconds[toolbar].append(start_of_jupyter(folder, toolbar=toolbar))
        medians = [statistics.median(seconds[toolbar]) for toolbar in (True, False)]
        print(line("toolbar_server_start", *medians, "s"))
    if demo.TARGET.state() == "running":
        toolbar_start.main()


if __name__ == "__main__":
    main()
