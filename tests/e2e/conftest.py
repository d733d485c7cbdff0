"""The demo, brought up once for all these tests, and Chromium as Debian packages it.

Both end with the last of these tests: while Playwright's browser is open, no other test of the same
process can have an event loop.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit.demo import Demo
from kit.headed import visible
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from world import demo as world_demo
from world import fingerprint, paths, quiet_network
from world.images import lock
from world.run import WorldError, stream

from e2e.toolbar import Learner

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",  # root may not have one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
)


def _world(log: Path, *command: str, **variables: str) -> str:
    log.unlink(missing_ok=True)
    kept = {"KEEP_IMAGES": "1", "KEEP_ENGINE": "1", **variables}
    try:
        stream(
            " ".join(command),
            [sys.executable, "-m", "world", *command],
            env={"PYTHONPATH": str(paths.ROOT / "tests"), **kept},
            cwd=paths.ROOT,
            log=log,
            tail=60,
        )
    except WorldError as error:
        pytest.fail(str(error), pytrace=False)
    return log.read_text()


@pytest.fixture(scope="package")
def demo_log(results: Path) -> Iterator[str]:
    """`make demo`'s output. A demo that ran before is brought up to date and left running.

    A new one is installed from the collection as Galaxy has it, by three runs that are killed and
    one that repairs what these left: all tests of this folder work on a site that was interrupted.

    ATELIER_DEMO=as-it-is takes the running demo without a look, for those who write tests.
    """
    log = results / "demo-up.log"
    if os.environ.get("ATELIER_DEMO") == "as-it-is" and log.exists():
        yield log.read_text()
        return
    ran_before = world_demo.TARGET.state() == "running"
    with lock(fingerprint.DEMO_LOCK):
        if not world_demo.TARGET.state():
            _world(results / "demo-interrupt.log", "demo", "interrupt", ATELIER_FROM_GALAXY="1")
            said = _world(log, "demo", "up", ATELIER_FROM_GALAXY="1")
        else:
            said = _world(log, "demo", "up")
    yield said
    if not ran_before:
        _world(results / "demo-down.log", "demo", "down")


@pytest.fixture(scope="package")
def demo(demo_log: str) -> Demo:
    """The running demo."""
    assert "The site is up" in demo_log
    return Demo.read(world_demo.DETAILS)


@pytest.fixture(scope="package")
def second_log(demo: Demo, results: Path) -> str:
    """Output of `make demo` on the running demo."""
    del demo
    return _world(results / "demo-again.log", "demo", "up")


@pytest.fixture(scope="package")
def chromium(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, with the demo's authority among those it trusts, as a person would import it."""
    home = tmp_path_factory.mktemp("home")
    store = home / ".pki/nssdb"
    store.mkdir(parents=True)
    database = f"sql:{store}"
    subprocess.run(["certutil", "-N", "--empty-password", "-d", database], check=True)
    subprocess.run(
        ["certutil", "-A", "-n", "demo", "-t", "C,,", "-i", demo.ca_file, "-d", database],
        check=True,
    )
    ports = (world_demo.HTTPS_PORT, world_demo.HTTP_PORT)
    quiet = quiet_network.wrapper(tmp_path_factory.mktemp("network"), CHROMIUM, ports)
    # What a page shows may be what git, GitLab or a comparison on a busy server answers.
    expect.set_options(timeout=60_000)
    with quiet as program, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=list(ARGUMENTS),
            env={"XAUTHORITY": str(Path.home() / ".Xauthority"), **os.environ, "HOME": str(home)},
            **visible(),
        )
        yield browser
        browser.close()


@pytest.fixture
def person(chromium: Browser) -> Iterator[BrowserContext]:
    """One person's browser: cookies of its own, an English window."""
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture(scope="package")
def at_work(demo: Demo, chromium: Browser) -> Iterator[Callable[[str], Learner]]:
    """The learners of the toolbar's tests, one for each language ("en", "fr").

    They come when they are first asked for, and have one account, fork and server for all tests;
    each test has files of its own.
    """
    names = {"en": ("en-GB", "Tove Toolbar"), "fr": ("fr-FR", "Zoé Barre")}
    came: dict[str, Learner] = {}

    def learner(language: str) -> Learner:
        if language not in came:
            locale, name = names[language]
            size = {"width": 1200, "height": 800}
            context = chromium.new_context(locale=locale, viewport=size)  # type: ignore[arg-type]
            context.set_default_timeout(60_000)
            came[language] = Learner.arrive(demo, context, language, name)
        return came[language]

    yield learner
    for one in came.values():
        one.context.close()


@pytest.fixture
def learner(request: pytest.FixtureRequest, at_work: Callable[[str], Learner]) -> Iterator[Learner]:
    """A learner at work in the `LANGUAGE` of the test's module, with nothing left to save."""
    found = at_work(request.module.LANGUAGE)
    yield found
    found.tidy()


@pytest.fixture
def picture(results: Path) -> Callable[[Page, str], None]:
    """Keep what a page looks like: `picture(page, name)`."""
    folder = results / "screenshots"
    folder.mkdir(exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png")

    return take
