"""The toolbar as a learner uses it, and the learner's GitLab as somebody else changes it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

import httpx
from kit.demo import Demo, until
from kit.form import POST_FORM
from kit.platform11 import launch_form
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

ARRIVAL_MS = 180_000
GIT_MS = 60_000
ANSWERS_MS = 30_000
CHECK_MS = 120_000

Interface = Literal["lab", "notebook"]
ENGLISH = {
    "save": "Save to GitLab",
    "pull": "Pull",
    "status": "Status",
    "view": "View in GitLab",
    "check": "Check my answer",
}
FRENCH = {
    "save": "Enregistrer dans GitLab",
    "pull": "Récupérer",
    "status": "État",
    "view": "Voir dans GitLab",
    "check": "Vérifier ma réponse",
}


@dataclass
class Learner:
    """A learner who never came before, at work in one browser.

    Attributes:
        demo: the site.
        context: the browser.
        user: name in the hub and in GitLab.
        locale: "en" or "fr".
    """

    demo: Demo
    context: BrowserContext
    user: str
    locale: str

    @property
    def words(self) -> dict[str, str]:
        """What the buttons are called."""
        return FRENCH if self.locale == "fr" else ENGLISH

    @classmethod
    def arrive(cls, demo: Demo, context: BrowserContext, locale: str, name: str) -> Learner:
        """Click in the course page and wait for JupyterLab."""
        address = f"{demo.hub_url}/hub/lti/launch"
        user_id = uuid4().hex
        form = launch_form(
            address, demo.consumer_key, demo.consumer_secret, user_id, full_name=name,
            email=f"{user_id}@example.org", locale=locale, target="notebook",
        )  # fmt: skip
        page = context.new_page()
        page.goto(demo.lms_url)
        page.evaluate(POST_FORM, [address, form])
        page.wait_for_url(re.compile(rf"/user/[^/]+/{demo.course}/lab"), timeout=ARRIVAL_MS)
        user = page.url.split("/user/")[1].split("/")[0]
        page.close()
        return cls(demo, context, user, locale)

    def tidy(self) -> None:
        """Leave no tab open and nothing to save."""
        for page in self.context.pages:
            page.close()
        self.run(
            "git add -A && { git diff --cached --quiet || git commit -qm rest; } "
            "&& git pull -q --no-edit "
            "&& { git diff --quiet HEAD @{upstream} || git push -q; }"
        )

    # In the browser.

    def address(self, interface: Interface, path: str) -> str:
        """Where a file below the home folder is opened."""
        if interface == "lab":
            place = "lab/tree"
        else:
            place = "notebooks" if path.endswith(".ipynb") else "edit"
        return f"{self.base}/{place}/{quote(path)}?reset"

    @property
    def base(self) -> str:
        """Address of the learner's server."""
        origin = self.demo.server_origin(self.user)
        return f"{origin}/user/{self.user}/{self.demo.course}"

    def open(
        self, interface: Interface, path: str, page: Page | None = None, folder: str = ""
    ) -> Toolbar:
        """Open a file of the course folder, or another one, in a new tab unless one is given."""
        page = page or self.context.new_page()
        page.goto(self.address(interface, f"{folder or self.demo.course}/{path}"))
        return Toolbar(page, self.words, interface)

    # In the learner's container.

    @property
    def container(self) -> str:
        """Name of the learner's container."""
        (found,) = [row[0] for row in self.demo.containers("Names") if self.user in row[0]]
        return found

    def run(self, command: str) -> str:
        """Run a shell command in the course folder of the learner's server."""
        inside = f"cd ~/{self.demo.course} && {command}"
        return self.demo.target.run("docker", "exec", self.container, "bash", "-c", inside)

    def write(self, path: str, text: str) -> None:
        """Make a file in the course folder."""
        self.run(f"printf %s {shlex.quote(text)} > {shlex.quote(path)}")

    def read(self, path: str) -> str:
        """What a file of the course folder holds."""
        return self.run(f"cat {shlex.quote(path)}")

    # In GitLab.

    @property
    def project(self) -> str:
        """Path of the learner's fork in GitLab's API."""
        return f"projects/{quote(f'{self.user}/{self.demo.course}', safe='')}"

    def edit_in_gitlab(self, path: str, text: str, message: str = "Edited on the web") -> None:
        """Change, or add, a file of the fork as its web editor does."""
        address = f"{self.demo.gitlab_url}/api/v4/{self.project}/repository/commits"
        with self.demo.client(PRIVATE_TOKEN=self.demo.gitlab_admin_token) as client:
            known = {item["path"] for item in self.tree()}
            action = "update" if path in known else "create"
            change = {"action": action, "file_path": path, "content": text}
            body = {"branch": "main", "commit_message": message, "actions": [change]}
            client.post(address, json=body).raise_for_status()

    def tree(self) -> list[dict[str, Any]]:
        """All files of the fork."""
        path = f"{self.project}/repository/tree"
        found: list[dict[str, Any]] = self.demo.gitlab(path, recursive="true", per_page=100)
        return found

    def commits(self) -> list[dict[str, Any]]:
        """The fork's commits, the newest first."""
        found: list[dict[str, Any]] = self.demo.gitlab(f"{self.project}/repository/commits")
        return found

    def in_gitlab(self, path: str) -> str:
        """What a file of the fork holds."""
        address = (
            f"{self.demo.gitlab_url}/api/v4/{self.project}"
            f"/repository/files/{quote(path, safe='')}/raw"
        )
        with self.demo.client(PRIVATE_TOKEN=self.demo.gitlab_admin_token) as client:
            return client.get(address, params={"ref": "main"}).raise_for_status().text


@contextmanager
def gitlab_down(demo: Demo) -> Iterator[None]:
    """GitLab is stopped in the block."""
    demo.target.run("docker", "stop", "--time", "2", "gitlab")
    try:
        yield
    finally:
        demo.target.run("docker", "start", "gitlab")
        until(lambda: _answers(demo), "GitLab is back")


def _answers(demo: Demo) -> bool:
    try:
        demo.gitlab("version")
    except httpx.HTTPError:
        return False
    return True


class Toolbar:
    """The bar of the document that a page, or a frame in it, shows, and the dialogs it opens."""

    def __init__(
        self,
        page: Page,
        words: dict[str, str],
        interface: Interface,
        frame: FrameLocator | None = None,
    ) -> None:
        self.page = page
        self.words = words
        self.interface = interface
        self.shown: Page | FrameLocator = frame or page
        self.bar = self.shown.locator(".atelier-Bar:visible")
        self.dialog = self.shown.get_by_role("dialog")
        self.badge = self.bar.locator(".atelier-Badge")
        expect(self.badge).not_to_contain_text("…", timeout=ARRIVAL_MS)

    def says(self, words: str) -> None:
        """Wait until the badge says this."""
        expect(self.badge).to_have_text(re.compile(rf"^\S{re.escape(words)}$"), timeout=ANSWERS_MS)

    def button(self, command: str) -> Locator:
        """The button of "status", "save", "pull", "view" or "check"."""
        return self.bar.get_by_role("button", name=self.words[command], exact=True)

    def press(self, command: str) -> None:
        """Press a button."""
        self.button(command).click()

    def type(self, text: str) -> None:
        """Type at the start of a text, or of a notebook's first cell."""
        if self.page.url.split("?")[0].endswith(".ipynb"):
            cell = self.shown.locator(".jp-Notebook .jp-Cell").first
            cell.click()
            self.page.keyboard.press("Escape")
            self.page.keyboard.press("a")  # a new cell above
            self.page.keyboard.press("Enter")
            expect(self.shown.locator(".jp-Notebook.jp-mod-editMode")).to_be_visible()
        else:
            self.shown.locator(".jp-FileEditor .cm-content").click()
            self.page.keyboard.press("Control+Home")
        self.page.keyboard.type(text)

    def rewrite(self, cell: int, text: str) -> None:
        """Replace what a cell of a notebook holds, counted from 0."""
        box = self.shown.locator(".jp-Notebook .jp-Cell").nth(cell)
        box.dblclick()
        source = box.locator(".cm-content")
        expect(source).to_be_visible()
        source.fill(text)

    def run_cell(self) -> None:
        """Run the selected cell, whether there is a kernel yet or not."""
        self.page.keyboard.press("Control+Enter")

    @property
    def text(self) -> Locator:
        """What the document shows."""
        return self.shown.locator(".jp-FileEditor .cm-content, .jp-Notebook").locator(
            "visible=true"
        )

    def save(self, message: str | None = None) -> None:
        """Save to GitLab, with the proposed message unless one is given; wait for the end."""
        self.press("save")
        line = self.dialog.get_by_role("textbox")
        expect(line).not_to_have_value("", timeout=ANSWERS_MS)
        if message is not None:
            line.fill(message)
        line.press("Enter")
        self.ended()

    def pull(self) -> None:
        """Pull, and wait for the end."""
        self.press("pull")
        self.ended()

    def ended(self) -> None:
        """Wait until a save or pull has ended, well or not."""
        end = self.shown.locator(".atelier-Progress[aria-busy=false]")
        expect(end).to_be_visible(timeout=GIT_MS)

    def tells(self, words: str | re.Pattern[str]) -> None:
        """Wait until the dialog says this."""
        expect(self.dialog).to_contain_text(words, timeout=ANSWERS_MS)

    @property
    def check_panel(self) -> Locator:
        """The side panel with the result of a check."""
        return self.shown.get_by_role("region", name=self.words["check"])

    def checked(self, verdict: str | re.Pattern[str]) -> None:
        """Wait until a check has ended and the panel shows its verdict."""
        status = self.check_panel.locator(".atelier-CheckStatus")
        expect(status).not_to_have_attribute("data-state", "checking", timeout=CHECK_MS)
        expect(status).to_contain_text(verdict)

    def close(self) -> None:
        """Close the dialog by the keyboard."""
        self.page.keyboard.press("Escape")
        expect(self.dialog).to_have_count(0)
