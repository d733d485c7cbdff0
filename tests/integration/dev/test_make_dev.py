"""`make dev` from its first start to Ctrl+C: ready links, changes, nothing left running."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx
import pytest
from kit.site import SOURCE, until
from world import paths

LINE_SECONDS = 90
"""How long a line is waited for: a busy machine fails no test."""
LINK = re.compile(r"http://127\.0\.0\.1:\d+/as/(\w+)/(\w+)")
PAGE = "atelier/web/templates/desk/exercises.html"
HOME = "atelier/web/templates/hub/atelier_home.html"


class Dev:
    """The command of `make dev` on free ports, and a copy of the package that it follows."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "dev"
        self.source = root / "src"
        shutil.copytree(SOURCE, self.source, ignore=shutil.ignore_patterns("__pycache__"))
        self.links: dict[tuple[str, str], str] = {}

    def command(self, *options: str) -> subprocess.Popen[str]:
        """Start it as the Makefile does."""
        where = ["--folder", str(self.folder), "--source", str(self.source), "--any-port"]
        return subprocess.Popen(
            [sys.executable, "-m", "world", "dev", *where, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(paths.ROOT / "tests"),
                "ATELIER_VENV": sys.prefix,
            },
        )

    def start(self, *options: str) -> list[str]:
        """Start it, wait until it is up, and note its links. Returns what it said."""
        self.process = self.command(*options)
        self._lines: queue.Queue[str | None] = queue.Queue()
        assert self.process.stdout is not None
        threading.Thread(target=self._pump, args=(self.process.stdout,), daemon=True).start()
        said = self.wait("Hub and desk follow changes")
        found = [match for line in said if (match := LINK.search(line))]
        self.links = {(match[1], match[2]): match[0] for match in found}
        return said

    def _pump(self, output: IO[str]) -> None:
        for line in output:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def wait(self, text: str) -> list[str]:
        """Wait for a line with that text. Returns the lines up to it."""
        said: list[str] = []
        while not said or text not in said[-1]:
            line = self._lines.get(timeout=LINE_SECONDS)
            assert line is not None, f"it ended before it said {text!r}:\n" + "\n".join(said)
            said.append(line)
        return said

    def change(self, file: str, old: str, new: str) -> None:
        """Change the copy of the package, as an editor does."""
        path = self.source / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def stop(self) -> int:
        """Ctrl+C. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def running(self) -> list[str]:
        """Return the command lines of all processes that know this site's folder."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes()
                known = words + (entry / "environ").read_bytes()
            except OSError:
                continue
            if words and str(self.folder).encode() in known:
                found.append(f"{entry.name}: {words.replace(bytes(1), b' ').decode()}")
        return found


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    site = Dev(tmp_path_factory.mktemp("make-dev"))
    site.start()
    yield site
    if site.process.poll() is None:
        site.stop()


class Browser(httpx.Client):
    """Follows redirects, and waits on pages that reload themselves, as browsers do."""

    def __init__(self) -> None:
        english = {"Accept-Language": "en"}
        super().__init__(trust_env=False, timeout=60, follow_redirects=True, headers=english)

    def open(self, address: str) -> httpx.Response:
        """Open a page and wait until it is what it is to be."""

        def come() -> httpx.Response | None:
            page = self.get(address)
            waits = 'http-equiv="refresh"' in page.text or "EventSource(" in page.text
            return None if waits else page

        page: httpx.Response = until(come, f"{address} is there", LINE_SECONDS)
        return page


@pytest.fixture
def ada() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def claire() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def notebook_process(dev: Dev, browser: Browser) -> int:
    page = browser.open(dev.links["ada", "notebook"])
    assert page.url.path.endswith("/demo/lab/tree/demo/notebooks/pi_python.ipynb")
    process: int = page.json()["pid"]
    return process


def test_links_sign_a_learner_and_a_teacher_in(dev: Dev, ada: Browser, claire: Browser) -> None:
    page = ada.open(dev.links["ada", "exercises"])
    assert "Signed in: Ada Exemple" in page.text
    assert "A mean" in page.text
    assert "Reproducible" in page.text
    page = ada.open(dev.links["ada", "exercise"])
    assert page.url.path == "/services/desk/courses/demo/exercises/mean"
    assert "Check my answer" in page.text
    assert "Your tokens" in ada.open(dev.links["ada", "access"]).text
    page = claire.open(dev.links["claire", "answers"])
    assert "Basile Exemple" in page.text
    assert re.search(r"100\s?%", page.text), "the right mean: the runner has run it"
    assert ada.get(page.url).status_code == 403


def test_one_browser_may_be_one_after_the_other(dev: Dev, ada: Browser) -> None:
    ada.open(dev.links["ada", "exercises"])
    assert "Signed in: Claire" in ada.open(dev.links["claire", "exercises"]).text


def test_a_change_of_the_desks_page_shows(dev: Dev, ada: Browser) -> None:
    before = ada.open(dev.links["ada", "exercises"])
    dev.change(PAGE, '{{ say("exercises_title") }}', "Changed while it runs")
    dev.wait(f"{PAGE}: desk reloaded in ")
    page = ada.open(str(before.url))
    assert "Changed while it runs" in page.text
    assert "Changed while it runs" not in before.text


def test_a_change_of_the_hub_leaves_notebooks_running(dev: Dev, ada: Browser) -> None:
    process = notebook_process(dev, ada)
    dev.change(HOME, "{% block main %}", "{% block main %}A new line")
    dev.wait(f"{HOME}: hub reloaded in ")
    home = ada.open(dev.links["ada", "notebook"]).url.join("/hub/home")
    assert "A new line" in ada.open(str(home)).text
    assert notebook_process(dev, ada) == process
    dev.change(HOME, "A new line", "Another line")
    dev.wait(f"{HOME}: hub reloaded in ")
    stopped = (dev.folder / "log/hub").read_text().count("Received signal SIGTERM")
    assert stopped == 2, "each hub ended by itself: none had to be killed"


def test_a_mistake_is_shown_and_mended(dev: Dev, ada: Browser) -> None:
    dev.change("atelier/desk/app.py", "import asyncio\n", "import asyncio\ndef (:\n")
    assert "app.py" in "".join(dev.wait("SyntaxError"))
    assert "A mean" in ada.open(dev.links["ada", "exercises"]).text, "the desk goes on as it was"
    dev.change("atelier/desk/app.py", "def (:\n", "import not_there\n")
    assert "the desk does not start" in "".join(dev.wait("No module named 'not_there'"))
    dev.change("atelier/desk/app.py", "import not_there\n", "")
    dev.wait("desk reloaded in ")
    assert "A mean" in ada.open(dev.links["ada", "exercises"]).text


def test_a_second_one_says_that_the_first_runs(dev: Dev) -> None:
    second = dev.command()
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"already runs in this checkout (process {dev.process.pid})" in said


def test_what_was_there_is_there_after_a_kill(dev: Dev, claire: Browser) -> None:
    links = dict(dev.links)
    dev.process.kill()
    dev.process.wait()
    assert dev.running(), "else nothing is tried here"
    said = "".join(dev.start("--attach", "desk"))
    assert "stopped the desk that an earlier make dev had left running" in said
    assert dev.links == links
    assert "Basile Exemple" in claire.open(dev.links["claire", "answers"]).text


def test_a_breakpoint_stops_in_the_terminal(dev: Dev, ada: Browser) -> None:
    static_files = "atelier/web/static_files.py"
    first = "        response = super().file_response("
    dev.change(static_files, first, f"        breakpoint()\n{first}")
    dev.wait("desk reloaded in ")
    page = ada.open(dev.links["ada", "exercises"])
    answers: list[httpx.Response] = []
    style = str(page.url.join("/services/desk/static/desk.css"))
    asking = threading.Thread(target=lambda: answers.append(ada.get(style)))
    asking.start()
    dev.wait("static_files.py(")
    assert not answers
    assert dev.process.stdin is not None
    dev.process.stdin.write("c\n")
    dev.process.stdin.flush()
    asking.join(60)
    assert answers[0].status_code == 200


def test_ctrl_c_ends_every_process(dev: Dev, ada: Browser) -> None:
    notebook = notebook_process(dev, ada)
    assert any(line.startswith(f"{notebook}: ") for line in dev.running())
    assert dev.stop() == 0
    until(lambda: not dev.running(), "every process has ended")
