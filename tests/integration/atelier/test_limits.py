"""A rush and a lull: learners wait in a queue they can see; idle servers are stopped."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from kit.platform11 import Visitor
from kit.site import Site, until


@pytest.fixture(scope="module")
def tight_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One start at a time, and servers idle for three seconds are stopped."""
    running = Site(tmp_path_factory.mktemp("tight-site"))
    running.write_settings(hub={"concurrent_spawn_limit": 1, "idle_timeout_seconds": 3})
    try:
        running.start_all()
        yield running
    finally:
        running.close()


def test_learners_who_come_together_wait_in_a_queue_they_can_see(tight_site: Site) -> None:
    visitors = [
        Visitor(tight_site.hub_url, tight_site.consumer_secret, secrets.token_hex(8))
        for _ in range(4)
    ]
    for visitor in visitors:
        assert visitor.post(visitor.form()).is_redirect
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda one: one.get("/hub/atelier/go"), visitors))
    assert 429 not in {page.status_code for page in pages}
    waiting = [page for page in pages if "Beaucoup de notebooks démarrent" in page.text]
    assert waiting
    assert 'http-equiv="refresh"' in waiting[0].text
    places = sorted(int(page.text.split("la place ")[1].split()[0]) for page in waiting)
    assert places == list(range(places[0], places[0] + len(waiting)))
    # Together: a page that is not looked at loses its turn, and an idle server is stopped.
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(Visitor.follow, visitors, pages))
    assert [page.json()["visitor"] for page in opened] == [one.username for one in visitors]


def test_jupyterhub_s_own_address_for_a_start_leads_into_the_queue(tight_site: Site) -> None:
    one, two = (
        Visitor(tight_site.hub_url, tight_site.consumer_secret, secrets.token_hex(8))
        for _ in range(2)
    )
    for visitor in (one, two):
        visitor.post(visitor.form())
    one.get("/hub/atelier/go")
    page = two.get(f"/hub/spawn/{two.username}/demo")
    assert page.headers["location"].startswith("/hub/atelier/go?course=demo")
    assert two.get(page.headers["location"]).status_code in (200, 302)
    assert two.follow(page).json()["visitor"] == two.username


def test_an_idle_server_is_stopped_and_starts_again_at_the_next_click(tight_site: Site) -> None:
    with Visitor(tight_site.hub_url, tight_site.consumer_secret, secrets.token_hex(8)) as visitor:
        before = visitor.launch().json()["pid"]
        home = until(
            lambda: "(en marche)" not in visitor.get("/hub/home").text, "it was stopped", 60
        )
        assert home
        assert visitor.launch().json()["pid"] != before
