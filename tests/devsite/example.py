"""The example course in the stand-in: template, expected answers, one learner's answers."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from urllib.parse import urljoin

import gitlab
import httpx
from atelier.identity import username
from world import paths
from world.run import WorldError

from devsite.people import COURSE, PEOPLE, PLATFORM, address

TEMPLATE = paths.ROOT / "files/example-course"
EXPECTED = paths.ROOT / "files/example-expected"
ANSWERED_BY = "basile"
WAIT_SECONDS = 30
_AUTHOR = (
    *("-c", "user.name=Atelier"),
    *("-c", "user.email=atelier@campus.example"),
    *("-c", "commit.gpgsign=false"),
)


def make_projects(api: gitlab.Gitlab) -> None:
    """Make the course's group and projects as the role does: only the template is for all."""
    groups = {group.path: group for group in api.groups.list(get_all=True)}
    group = groups.get(COURSE) or api.groups.create(
        {"name": COURSE, "path": COURSE, "visibility": "internal"}
    )
    known = {project.path for project in api.groups.get(group.id).projects.list(get_all=True)}
    for name, visibility in (("template", "internal"), ("expected", "private")):
        if name not in known:
            api.projects.create({"name": name, "namespace_id": group.id, "visibility": visibility})


def publish(folder: Path, mirror: Path, url: str) -> bool:
    """Bring a folder into GitLab by way of a mirror on this machine.

    Args:
        folder: the files.
        mirror: a bare repository, made when there is none.
        url: of the project, with what git needs to push.

    Returns:
        Whether GitLab now has what the folder has; not when somebody committed there.
    """
    if not mirror.exists():
        _git("init", "--quiet", "--bare", "--initial-branch=main", str(mirror))
    own = (*_AUTHOR, f"--git-dir={mirror}")
    tree = (*own, f"--work-tree={folder}")
    _git(*tree, "add", "--all")
    if not _git(*tree, "diff", "--cached", "--quiet", check=False):
        _git(*tree, "commit", "--quiet", "--message=The example course")
    return _git(*own, "push", "--quiet", url, "main", check=False)


def _git(*arguments: str, check: bool = True) -> bool:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise WorldError(f"git: {done.stderr.strip()}")
    return done.returncode == 0


class _Browser:
    """Follows redirects, and pages that reload themselves, as browsers do."""

    def __init__(self) -> None:
        self.client = httpx.Client(trust_env=False, timeout=30, follow_redirects=True)

    def wait(self, page: httpx.Response) -> httpx.Response:
        """Return the page that comes in the end."""
        deadline = time.monotonic() + WAIT_SECONDS
        while 'http-equiv="refresh"' in page.text and time.monotonic() < deadline:
            time.sleep(0.2)
            page = self.client.get(page.url)
        return page.raise_for_status()


def answer_exercises(lms_url: str, api: gitlab.Gitlab) -> None:
    """Let one learner answer: a teacher's page without any answer shows little.

    The mean is right; of the definition one word differs.
    """
    browser = _Browser()
    page = browser.wait(browser.client.get(address(lms_url, ANSWERED_BY, "exercise")))
    name = username(PLATFORM, PEOPLE[ANSWERED_BY].user_id)
    text = (EXPECTED / "exercises/reproducible.md").read_text()
    files = {
        "exercises/mean.ipynb": (EXPECTED / "exercises/mean.ipynb").read_text(),
        "exercises/reproducible.md": text.replace("same data", "same figures"),
    }
    api.projects.get(f"{name}/{COURSE}").commits.create(
        {
            "branch": "main",
            "commit_message": "My answers",
            "actions": [
                {"action": "update", "file_path": path, "content": content}
                for path, content in files.items()
            ],
        }
    )
    base = urljoin(str(page.url), ".")
    for exercise in ("mean", "reproducible"):
        page = browser.wait(browser.client.get(base + exercise))
        found = re.search(r'name="csrf" value="([^"]+)"', page.text)
        if found is None:
            raise WorldError(f"The page of the exercise {exercise} has no button:\n{page.text}")
        origin = {"Origin": urljoin(base, "/").rstrip("/")}  # as a browser says it
        answer = browser.client.post(base + exercise, data={"csrf": found[1]}, headers=origin)
        browser.wait(answer)
