"""The door's rules, one by one, without a hub."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from atelier.config.models import Consumer, Consumers, Site
from atelier.courses.destinations import Destination, choose
from atelier.hub.launch_state import auth_state, requested_destination
from atelier.learner import display_name, identify, learner_of, merge_auth_state
from atelier.lti.launch11 import LaunchError, expected_signature, verify
from atelier.lti.nonces import NonceStore
from hypothesis import given, settings
from hypothesis import strategies as st

URL = "https://hub.mooc.example/hub/lti/launch"
SECRET = "a-secret" * 5
NEW_SECRET = "renewed-" * 5
CAMPUS = Consumer.model_validate({"key": "campus", "secret": SECRET, "platform": "campus"})
TRUSTED = CAMPUS.model_copy(update={"trust_email": True})
CONSUMERS = Consumers(consumers=(CAMPUS,))
SITE = Site(hub_url="https://hub.mooc.example", gitlab_url="https://gitlab.mooc.example")
NOW = 2_100_000_000  # ahead of today: a record refuses what is older than itself
NONCES = NonceStore("sqlite://")


def form(secret: str = SECRET, **values: str) -> list[tuple[str, str]]:
    """A launch, signed."""
    params = {
        "lti_message_type": "basic-lti-launch-request",
        "lti_version": "LTI-1p0",
        "resource_link_id": "link",
        "user_id": "42",
        "oauth_consumer_key": "campus",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(NOW),
        "oauth_nonce": str(time.monotonic_ns()),
        "oauth_version": "1.0",
        **values,
    }
    pairs = list(params.items())
    return [*pairs, ("oauth_signature", expected_signature(URL, "", pairs, "campus", secret))]


def check(body: bytes, nonces: NonceStore = NONCES, **values: Any) -> dict[str, str]:
    arguments: dict[str, Any] = {
        "url": URL,
        "query": "",
        "consumers": CONSUMERS,
        "nonces": nonces,
        "now": NOW,
        "window": 300,
        **values,
    }
    return verify(body, **arguments).params


def encoded(pairs: list[tuple[str, str]]) -> bytes:
    return urlencode(pairs).encode()


def rotating() -> Consumers:
    """The campus's key in rotation: SECRET is accepted for an hour more."""
    end = datetime.fromtimestamp(NOW + 3600, UTC)
    return Consumers.model_validate({"consumers": [{
        "key": "campus", "secret": NEW_SECRET, "platform": "campus", "rotation": "spring",
        "previous": [{"secret": SECRET, "until": end}],
    }]})  # fmt: skip


@pytest.mark.parametrize("secret", [SECRET, NEW_SECRET])
def test_both_secrets_of_a_key_in_rotation_are_accepted(secret: str) -> None:
    assert check(encoded(form(secret)), consumers=rotating())["user_id"] == "42"


def test_a_replaced_secret_is_refused_from_the_end_of_its_grace_on() -> None:
    times = {"now": NOW + 3600, "consumers": rotating()}
    with pytest.raises(LaunchError) as refused:
        check(encoded(form(oauth_timestamp=str(NOW + 3600))), **times)
    assert refused.value.key == "launch_signature"
    assert check(encoded(form(NEW_SECRET, oauth_timestamp=str(NOW + 3600))), **times)


def test_a_launch_is_no_other_launch_when_signed_anew_with_the_other_secret() -> None:
    nonce = {"oauth_nonce": "one-of-its-kind"}
    check(encoded(form(SECRET, **nonce)), consumers=rotating())
    with pytest.raises(LaunchError) as refused:
        check(encoded(form(NEW_SECRET, **nonce)), consumers=rotating())
    assert refused.value.key == "launch_replay"


def test_who_still_signs_with_the_old_secret_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO"):
        check(encoded(form(NEW_SECRET)), consumers=rotating())
        assert not caplog.records
        check(encoded(form(SECRET)), consumers=rotating())
    assert "'campus' signs with a secret that is being replaced" in caplog.text
    assert SECRET not in caplog.text


def test_a_signed_launch_is_accepted_once() -> None:
    body = encoded(form(lis_person_name_full="Émilie & co + π"))
    assert check(body)["lis_person_name_full"] == "Émilie & co + π"
    with pytest.raises(LaunchError) as refused:
        check(body)
    assert refused.value.key == "launch_replay"


def test_the_record_outlives_the_process_and_the_window(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/jupyterhub.sqlite"
    early, late = encoded(form()), encoded(form(oauth_timestamp=str(NOW + 299)))
    first = NonceStore(database)
    check(early, first)
    check(late, first)
    first.close()
    second = NonceStore(database)
    for when in (NOW, NOW + 299, NOW + 301, NOW + 598):
        for body in (early, late):
            with pytest.raises(LaunchError):
                check(body, second, now=when)
    second.close()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["user_id", "oauth_nonce", "oauth_timestamp", "custom_x", "oauth_signature"]
            ),
            st.text(max_size=20),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=300)
def test_what_was_not_signed_is_not_accepted(changes: list[tuple[str, str]]) -> None:
    original = form()
    pairs = [pair for pair in original if pair[0] not in dict(changes)] + changes
    if sorted(pairs) == sorted(original):
        return
    with pytest.raises(LaunchError) as refused:
        check(urlencode(pairs, errors="surrogatepass").encode())
    assert 400 <= refused.value.status < 500


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_nobody_is_not_a_learner(value: str) -> None:
    with pytest.raises(LaunchError) as refused:
        check(encoded(form(user_id=value)))
    assert refused.value.key == "launch_nobody"


@given(st.binary(max_size=400))
def test_any_body_gets_an_answer(body: bytes) -> None:
    with pytest.raises(LaunchError) as refused:
        check(body)
    assert 400 <= refused.value.status < 500


def test_a_body_can_be_too_large() -> None:
    with pytest.raises(LaunchError) as refused:
        check(b"a" * 300_000)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("when", "accepted"), [(-299, True), (299, True), (-301, False), (301, False)]
)
def test_the_timestamp_window(when: int, accepted: bool) -> None:
    body = encoded(form(oauth_timestamp=str(NOW + when)))
    if accepted:
        check(body)
    else:
        with pytest.raises(LaunchError) as refused:
            check(body)
        assert refused.value.key == "launch_time"


def test_the_query_is_signed_too() -> None:
    with pytest.raises(LaunchError):
        check(encoded(form()), query="custom_course=other")


def test_a_launch_that_fails_its_signature_leaves_no_record() -> None:
    body = encoded(form())
    with pytest.raises(LaunchError):
        check(body + b"&custom_x=1")
    check(body)


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada\n\tLovelace ", "Ada Lovelace"),
        ("<script>alert(1)</script>", "script alert(1) /script"),
        ("\u202eAda", "Ada"),
        ("x" * 500, "x" * 127),
        (" ", "fallback"),
    ],
)
def test_display_names_are_one_plain_line(given_name: str, shown: str) -> None:
    assert display_name({"lis_person_name_full": given_name}, "fallback") == shown


@pytest.mark.parametrize(
    ("consumer", "email", "trusted"),
    [
        (TRUSTED, "ada@campus.example", True),
        (TRUSTED, "ada", False),
        (TRUSTED, "a b@campus.example", False),
        (TRUSTED, "Ada <ada@campus.example>", False),
        (CAMPUS, "ada@campus.example", False),
    ],
)
def test_addresses_of_trusted_platforms_only(consumer: Consumer, email: str, trusted: bool) -> None:
    params = {"user_id": "42", "lis_person_contact_email_primary": email}
    learner = identify(params, consumer, SITE)
    assert learner.email == (email if trusted else f"{learner.username}@users.noreply.mooc.example")


def test_what_an_author_can_set_does_not_change_who_one_is() -> None:
    plain = identify({"user_id": "42"}, CAMPUS, SITE)
    dressed = identify(
        {
            "user_id": "42",
            "lis_person_contact_email_primary": "root@mooc.example",
            "lis_person_sourcedid": "root",
            "custom_user_id": "1",
            "custom_canvas_user_id": "1",
        },
        TRUSTED,
        SITE,
    )
    assert plain.username == dressed.username


def test_launches_of_several_courses_stay_known() -> None:
    params = {"user_id": "42", "lis_result_sourcedid": "r1", "lis_outcome_service_url": "https://x"}
    learner = identify(params, CAMPUS, SITE)
    first = auth_state(learner, Destination("demo", "notebook", "a.md"), params, CAMPUS, NOW)
    second = auth_state(learner, Destination("maths", "gitlab"), params, CAMPUS, NOW)
    both = merge_auth_state(second, first)
    assert both is not None
    assert set(both["launches"]) == {"demo", "maths"}
    assert both["first"] is True
    again = merge_auth_state(first, both)
    assert again is not None
    assert again["first"] is False, "its space was asked for then"
    assert both["launches"]["demo"]["lis_result_sourcedid"] == "r1"
    assert learner_of(both) == learner
    assert requested_destination(both, {}) == Destination("maths", "gitlab")
    asked = {"course": "demo", "path": "b.md", "target": "notebook"}
    assert requested_destination(both, asked) == Destination("demo", "notebook", "b.md")
    assert requested_destination(both, {"course": "elsewhere"}) is None
    assert requested_destination(None, {}) is None
    assert merge_auth_state(None, first) == first


def test_choose_reads_nothing_but_custom_parameters() -> None:
    params = {"custom_target": "gitlab", "next": "https://evil.example", "course": "x"}
    from atelier.config.models import Course

    demo = Course.model_validate(
        {"slug": "demo", "title": {"fr": "d", "en": "d"}, "template": "d/t", "image": "i"}
    )
    assert choose(params, CAMPUS, {"demo": demo}, SITE.hub_url) == Destination("demo", "gitlab")
