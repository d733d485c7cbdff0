"""Launches that must not work: each works against ltiauthenticator as it comes, none against ours.

The stock hub shows that the attack is a real one: a test that both pass would prove nothing.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import httpx
import pytest
from kit.platform11 import Visitor
from kit.site import Site
from kit.stock_site import StockHub

OTHER_SECRET = secrets.token_hex(32)
STOCK_WINDOW_SECONDS = 30
STOCK_FORGETS_AFTER_SECONDS = 35


@dataclass
class Door:
    """A hub under attack.

    Attributes:
        hub_url: its address.
        secret: that of its consumer ``campus``.
        restart: end the hub's process and start it again.
    """

    hub_url: str
    secret: str
    restart: Callable[[], None]

    def visitor(self, user_id: str | None = None) -> Visitor:
        """The browser of somebody; a learner nobody saw before when not named."""
        return Visitor(self.hub_url, self.secret, user_id or secrets.token_hex(8))

    def signs_in(self, form: dict[str, Any]) -> str | None:
        """Who a browser without history is signed in as after it sent a form; None: nobody."""
        with self.visitor() as stranger:
            stranger.post(form)
            return name_of(stranger)


def name_of(visitor: Visitor) -> str | None:
    """Who the hub takes a browser for."""
    answer = visitor.get("/hub/api/user")
    return str(answer.json()["name"]) if answer.status_code == 200 else None


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """JupyterHub and ltiauthenticator as they come."""
    hub = StockHub(
        tmp_path_factory.mktemp("stock"), campus=secrets.token_hex(32), other=OTHER_SECRET
    )

    def restart() -> None:
        hub.stop()
        hub.start()

    hub.start()
    try:
        yield Door(hub.hub_url, hub.consumers["campus"], restart)
    finally:
        hub.stop()


@pytest.fixture(scope="module")
def ours(site: Site) -> Door:
    """Our door, on the same hub software."""

    def restart() -> None:
        site.stop("hub")
        site.start_hub()

    campus = {"key": "campus", "secret": site.consumer_secret, "platform": "campus"}
    other = {"key": "other", "secret": OTHER_SECRET, "platform": "other"}
    site.write_consumers([campus, other])
    return Door(site.hub_url, site.consumer_secret, restart)


def form_ahead(learner: Visitor) -> dict[str, Any]:
    """A launch from a platform whose clock is ahead, as far as the stock door allows."""
    stamp = str(int(time.time()) + STOCK_WINDOW_SECONDS - 1)
    with mock.patch("oauthlib.oauth1.rfc5849.generate_timestamp", return_value=stamp):
        return learner.form()


def replay_after_junk(door: Door) -> int:
    """Unsigned requests with other time stamps push the nonce out of the memory, which holds 35."""
    with door.visitor() as learner, ThreadPoolExecutor(8) as pool:
        form = form_ahead(learner)
        learner.post(form)
        now = int(time.time())
        stamps = range(now - 15, now + STOCK_WINDOW_SECONDS - 2)
        junk = [
            {**form, "oauth_timestamp": str(stamp), "oauth_signature": "AAAA"} for stamp in stamps
        ]
        assert {answer.status_code for answer in pool.map(learner.post, junk)} == {401}
    return int(door.signs_in(form) is not None)


def replay_after_a_restart(door: Door) -> int:
    """The memory of nonces ends with the process."""
    with door.visitor() as learner:
        form = form_ahead(learner)
        learner.post(form)
    door.restart()
    return int(door.signs_in(form) is not None)


def nonce_used_up_by_a_stranger(door: Door) -> int:
    """An unsigned request with the learner's nonce comes first: theirs is then refused."""
    with door.visitor() as learner:
        form = learner.form()
        learner.post({**form, "oauth_signature": "AAAA"})
        learner.post(form)
        return int(name_of(learner) is None)


def leads_off_site(door: Door, **custom: str) -> int:
    with door.visitor() as learner:
        answer = learner.post(learner.form(**custom))
    return int("evil.example" in answer.headers.get("location", ""))


def author_s_next(door: Door) -> int:
    """A course's author writes another site into ``custom_next``."""
    return leads_off_site(door, next="https://evil.example/")


def second_next(door: Door) -> int:
    """A second ``custom_next``, which nobody signed, is added to a signed launch."""
    with door.visitor() as learner:
        form = learner.form(next="/hub/home")
        body = urlencode(form) + "&" + urlencode({"custom_next": "https://evil.example/"})
        answer = learner.browser.post(
            learner.launch_url,
            content=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    return int("evil.example" in answer.headers.get("location", ""))


def crash_by_a_word_for_a_time(door: Door) -> int:
    """A time stamp that is no number."""
    with door.visitor() as learner:
        answer = learner.post({**learner.form(), "oauth_timestamp": "yesterday"})
    return int(answer.status_code >= 500)


def same_name_on_two_platforms(door: Door) -> int:
    """Two platforms number their learners from 1: the second's enters as the first's."""
    number = secrets.token_hex(8)
    names = []
    for key, secret in (("campus", door.secret), ("other", OTHER_SECRET)):
        with door.visitor(number) as learner:
            learner.post(learner.form(key=key, secret=secret))
            names.append(name_of(learner))
    assert None not in names
    return int(names[0] == names[1])


def author_names_another(door: Door) -> int:
    """An author writes a learner's number into the parameter that ltiauthenticator reads."""
    with door.visitor() as victim, door.visitor() as author:
        victim.post(victim.form())
        author.post(author.form(canvas_user_id=victim.user_id))
        return int(name_of(victim) == name_of(author))


def bare_error_for_a_visit(door: Door) -> int:
    """Somebody opens the launch address by hand."""
    answer = httpx.get(f"{door.hub_url}/hub/lti/launch", trust_env=False)
    return int(answer.status_code >= 400)


ATTACKS = [
    replay_after_junk,
    nonce_used_up_by_a_stranger,
    author_s_next,
    second_next,
    crash_by_a_word_for_a_time,
    same_name_on_two_platforms,
    author_names_another,
    bare_error_for_a_visit,
    replay_after_a_restart,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_works_against_the_stock_door_does_not_work_here(
    stock: Door, ours: Door, attack: Callable[[Door], int]
) -> None:
    assert attack(stock) == 1
    assert attack(ours) == 0


def test_a_stamp_ahead_of_the_clock_is_not_forgotten_before_it_expires(
    stock: Door, ours: Door
) -> None:
    """Stock forgets a nonce 35 s after it came; stamped 29 s ahead, it is accepted for 59 s."""
    forms = {}
    for name, door in (("stock", stock), ("ours", ours)):
        with door.visitor() as learner:
            forms[name] = form_ahead(learner)
            learner.post(forms[name])
            assert name_of(learner) is not None
            assert door.signs_in(forms[name]) is None
    time.sleep(STOCK_FORGETS_AFTER_SECONDS + 1)
    assert stock.signs_in(forms["stock"]) is not None
    assert ours.signs_in(forms["ours"]) is None
