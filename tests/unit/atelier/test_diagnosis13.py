"""Why an LTI 1.3 token is refused, in words that an administrator can act on."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from atelier.i18n.translate import say
from atelier.lti import launch13 as lti13
from atelier.lti.diagnosis13 import causes, shown, unverified
from lms.platform13 import CLIENT_ID
from unit.atelier.click13 import PLATFORM, SEALER, WINDOW, Click, Web, key, refusal


@pytest.fixture
def click() -> Click:
    return Click()


def found(click: Click, token: str, *, later: float = 0, web: Web | None = None) -> list[str]:
    """The keys of what is found wrong, once the launch itself was refused."""
    web = web or Web()
    assert refusal(click, token, web=web, later=later)
    state = lti13.returned(click.query["state"], SEALER, click.now + later)
    registration = click.known.by_key(state.registration)
    said = causes(token, state, registration, web.keysets, click.now + later, WINDOW)
    for cause in said:
        for lang in ("fr", "en"):
            assert "{" not in say(cause.key, lang, **cause.fields)
    return [cause.key.removeprefix("cause13_") for cause in said if cause.key[:7] == "cause13"]


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    parts = ({"alg": algorithm, "typ": "JWT", "kid": "key-1"}, claims)
    both = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts]
    return b".".join([*both, b""]).decode()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kid": "gone"}, ["kid_unknown", "other_key"]),
        ({"kid": "gone", "signer": "second"}, ["kid_unknown", "no_key"]),
        ({"signer": "second"}, ["kid_known", "no_key"]),
        ({"iss": "https://other.example"}, ["issuer"]),
        ({"aud": "another"}, ["client"]),
        ({"aud": ["another", CLIENT_ID], "azp": "another"}, ["party"]),
        ({"aud": ["another", CLIENT_ID], "azp": None}, ["party"]),
        ({"lti_deployment_id": "9"}, ["deployment"]),
        ({"nonce": "another"}, ["nonce"]),
        ({"iss": "https://other.example", "lti_deployment_id": "9"}, ["issuer", "deployment"]),
    ],
)
def test_what_does_not_match_is_named(
    click: Click, values: dict[str, Any], said: list[str]
) -> None:
    assert found(click, click.token(**values)) == said


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS1"])
def test_an_algorithm_that_is_not_allowed_is_named(click: Click, algorithm: str) -> None:
    assert found(click, unsigned(click.claims(), algorithm)) == ["algorithm"]


def test_a_key_address_that_is_down_is_told_as_no_key_known(click: Click) -> None:
    web = Web()
    web.down = True
    assert found(click, click.token(), web=web) == ["kid_unknown"]


def test_a_clock_that_is_off_is_told(click: Click) -> None:
    claims = click.claims(iat=click.now - 4000, exp=click.now - 3700)
    token = jwt.encode(claims, key("first"), "RS256", headers={"kid": "key-1"})
    assert found(click, token) == ["expired"]
    state = lti13.returned(click.query["state"], SEALER, click.now)
    web = Web()
    refusal(click, token, web=web)
    said = causes(
        token, state, click.known.by_key(state.registration), web.keysets, click.now, WINDOW
    )
    (clock,) = [one for one in said if one.key == "diagnosis_clock"]
    assert clock.fields == {"skew": "+4000", "window": str(WINDOW)}


@pytest.mark.parametrize("when", [10**400, float("nan"), float("-inf"), True, "x", None])
def test_times_that_are_none_are_passed_over(click: Click, when: object) -> None:
    assert found(click, click.token(iat=when, exp=when, signer="second")) == ["kid_known", "no_key"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\udcff", "x" * 100_000])
def test_what_is_no_token_is_told(click: Click, token: str) -> None:
    assert found(click, token) == ["no_token"]


def test_nothing_secret_is_shown(click: Click) -> None:
    rows = dict(shown(*unverified(click.token())))
    assert rows["iss"] == PLATFORM
    assert rows["kid"] == "key-1"
    assert click.query["nonce"] not in str(rows)


def test_half_a_character_is_shown_as_one_that_is_missing(click: Click) -> None:
    token = click.token(sub="\ud800", iss="\udfff", lti_deployment_id="\ud800")
    rows = shown(*unverified(token))
    assert ("sub", "\ufffd") in rows
    state = lti13.returned(click.query["state"], SEALER, click.now)
    known = click.known.by_key(state.registration)
    said = causes(token, state, known, Web().keysets, click.now, WINDOW)
    texts = [value for _, value in rows]
    texts += [value for one in said for value in one.fields.values()]
    assert all(text.encode("utf-8") for text in texts)


def test_a_platform_that_is_registered_no_more_is_told(click: Click) -> None:
    state = lti13.returned(click.query["state"], SEALER, click.now)
    said = causes(click.token(), state, None, Web().keysets, click.now, WINDOW)
    assert [one.key for one in said] == ["cause13_registration"]
