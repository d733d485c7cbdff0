"""What strangers send leaves nothing that grows: no rows, and few lines of log."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from atelier.config.models import Consumers
from atelier.hub import named_servers
from atelier.limits import logs as log_bounds
from atelier.limits.logs import Bounded
from atelier.lti.launch11 import LaunchError, expected_signature, verify
from atelier.lti.nonces import NonceStore
from tornado import web
from world import soak

MANY = 100_000
LAUNCHES = MANY if soak.wanted() else 3_000
"""Of which each takes a third of a millisecond: all of them in make soak."""
KEPT = MANY if soak.wanted() else 10_000
NOW = 2_100_000_000  # ahead of today: a record refuses what is older than itself
URL = "https://hub.mooc.example/hub/lti/launch"
SECRET = "a-secret" * 5
CONSUMERS = Consumers.model_validate(
    {"consumers": [{"key": "campus", "secret": SECRET, "platform": "campus"}]}
)


def rows(folder: Path) -> int:
    with sqlite3.connect(folder / "nonces.sqlite") as database:
        (count,) = database.execute("SELECT count(*) FROM atelier_nonces").fetchone()
        return int(count)


def launch(number: int, secret: str) -> bytes:
    pairs = [
        ("lti_message_type", "basic-lti-launch-request"),
        ("lti_version", "LTI-1p0"),
        ("resource_link_id", "link"),
        ("user_id", "42"),
        ("oauth_consumer_key", "campus"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", str(NOW)),
        ("oauth_nonce", str(number)),
    ]
    signature = expected_signature(URL, "", pairs, "campus", secret)
    return urlencode([*pairs, ("oauth_signature", signature)]).encode()


def test_launches_that_nobody_signed_leave_no_row(tmp_path: Path) -> None:
    nonces = NonceStore(f"sqlite:///{tmp_path}/jupyterhub.sqlite")
    wrong = launch(0, "w" * 40)
    for number in range(LAUNCHES):
        body = wrong.replace(b"oauth_nonce=0", b"oauth_nonce=%d" % number)
        with pytest.raises(LaunchError, match="wrong signature"):
            verify(body, url=URL, query="", consumers=CONSUMERS, nonces=nonces, now=NOW, window=300)
    assert rows(tmp_path) == 0
    verify(
        launch(1, SECRET),
        url=URL,
        query="",
        consumers=CONSUMERS,
        nonces=nonces,
        now=NOW,
        window=300,
    )
    assert rows(tmp_path) == 1
    nonces.close()


def test_the_record_of_launches_keeps_a_day_of_them(tmp_path: Path) -> None:
    """Ten days of launches: what is kept is of the last day."""
    nonces = NonceStore(f"sqlite:///{tmp_path}/jupyterhub.sqlite")
    step = 10 * 86_400 / KEPT
    for number in range(KEPT):
        now = NOW + number * step
        assert nonces.claim("campus", int(now), str(number), now=now, expires=int(now) + 660)
    assert rows(tmp_path) < 1.05 * KEPT / 10
    nonces.close()


def lines_of(count: int, seconds: float, level: int = logging.WARNING) -> list[str]:
    """What is written of so many messages of one line of code, spread over that time."""
    now = 0.0
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage())

    logger = logging.Logger("of a test")
    handler = Kept()
    handler.addFilter(Bounded(clock=lambda: now))
    logger.addHandler(handler)
    for number in range(count):
        now = number * seconds / count
        logger.log(level, "launch refused [%s] by %s", number, "100%s")
    now += 1
    logger.log(logging.WARNING, "another kind of line")
    assert written[-1] == "another kind of line"
    return written[:-1]


def test_warnings_that_anybody_can_cause_are_written_at_a_bounded_rate() -> None:
    written = lines_of(MANY, 100)
    most = log_bounds.BURST + 100 * log_bounds.PER_SECOND
    assert 0.95 * most < len(written) <= most + 1
    assert written[0] == "launch refused [0] by 100%s"
    kept_back = [int(line.partition("(after ")[2].split()[0]) for line in written if "(af" in line]
    assert MANY - 300 < sum(kept_back) + len(written) <= MANY


def test_what_is_usual_and_what_is_an_error_is_all_written() -> None:
    for level in (logging.INFO, logging.ERROR):
        assert len(lines_of(5_000, 1, level)) == 5_000


@pytest.mark.parametrize(
    ("path_args", "refused"),
    [
        ((), False),
        (("ada",), False),
        (("ada", ""), False),
        (("ada", "demo"), False),
        (("ada", "other"), True),
        (("ada", b"x" * 300), True),
    ],
)
def test_a_server_that_is_no_courses_is_refused_before_there_is_a_row(
    monkeypatch: pytest.MonkeyPatch, path_args: tuple[Any, ...], refused: bool
) -> None:
    courses = SimpleNamespace(get={"demo": "a course"}.get)
    monkeypatch.setattr(named_servers, "hub_context", lambda: SimpleNamespace(courses=courses))
    handler = SimpleNamespace(path_args=path_args)
    if refused:
        with pytest.raises(web.HTTPError) as caught:
            named_servers.only_courses(handler)
        assert caught.value.status_code == 404
    else:
        assert named_servers.only_courses(handler) == 0
