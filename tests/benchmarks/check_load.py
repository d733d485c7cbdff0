"""Fifty checks at once: how long learners wait, and whether the hub answers others as before.

On a small site of this machine: proxy, hub, desk and the GitLab stand-in as they are, no
containers. Learners come through the hub; their checks are pressed all at the same moment, several
times. What is not the site, and elsewhere on other machines (browsers and GitLab, whose stand-in
says nothing of GitLab's own speed), comes after the site. Whoever asks the hub meanwhile is a
process of its own.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kit.gitlab_beside import GitLabBeside
from kit.platform11 import Visitor
from kit.site import Site
from world.run import say

from benchmarks.figures import line
from benchmarks.probe import Probe

LEARNERS = 50
ROUNDS = 4
IDLE_SECONDS = 8.0
DECLARED = """
version: 1
exercises:
  - id: book
    title: {fr: Un notebook, en: A notebook}
    file: book.ipynb
    show: full
"""


def after_the_hub() -> None:
    """Have what this thread starts weigh a tenth, as the desk's unit does by its CPUWeight."""
    os.setpriority(os.PRIO_PROCESS, 0, 10)  # a step is a quarter: 1.25 ** 10 is about ten


def elsewhere() -> None:
    """Have this thread, and what it starts, come after the site's own processes."""
    os.setpriority(os.PRIO_PROCESS, 0, 15)


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def publish(gitlab: GitLabBeside, start: dict[str, Any], expected: dict[str, Any]) -> None:
    """Have the course's exercise and its expected answer in GitLab."""
    group = gitlab.api.groups.get("demo")
    gitlab.api.projects.create(
        {"name": "expected", "namespace_id": group.id, "initialize_with_readme": True}
    )
    for project, files in (
        ("demo/template", {"atelier.yml": DECLARED, "book.ipynb": json.dumps(start)}),
        ("demo/expected", {"book.ipynb": json.dumps(expected)}),
    ):
        gitlab.api.projects.get(project).commits.create(
            {
                "branch": "main",
                "commit_message": "The exercise",
                "actions": [
                    {"action": "create", "file_path": path, "content": content}
                    for path, content in files.items()
                ],
            }
        )


def arrive(site: Site, number: int) -> tuple[Visitor, str]:
    """A learner on the exercise's page, and what its form holds."""
    visitor = Visitor(site.hub_url, site.consumer_secret, f"learner-{number}")
    visitor.launch(target="gitlab")
    page = visitor.launch(target="check", exercise="book")
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    if found is None:
        raise SystemExit(f"no form for learner {number}: {page.status_code}\n{page.text[:500]}")
    return visitor, found[1]


def check(site: Site, visitor: Visitor, csrf: str) -> float:
    """Press the button; milliseconds until the page shows the score."""
    address = f"{site.hub_url}/services/desk/courses/demo/exercises/book"
    began = time.perf_counter()
    page = visitor.follow(visitor.browser.post(address, data={"csrf": csrf}))
    took = (time.perf_counter() - began) * 1000
    if 'id="score"' not in page.text:
        raise SystemExit(f"a check failed: {page.status_code}\n{page.text[:500]}")
    return took


def figures(start: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """The figures.

    Args:
        start: the notebook that learners have.
        expected: the expected answer.
    """
    with tempfile.TemporaryDirectory(prefix="bench-check-load-") as name:
        root = Path(name)
        for part in ("site", "gitlab"):
            (root / part).mkdir()
        site = Site(root / "site")
        site.forked = False
        gitlab = GitLabBeside(root / "gitlab", site)
        try:
            with ThreadPoolExecutor(1, initializer=elsewhere) as apart:
                apart.submit(gitlab.start).result()
            publish(gitlab, start, expected)
            site.start_proxy()
            with ThreadPoolExecutor(1, initializer=after_the_hub) as apart:
                apart.submit(site.start_desk).result()
            site.start_hub()
            say(f"   {LEARNERS} learners arrive")
            with ThreadPoolExecutor(4) as few:
                learners = list(few.map(lambda one: arrive(site, one), range(LEARNERS)))
            times: list[float] = []
            with ThreadPoolExecutor(LEARNERS, initializer=elsewhere) as all_at_once:
                list(all_at_once.map(lambda one: check(site, *one), learners[:4]))  # warm
                with Probe(f"{site.hub_url}/hub/api/") as idle:
                    time.sleep(IDLE_SECONDS)
                say(f"   {LEARNERS} checks at once, {ROUNDS} times")
                with Probe(f"{site.hub_url}/hub/api/") as busy:
                    for _ in range(ROUNDS):
                        times += all_at_once.map(lambda one: check(site, *one), learners)
        finally:
            site.close()
            gitlab.stop()
    return [
        line("check_50_at_once_p95", p95(times), None, "ms"),
        line("check_50_at_once_median", statistics.median(times), None, "ms"),
        line("hub_median_while_50_check", *map(statistics.median, (busy.times, idle.times)), "ms"),
        line("hub_p95_while_50_check", p95(busy.times), p95(idle.times), "ms"),
    ]
