"""What the toolbar adds to a start in the course image: of the server, and of its page.

Two containers of the demo's course image: one as it is and, as the peer, one from which the
toolbar was taken, in turns. The page is opened by Chromium, which has never been there.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright
from world import demo
from world.run import capture

from benchmarks.figures import line

SCRIPT = Path(__file__).with_name("inside") / "lab_start.py"
PORTS = {"with": 8899, "without": 8900}
TURNS = 11
SHOWN_MS = 120_000


def _image() -> str:
    """The demo's course image, as it is now."""
    listed = demo.TARGET.run("docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    beginning = f"atelier/course-{demo.COURSE}:"
    return next(name for name in listed.splitlines() if name.startswith(beginning))


@contextmanager
def _inside(kind: str, script: str) -> Iterator[Callable[[], float]]:
    """A container that shares the server's network; yields what starts JupyterLab in it."""
    home = ("--user", "root", "--env", "HOME=/home/learner")
    command = [
        *("docker", "exec", "--interactive", demo.NAME, "docker", "run", "--rm", "--interactive"),
        *("--name", f"atelier-bench-{kind}", "--network", "host", "--entrypoint", "python"),
        *(*home, "--volume", f"{script}:/lab_start.py:ro", _image()),
        *("/lab_start.py", kind, str(PORTS[kind])),
    ]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        orders, answers = process.stdin, process.stdout
        assert orders
        assert answers

        def start() -> float:
            orders.write("\n")
            orders.flush()
            return float(answers.readline())

        try:
            yield start
        finally:
            orders.close()


def _open(browser: Browser, url: str) -> float:
    """Seconds from the address to the notebook's text, in a browser without a memory."""
    context = browser.new_context()
    try:
        page = context.new_page()
        began = time.perf_counter()
        page.goto(url)
        shown = page.locator(".jp-RenderedMarkdown").get_by_text("A notebook to open.")
        expect(shown).to_be_visible(timeout=SHOWN_MS)
        return time.perf_counter() - began
    finally:
        context.close()


def _in_turns(ours: Callable[[], float], peer: Callable[[], float]) -> tuple[float, float]:
    """Medians of what two take; the first turn, with cold caches, is left out."""
    found = [(ours(), peer()) for _ in range(TURNS)][1:]
    return statistics.median(o for o, _ in found), statistics.median(p for _, p in found)


def main() -> None:
    """Print the figures."""
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = capture("docker", "inspect", "--format", form, demo.NAME)
    script = f"/tmp/{SCRIPT.name}"
    demo.TARGET.run("tee", script, stdin=SCRIPT.read_text())
    with (
        _inside("with", script) as ours,
        _inside("without", script) as peer,
        sync_playwright() as playwright,
    ):
        print(line("toolbar_image_start", *_in_turns(ours, peer), "s"))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
            env=dict(os.environ),
        )
        page = {
            kind: f"http://{address}:{port}/lab/tree/bench.ipynb?reset"
            for kind, port in PORTS.items()
        }
        opened = _in_turns(
            lambda: _open(browser, page["with"]), lambda: _open(browser, page["without"])
        )
        print(line("toolbar_image_page", *opened, "s"))
        browser.close()
