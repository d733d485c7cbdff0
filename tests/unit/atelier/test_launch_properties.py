"""A hundred thousand hostile launches: each gets an answer, and only what was signed is accepted.

Hypothesis draws the values; each of its examples tries them in many places, so that cases are many
and cheap.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from urllib.parse import quote_plus, urlencode

import pytest
from atelier.config.models import Consumers, Course, Site
from atelier.courses.destinations import TargetError, choose, notebook_path
from atelier.hub.launch_state import auth_state
from atelier.identity import is_username, username
from atelier.learner import identify
from atelier.lti.launch11 import Launch, LaunchError, expected_signature, verify
from atelier.lti.nonces import NonceStore
from hypothesis import example, given, settings
from hypothesis import strategies as st
from world import soak

pytestmark = pytest.mark.long

HUB = "https://hub.mooc.example"
URL = f"{HUB}/hub/lti/launch"
SECRETS = {"campus": "a-secret" * 5, "other": "another-" * 5}
CONSUMERS = Consumers.model_validate(
    {"consumers": [{"key": key, "secret": it, "platform": key} for key, it in SECRETS.items()]}
)
COURSE = Course.model_validate(
    {"slug": "demo", "title": {"fr": "d", "en": "d"}, "template": "d/t", "image": "i"}
)
SITE = Site(hub_url=HUB, gitlab_url="https://gitlab.mooc.example")
NOW = 1_800_000_000
BASE = {
    "lti_message_type": "basic-lti-launch-request",
    "lti_version": "LTI-1p0",
    "resource_link_id": "link",
    "user_id": "42",
    "roles": "Student",
    "oauth_consumer_key": "campus",
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": str(NOW),
    "oauth_version": "1.0",
    "oauth_callback": "about:blank",
    "lis_person_name_full": "Émilie & co",
    "lis_person_contact_email_primary": "e@campus.example",
    "launch_presentation_locale": "fr",
    "custom_course": "demo",
    "custom_target": "notebook",
    "custom_path": "a.ipynb",
    "custom_next": "/hub/user-redirect/lab",
}
PLACES = (*BASE, "oauth_nonce", "oauth_signature", "oauth_body_hash", "custom_exercise", "x")
VALUES = 8
EXAMPLES = 250 if soak.wanted() else 25  # times places and values: a hundred thousand in make soak
_nonces = itertools.count()
_store = NonceStore("sqlite://")

# As it is in a form: percent-encoded or raw bytes, of any kind and length.
text = st.text(max_size=12)
hostile = st.one_of(
    text.map(quote_plus),
    st.binary(max_size=12).map(quote_plus),
    st.binary(max_size=12).map(lambda raw: raw.decode("latin-1")),
    st.integers().map(str),
    st.sampled_from(
        ["", "+", "%", "%00", "%zz", "%ff%fe", "a" * 5000, "%0d%0aSet-Cookie:+x=1", "-1", "1e9",
         "NaN", "null", "[]", "42%00", "%ED%A0%80", "..%2f..", "//evil.example", "other",
         "%F0%9F%92%A9" * 50, "9" * 400, "PLAINTEXT", "HMAC-SHA256", "LTI-1p3", "0" * 12]
    ),
)  # fmt: skip
batches = st.lists(hostile, min_size=VALUES, max_size=VALUES)


def signed(**changes: str) -> list[tuple[str, str]]:
    pairs = list({**BASE, "oauth_nonce": f"n{next(_nonces)}", **changes}.items())
    key = dict(pairs)["oauth_consumer_key"]
    made = expected_signature(URL, "", pairs, key, SECRETS.get(key, "x"))
    return [*pairs, ("oauth_signature", made)]


def ask(body: bytes, query: str = "") -> Launch | None:
    """The launch when accepted; None when refused as it should be."""
    try:
        return verify(
            body, url=URL, query=query, consumers=CONSUMERS, nonces=_store, now=NOW, window=300
        )
    except LaunchError as error:
        refused = error
    assert 400 <= refused.status < 500
    assert not any(secret in refused.detail for secret in SECRETS.values())
    return None


def replaced(pairs: list[tuple[str, str]], name: str, value: str) -> str:
    return "&".join(
        f"{quote_plus(one)}={value if one == name else quote_plus(it)}"
        for one, it in (pairs if name in dict(pairs) else [*pairs, (name, "")])
    )


def added(pairs: list[tuple[str, str]], name: str, value: str) -> str:
    return f"{urlencode(pairs)}&{name}={value}"


def put_first(pairs: list[tuple[str, str]], name: str, value: str) -> str:
    return f"{name}={value}&{urlencode(pairs)}"


@pytest.mark.parametrize("change", [replaced, added, put_first])
def test_what_nobody_signed_is_not_accepted(
    change: Callable[[list[tuple[str, str]], str, str], str],
) -> None:
    cases: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, database=None)
    @given(batches)
    def tried(values: list[str]) -> None:
        pairs = signed()
        genuine = sorted(pairs)
        for name, value in itertools.product(PLACES, values):
            body = change(pairs, name, value).encode("utf-8")
            launch = ask(body)
            cases["all"] += 1
            if launch is not None:  # the very value that was signed may be put in its own place
                assert sorted(launch.params.items()) == genuine
                pairs = signed()
                genuine = sorted(pairs)

    tried()
    assert cases["all"] >= EXAMPLES * VALUES * len(PLACES)
    assert 3 * cases["all"] >= 400 * EXAMPLES


def walk(launch: Launch) -> None:
    """What follows an accepted launch raises nothing but a wrong target."""
    learner = identify(launch.params, launch.consumer, SITE)
    assert learner.username == username(launch.consumer.platform, launch.params["user_id"])
    assert is_username(learner.username)
    assert learner.email.endswith(f"@users.noreply.{SITE.mail_domain}")
    try:
        place = choose(launch.params, launch.consumer, {"demo": COURSE}, HUB)
    except TargetError:
        return
    assert auth_state(learner, place, launch.params, launch.consumer, NOW)["launches"]["demo"] == {
        **asdict(place),
        "at": NOW,
        "consumer": launch.consumer.key,
        "lis_outcome_service_url": None,
        "lis_result_sourcedid": None,
        "lti13": None,
        "staff": False,
    }
    address = notebook_path("/", learner.username, place, COURSE)
    assert address.startswith(f"/user/{learner.username}/demo/")


def places(value: str) -> Iterator[dict[str, str]]:
    for name in BASE:
        yield {name: value}
    yield {"custom_path": value, "custom_next": value, "user_id": value}


@settings(max_examples=400)
@given(text)
@example("\x00")
@example("é" * 3000)
@example("\U0001f4a9")
@example("other")
def test_a_platform_may_sign_anything(value: str) -> None:
    for changes in places(value):
        pairs = signed(**changes)
        launch = ask(urlencode(pairs).encode())
        if launch is not None:
            assert launch.params == dict(pairs)
            walk(launch)
            assert ask(urlencode(pairs).encode()) is None, "a replay"


@settings(max_examples=300)
@given(st.text(max_size=40), st.text(max_size=40))
def test_the_address_s_query_cannot_be_changed(query: str, other: str) -> None:
    if query != other:
        made = signed()
        assert (
            ask(urlencode(made).encode(), query=f"{quote_plus(query)}={quote_plus(other)}") is None
        )
