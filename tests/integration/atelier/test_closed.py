"""A consumer, a registration or a course is removed: whoever came by it is out, at once."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from atelier.identity import username
from kit.platform11 import Visitor
from kit.platform13 import Visitor13, platform
from kit.site import Site, until

SECRET, OTHER = "a-secret" * 4, "another-" * 4
FUN = {"key": "fun", "platform": "fun", "secret": SECRET, "trust_roles": True}
MOODLE = {"key": "moodle", "platform": "moodle", "secret": OTHER, "trust_roles": True}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("closed"))
    try:
        site.write_consumers([FUN, MOODLE])
        site.start_all()
        yield site
    finally:
        site.close()


@pytest.fixture
def inventory(running: Site) -> Iterator[Site]:
    """The site with both platforms and one course, before and after."""
    yield running
    running.write_consumers([FUN, MOODLE])
    running.write_registrations([])
    running.write_course("demo")


class Guest(Visitor):
    """Somebody who came by a key, with what they hold: a server, a token, pages."""

    def __init__(self, site: Site, key: str, user_id: str) -> None:
        secret = {"fun": SECRET, "moodle": OTHER}[key]
        super().__init__(site.hub_url, secret, user_id)
        self.site, self.key = site, key
        self.username = username(key, user_id)
        self.token = ""

    def come(self, **values: str) -> None:
        opened = self.launch(key=self.key, **values)
        assert opened.status_code == 200, opened.text
        made = self.browser.post(
            f"{self.hub_url}/hub/api/users/{self.username}/tokens",
            headers={"X-XSRFToken": self.xsrf()},
            json={"note": "mine"},
        )
        self.token = made.json().get("token", "") if made.status_code == 201 else ""
        assert self.inside()

    def inside(self) -> bool:
        """Whether the hub knows them."""
        return self.get("/hub/api/user").status_code == 200

    def token_works(self) -> bool:
        headers = {"Authorization": f"token {self.token}"}
        answer = httpx.get(f"{self.hub_url}/hub/api/user", headers=headers, trust_env=False)
        return answer.status_code == 200

    def server_runs(self) -> bool:
        """Whether the hub has a server of theirs."""
        return bool(self.site.servers(self.username))


def exercises(visitor: Visitor) -> httpx.Response:
    return visitor.browser.get(
        f"{visitor.hub_url}/services/desk/courses/demo/exercises", follow_redirects=True
    )


def test_a_consumer_that_is_removed_takes_everything_with_it(inventory: Site, learner: str) -> None:
    with Guest(inventory, "fun", learner) as ada, Guest(inventory, "moodle", learner) as bob:
        ada.come()
        bob.come()
        exercises(ada)
        assert ada.server_runs()
        inventory.write_consumers([MOODLE])
        # Their next click does not wait for anything.
        page = ada.get("/hub/atelier/go?course=demo")
        assert page.status_code == 403
        assert exercises(ada).status_code == 403
        until(lambda: not ada.server_runs(), "the server has stopped")
        until(lambda: not ada.inside(), "the session has ended")
        assert not ada.token or not ada.token_works()
        assert bob.inside()
        assert bob.server_runs()
        # It is back: so are they, by a launch.
        inventory.write_consumers([FUN, MOODLE])
        ada.come()


def test_a_course_that_is_closed_to_a_platform_stops_its_server_alone(
    inventory: Site, learner: str
) -> None:
    inventory.write_course("other")
    with Guest(inventory, "fun", learner) as ada:
        ada.come(course="other")
        ada.come(course="demo")
        inventory.write_course("demo", consumers=["moodle"])
        page = ada.get("/hub/atelier/go?course=demo&target=gitlab")
        assert page.status_code == 403
        assert "n’existe plus" in page.text or "no longer exists" in page.text
        started = ada.browser.post(
            f"{ada.hub_url}/hub/api/users/{ada.username}/servers/demo",
            headers={"X-XSRFToken": ada.xsrf()},
        )
        assert started.status_code in (400, 403), "it runs still, or may not start"
        until(
            lambda: f"the server demo of {ada.username} stops" in inventory.log("hub"),
            "the server stops",
        )
        assert exercises(ada).status_code == 403
        assert ada.inside()
        assert ada.server_runs(), "that of the other course"
        home = ada.get("/hub/home").text
        assert "course=other" in home
        assert "course=demo" not in home
    (inventory.root / "courses.d/other.yml").unlink()


def test_a_registration_that_is_removed_takes_its_learners_with_it(
    inventory: Site, learner: str
) -> None:
    with platform(inventory.hub_url) as campus:
        inventory.write_registrations([campus.registration("campus-13", "campus")])
        with Visitor13(campus, learner) as ada:
            assert ada.open(course="demo").status_code == 200
            assert ada.get("/hub/api/user").status_code == 200
            inventory.write_registrations([])
            assert ada.get("/hub/atelier/go?course=demo").status_code == 403
            until(lambda: ada.get("/hub/api/user").status_code == 403, "the session has ended")


def test_a_file_that_is_wrong_shows_nobody_out(inventory: Site, learner: str) -> None:
    with Guest(inventory, "fun", learner) as ada:
        ada.come()
        (inventory.root / "consumers.yml").unlink()
        assert ada.get("/hub/atelier/go?course=demo").status_code == 302
        inventory.write_consumers([MOODLE])
        until(lambda: not ada.inside(), "and a right one does")


def test_an_instructor_of_another_platform_is_no_staff(inventory: Site, learner: str) -> None:
    inventory.write_course("demo", consumers=["fun", "moodle"])
    answers = "/services/desk/courses/demo/answers"
    with Guest(inventory, "moodle", learner) as eve:
        eve.come(roles="Instructor", target="home")

        def seen() -> int:
            return eve.browser.get(eve.hub_url + answers, follow_redirects=True).status_code

        assert seen() != 403, "named"
        inventory.write_course("demo")
        assert seen() == 403, "the course is anybody's, and there are two platforms"
