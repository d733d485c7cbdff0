"""A learner's own JupyterLab shows a hostile page; another learner and a teacher open it.

What the page tries is in tests/hostile; tests/integration/atelier/test_hostile_page.py has it try
the same where learners' domain is a relative of the hub's, and where all share one origin.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import yaml
from hostile.visit import FILES, FOLDER, Place, all_attempts, hostile_page
from kit.demo import Demo
from kit.form import POST_FORM
from kit.learner import Seat, open_notebook
from kit.platform11 import launch_form
from playwright.sync_api import BrowserContext, Page, expect

SETTINGS = """
import sys

sys.path.insert(0, "/home/learner")
c.ServerApp.jpserver_extensions = {"evil_page": True, "atelier_notebook.gate": True}
"""
CONSUMERS = "/etc/atelier/consumers.yml"


@pytest.fixture(scope="module")
def attacker(demo: Demo) -> str:
    """A learner whose server shows pages to everybody: their username."""
    user_id = uuid4().hex
    with demo.client() as client:
        seat = open_notebook(demo, client, user_id)
        put(demo, seat, ".jupyter/jupyter_server_config.py", SETTINGS)
        put(demo, seat, "evil_page.py", (FOLDER / "evil_page.py").read_text())
        for name in FILES:
            put(demo, seat, f"public/{name}", (FOLDER / name).read_text())
        seat.stop()
        return open_notebook(demo, client, user_id).user


def put(demo: Demo, seat: Seat, path: str, text: str) -> None:
    """Write a file into the home folder of a learner who is at work."""
    coded = base64.b64encode(text.encode()).decode()
    write = f"cd; mkdir -p $(dirname {path}); echo {coded} | base64 -d > {path}"
    demo.target.run("docker", "exec", f"atelier-{seat.user}-{demo.course}", "bash", "-c", write)


@contextmanager
def trusted_roles(demo: Demo) -> Iterator[None]:
    """The platform's word on who teaches counts while the block lasts, and no longer."""
    usual = demo.target.read(CONSUMERS) + "\n"
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    known = yaml.safe_load(usual)
    known["consumers"][0]["trust_roles"] = True
    changed = yaml.safe_dump(known)
    demo.target.run("python3", "-c", script, CONSUMERS, changed)
    try:
        yield
    finally:
        demo.target.run("python3", "-c", script, CONSUMERS, usual)


def arrive(demo: Demo, page: Page, user_id: str, roles: str, name: str) -> str:
    """Launch GitLab and the notebook in this browser, and open the desk: the username."""
    address = f"{demo.hub_url}/hub/lti/launch"
    for target, place in (("gitlab", rf"/u[a-z2-7]+/{demo.course}"), ("notebook", r"/user/.+/lab")):
        form = launch_form(
            address, demo.consumer_key, demo.consumer_secret, user_id, full_name=name,
            email=f"{user_id}@example.org", locale="en", roles=roles, target=target,
        )  # fmt: skip
        page.goto(demo.lms_url)
        page.evaluate(POST_FORM, [address, form])
        page.wait_for_url(re.compile(place), timeout=180_000)
    user = page.url.split("/user/")[1].split("/")[0]
    page.goto(f"{demo.hub_url}/services/desk/")
    expect(page.locator("#label")).to_be_visible()
    return user


def place_of(demo: Demo, attacker: str, victim: str, name: str) -> Place:
    return Place(
        hub=demo.hub_url,
        gitlab=demo.gitlab_url,
        own=demo.server_origin(attacker),
        attacker=attacker,
        server=f"{demo.server_origin(victim)}/user/{victim}/{demo.course}",
        victim=victim,
        course=demo.course,
        marks=(f'"{victim}"', f"@{victim}", name, 'id="log-out"', 'name="csrf"', '"notebooks"'),
    )


# Run in the victim's own JupyterLab, as it asks its server.
RUNNING = """async server => {
  const headers = {"X-XSRFToken": (document.cookie.match(/_xsrf=([^;]+)/) || [])[1]};
  const ask = async what => (await (await fetch(`${server}/api/${what}`, {headers})).json()).length;
  return [await ask("kernels"), await ask("terminals")];
}"""


@pytest.mark.parametrize("role", ["Student", "Instructor"])
def test_who_opens_it_loses_nothing(
    demo: Demo, attacker: str, person: BrowserContext, role: str
) -> None:
    name = f"Vera {role}"
    page = person.new_page()
    with trusted_roles(demo):
        victim = arrive(demo, page, uuid4().hex, role, name)
        if role == "Instructor":
            answers = f"{demo.hub_url}/services/desk/courses/{demo.course}/answers"
            page.goto(answers)
            expect(page.locator("#csv")).to_be_visible()
        place = place_of(demo, attacker, victim, name)
        found = all_attempts(person, place)
    assert len(found) >= 40
    assert {attempt: text for attempt, text in found.items() if text} == {}

    page = person.new_page()
    page.goto(f"{demo.hub_url}/hub/home")
    expect(page.locator("#log-out")).to_be_visible()
    page.goto(f"{demo.hub_url}/services/desk/")
    expect(page.get_by_text(name)).to_be_visible()
    expect(page.get_by_text("hostile")).to_have_count(0)
    page.goto(f"{place.server}/lab?reset")
    expect(page.locator("#jp-main-statusbar")).to_be_visible(timeout=120_000)
    assert page.evaluate(RUNNING, place.server) == [0, 0]
    page.goto(f"{demo.gitlab_url}/{victim}/{demo.course}")
    expect(page.get_by_text(f"@{victim}").first).to_be_attached()


def test_cookies_that_fill_the_jar_stay_where_they_were_made(
    demo: Demo, attacker: str, person: BrowserContext
) -> None:
    victim = arrive(demo, person.new_page(), uuid4().hex, "Student", "Vera Jar")
    hostile_page(person, place_of(demo, attacker, victim, "Vera Jar")).evaluate("window.bomb()")
    page = person.new_page()
    page.goto(f"{demo.hub_url}/hub/home")
    expect(page.locator("#log-out")).to_be_visible()
    server = f"{demo.server_origin(victim)}/user/{victim}/{demo.course}/lab?reset"
    refused = page.goto(server)
    assert refused is not None
    assert refused.status == 431
    page.goto(server)  # the browser was told to empty the jar; the hub's cookies are elsewhere
    expect(page.locator("#jp-main-statusbar")).to_be_visible(timeout=120_000)


def test_who_comes_next_sees_nothing_of_who_signed_out(demo: Demo, person: BrowserContext) -> None:
    page = person.new_page()
    victim = arrive(demo, page, uuid4().hex, "Student", "Vera Gone")
    lab = f"{demo.server_origin(victim)}/user/{victim}/{demo.course}/lab?reset"
    page.goto(lab)
    expect(page.locator("#jp-main-statusbar")).to_be_visible(timeout=120_000)
    page.goto(f"{demo.hub_url}/services/desk/")
    expect(page.get_by_text("Vera Gone")).to_be_visible()
    page.goto(f"{demo.hub_url}/hub/home")
    page.locator("#log-out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    for _ in range(3):  # back to the home page, the desk, JupyterLab
        page.go_back()
        expect(page.get_by_text("Vera Gone")).to_have_count(0)
        expect(page.locator("#log-out")).to_have_count(0)
        expect(page.locator("#jp-main-statusbar")).to_have_count(0)
    page.goto(f"{demo.gitlab_url}/{victim}/{demo.course}")
    expect(page.get_by_text(f"@{victim}")).to_have_count(0)
    page.goto(lab)
    expect(page.locator("#jp-main-statusbar")).to_have_count(0)
