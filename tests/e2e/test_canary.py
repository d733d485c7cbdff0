"""Canaries: secrets used on the demo for real, with logs at their most talkative, lie nowhere.

Searched on the server: every image, container and volume, every log, every process's command
line and environment, GitLab's own folders. A decoy put in each kind of place proves the search.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator

import pytest
from kit.demo import Demo, until
from playwright.sync_api import BrowserContext, expect
from world import demo as world_demo

from e2e.test_learners import Course

DEBUG = {
    "atelier-desk": "/opt/atelier/venv/bin/atelier-desk --log-level DEBUG",
    "atelier-hub": "/opt/atelier/venv/bin/jupyterhub --debug --config"
    " /etc/atelier/jupyterhub_config.py",
}
# The words come on standard input: a search must not be what is found.
SEARCH = r"""
words=$(mktemp /dev/shm/words.XXXXXX)
trap 'rm -f "$words"' EXIT
cat >"$words"
journalctl --sync
{
  journalctl --no-pager --output cat | grep -aoF -f "$words" | sed 's/^/journal: /'
  grep -raoF -f "$words" /var/log /srv /tmp /etc/atelier/atelier.yml /etc/atelier/courses.d \
    /var/lib/atelier /var/lib/docker --exclude-dir=cache --exclude='*.img' 2>/dev/null
  # What is temporary in a learner's container is memory of its own.
  for line in $(grep -la jupyterhub-singleuser /proc/[0-9]*/cmdline 2>/dev/null); do
    root=${line%/cmdline}/root
    grep -raoF -f "$words" "$root/tmp" "$root/var/tmp" 2>/dev/null
  done
  for process in /proc/[0-9]*; do
    tr '\0' '\n' <"$process/cmdline" 2>/dev/null | grep -aoF -f "$words" | sed 's/^/command: /'
    tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -aoF -f "$words" | sed 's/^/environment: /'
  done
} | sort -u
"""


def search(demo: Demo, words: list[str]) -> list[str]:
    """Where any of the words lies on the server, one line a place."""
    found = demo.target.run("bash", "-c", SEARCH, stdin="\n".join(words) + "\n", check=False)
    return [line for line in found.splitlines() if line.strip()]


@pytest.fixture
def talkative(demo: Demo) -> Iterator[None]:
    """Hub and desk with logs at debug level."""
    for unit, command in DEBUG.items():
        folder = f"/run/systemd/system/{unit}.service.d"
        text = f"[Service]\nExecStart=\nExecStart={command}\n"
        demo.target.run("mkdir", "-p", folder)
        demo.target.run("tee", f"{folder}/debug.conf", stdin=text)
    restart(demo)
    yield
    for unit in DEBUG:
        demo.target.run("rm", "-rf", f"/run/systemd/system/{unit}.service.d")
    restart(demo)


def restart(demo: Demo) -> None:
    demo.target.run("systemctl", "daemon-reload")
    demo.target.run("systemctl", "restart", *DEBUG)

    def answers() -> bool:
        with demo.client() as client:
            paths = ("/hub/api/", "/services/desk/api/health")
            return all(client.get(demo.hub_url + path).status_code == 200 for path in paths)

    until(answers, "hub and desk answer again", 120)


@pytest.mark.usefixtures("talkative")
def test_no_secret_in_use_lies_anywhere_on_the_server(demo: Demo, person: BrowserContext) -> None:
    page = person.new_page()
    page.goto(demo.lms_url)
    course = Course(demo, page)
    course.be("ada")
    tab = course.click("notebook-python")
    tab.wait_for_url(re.compile("/lab/tree/"), timeout=180_000)
    user = tab.url.split("/user/")[1].split("/")[0]
    (container,) = [row[0] for row in demo.containers("Names") if user in row[0]]
    host = demo.gitlab_url.removeprefix("https://")
    ask = f"printf 'protocol=https\\nhost={host}\\n\\n' | git credential fill"
    inside = ("docker", "exec", container, "bash", "-c")
    given = demo.target.run(*inside, f"cd ~/{demo.course} && {ask}")
    credential = re.search(r"^password=(.+)$", given, re.MULTILINE)
    assert credential
    push = "git commit -q --allow-empty -m Canary && git push -q && git fetch -q"
    demo.target.run(*inside, f"cd ~/{demo.course} && {push}")

    access = person.new_page()
    access.goto(f"{demo.hub_url}/services/desk/")
    label = f"canary {secrets.token_hex(3)}"
    access.locator("#label").fill(label)
    access.locator("#make").click()
    token = access.locator("#token").inner_text()
    password = json.loads(world_demo.VARS.read_text())["atelier_gitlab_root_password"]
    cookies = [one["value"] for one in person.cookies() if one["name"] == "__Host-atelier-desk"]
    assert cookies

    # The search finds what is there: in a home (which is mounted), a container's /tmp, the journal,
    # a process.
    decoy = f"decoy-{secrets.token_hex(12)}"
    demo.target.run(*inside, f"echo {decoy} >~/{demo.course}/decoy && echo {decoy} >/tmp/decoy")
    demo.target.run("systemd-cat", "echo", decoy)
    demo.target.run(*("systemd-run", "--unit=decoy", f"--setenv=DECOY={decoy}", "sleep", "600"))
    try:
        places = search(demo, [decoy])
        for kind in ("/homes/mounts/", "/tmp/decoy", "journal: ", "environment: "):
            assert any(kind in place for place in places), (kind, places)
    finally:
        demo.target.run("systemctl", "stop", "decoy", check=False)
        demo.target.run(*inside, f"rm -f ~/{demo.course}/decoy /tmp/decoy")

    words = [credential[1], token, password, demo.gitlab_admin_token, *cookies]
    assert search(demo, words) == []
    access.reload()
    access.get_by_role("button", name=re.compile(label)).click()
    expect(access.get_by_role("button", name=re.compile(label))).to_have_count(0)
