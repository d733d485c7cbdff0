"""Somebody signed in opens a hostile learner's page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, Page

FOLDER = Path(__file__).parent
FILES = ("page.html", "attempts.js", "worker.js")


@dataclass(frozen=True)
class Place:
    """What the page knows; addresses without a slash at the end.

    Attributes:
        hub: the hub.
        gitlab: GitLab.
        own: origin of the attacker's server.
        attacker: the attacker's username.
        server: address of the victim's server.
        victim: the victim's username.
        course: its slug.
        marks: words that only the victim's own pages hold.
        tossed: values of cookies that the page itself has put in.
    """

    hub: str
    gitlab: str
    own: str
    attacker: str
    server: str
    victim: str
    course: str
    marks: tuple[str, ...]
    tossed: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """Address of the hostile page."""
        return f"{self.own}/user/{self.attacker}/{self.course}/public/page.html"


def all_attempts(context: BrowserContext, place: Place) -> dict[str, str]:
    """Open the page and let it try everything.

    Returns:
        What each attempt got; empty when nothing.
    """
    page = hostile_page(context, place)
    names = page.evaluate("Object.keys(window.attempts)")
    found = {}
    for name in names:
        if page.url != place.page:
            page.goto(place.page)
        found[name] = one_attempt(page, name, place)
        for other in context.pages:
            if other is not page:
                other.close()
        page.evaluate("document.querySelectorAll('iframe').forEach(one => one.remove())")
    return found  # the page stays open: with a browser's last page goes what it keeps for a session


def hostile_page(context: BrowserContext, place: Place) -> Page:
    """Open it as the victim."""
    page = context.new_page()
    page.goto(place.page)
    assert page.title() == "Look at my plot", page.content()
    return page


def one_attempt(page: Page, name: str, place: Place) -> str:
    """Let the page try one thing."""
    try:
        got = page.evaluate("([name, site]) => window.attempts[name](site)", [name, asdict(place)])
    except Error as error:
        if "navigation" not in str(error) and "Execution context" not in str(error):
            raise
        return ""  # a page that was led elsewhere has got nothing
    return str(got or "")
