"""A rush and a lull: learners wait in a queue they can see; idle servers are stopped."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.atelier.campus import Visitor
from integration.atelier.small_site import Site, until


@pytest.fixture(scope="module")
def tight_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One start at a time, and servers idle for three seconds are stopped."""
    running = Site(tmp_path_factory.mktemp("tight-site"))
    running.write_settings(hub={"concurrent_spawn_limit": 1, "idle_timeout_seconds": 3})
    try:
        running.start_proxy()
        running.start_desk()
        running.start_hub()
        yield running
    finally:
        running.close()


def test_learners_who_come_together_wait_in_a_queue_they_can_see(tight_site: Site) -> None:
    visitors = [
        Visitor(tight_site.hub_url, tight_site.consumer_secret, secrets.token_hex(8))
        for _ in range(4)
    ]
    entries = [visitor.post(visitor.form()).headers["location"] for visitor in visitors]
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda one, entry: one.get(entry), visitors, entries))
    assert 429 not in {page.status_code for page in pages}
    waiting = [page for page in pages if "Beaucoup de notebooks démarrent" in page.text]
    assert waiting
    assert 'http-equiv="refresh"' in waiting[0].text
    opened = [visitor.follow(page) for visitor, page in zip(visitors, pages, strict=True)]
    assert [page.json()["visitor"] for page in opened] == [one.username for one in visitors]


def test_an_idle_server_is_stopped_and_starts_again_at_the_next_click(tight_site: Site) -> None:
    with Visitor(tight_site.hub_url, tight_site.consumer_secret, secrets.token_hex(8)) as visitor:
        before = visitor.launch().json()["pid"]
        home = until(
            lambda: "(en marche)" not in visitor.get("/hub/home").text, "it was stopped", 60
        )
        assert home
        assert visitor.launch().json()["pid"] != before
