"""LTI 1.3 launches, check by check, without a hub."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from atelier.config.registrations import Registrations
from atelier.identity import username
from atelier.learner import identify
from atelier.lti import launch13 as lti13
from atelier.lti.claims13 import as_params, migration_signature
from atelier.lti.launch11 import LaunchError
from atelier.lti.nonces import NonceStore
from atelier.lti.roles import has_teacher_role
from atelier.lti.sealed import Sealer
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm
from lms.platform13 import CLIENT_ID
from unit.atelier.click13 import (
    BROWSER,
    CLAIM,
    HUB,
    PLATFORM,
    PLATFORMS,
    SEALER,
    SECRET,
    SITE,
    Click,
    Web,
    key,
    refusal,
    registrations,
)


@pytest.fixture
def click() -> Click:
    return Click()


def test_a_launch_by_open_edx_s_code_is_accepted(click: Click) -> None:
    token = PLATFORMS.answer(click.query)["id_token"]
    params = click.arrive(token).launch.params
    assert params["user_id"] == "42"
    assert params["custom_course"] == "demo"
    assert "Learner" in params["roles"].split(",")
    assert params["lis_person_name_full"] == "Ada Lovelace"
    assert params["launch_presentation_locale"] == "fr"


def test_the_browser_is_sent_to_the_platform_with_all_that_the_standard_asks(click: Click) -> None:
    assert click.address.startswith(f"{PLATFORM}/lti13/auth?")
    asked = click.query
    assert asked["scope"] == "openid"
    assert asked["response_type"] == "id_token"
    assert asked["response_mode"] == "form_post"
    assert asked["prompt"] == "none"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == f"{HUB}/hub/lti13/launch"
    assert asked["login_hint"] == "42"
    assert asked["lti_message_hint"]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"iss": ""}, "launch_shape"),
        ({"login_hint": " "}, "launch_shape"),
        ({"login_hint": "x" * 3000}, "launch_shape"),
        ({"target_link_uri": ""}, "launch_shape"),
        ({"iss": "https://elsewhere.example"}, "launch_consumer"),
        ({"client_id": "another"}, "launch_consumer"),
        ({"lti_deployment_id": "7"}, "launch_consumer"),
        ({"target_link_uri": "https://evil.example/"}, "launch_elsewhere"),
        ({"target_link_uri": HUB + ".evil.example/"}, "launch_elsewhere"),
        ({"target_link_uri": HUB + "@evil.example/"}, "launch_elsewhere"),
        ({"target_link_uri": "https://hub.mooc.example\\@evil.example/"}, "launch_elsewhere"),
        ({"target_link_uri": "//hub.mooc.example/"}, "launch_elsewhere"),
        ({"target_link_uri": "javascript:alert(1)"}, "launch_elsewhere"),
    ],
)
def test_a_login_that_is_not_one_is_refused(values: dict[str, str], key: str) -> None:
    with pytest.raises(LaunchError) as refused:
        Click(**values)
    assert refused.value.key == key


def test_a_platform_that_names_no_client_is_known_when_it_has_one_registration() -> None:
    assert Click(client_id="").query["client_id"] == CLIENT_ID
    with pytest.raises(LaunchError, match="sent no client_id"):
        Click(registrations(client_ids=["a", "b"]), client_id="")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"iss": "https://elsewhere.example"}, "launch_signature"),
        ({"aud": "another"}, "launch_signature"),
        ({"aud": ["another", "third"]}, "launch_signature"),
        ({"aud": None}, "launch_signature"),
        ({"aud": [CLIENT_ID, "another"], "azp": None}, "launch_signature"),
        ({"azp": "another"}, "launch_signature"),
        ({"nonce": "another"}, "launch_signature"),
        ({"nonce": None}, "launch_signature"),
        ({"nonce": 3}, "launch_signature"),
        ({"exp": int(time.time()) - 900}, "launch_time"),
        ({"exp": None}, "launch_shape"),
        ({"exp": "tomorrow"}, "launch_shape"),
        ({"iat": int(time.time()) - 3600}, "launch_time"),
        ({"iat": int(time.time()) + 3600}, "launch_time"),
        ({"iat": None}, "launch_shape"),
        ({"iat": True}, "launch_shape"),
        ({"iat": 10**400}, "launch_shape"),
        ({"iat": float("nan")}, "launch_shape"),
        ({"exp": -(10**400)}, "launch_shape"),
        ({"exp": float("-inf")}, "launch_shape"),
        ({"sub": None}, "launch_nobody"),
        ({"sub": ""}, "launch_nobody"),
        ({"sub": " "}, "launch_nobody"),
        ({"sub": "x" * 256}, "launch_shape"),
        ({"sub": 42}, "launch_shape"),
        ({"lti_deployment_id": "2"}, "launch_consumer"),
        ({"lti_deployment_id": None}, "launch_consumer"),
        ({"lti_version": "1.1.0"}, "launch_shape"),
        ({"lti_message_type": "LtiSubmissionReviewRequest"}, "launch_shape"),
        ({"lti_message_type": ["LtiResourceLinkRequest"]}, "launch_shape"),
        ({"lti_resource_link": {}}, "launch_shape"),
        ({"lti_resource_link": "link"}, "launch_shape"),
        ({"lti_target_link_uri": "https://evil.example/"}, "launch_elsewhere"),
        ({"lti_target_link_uri": None}, "launch_elsewhere"),
    ],
)
def test_each_claim_is_checked(click: Click, changes: dict[str, Any], key: str) -> None:
    nonces = NonceStore("sqlite://")
    refused = refusal(click, click.token(**changes), nonces=nonces)
    assert refused.key == key
    assert click.arrive(nonces=nonces), "a refusal used nothing up"


def test_several_audiences_need_us_as_the_party(click: Click) -> None:
    assert click.arrive(click.token(aud=[CLIENT_ID, "another"], azp=CLIENT_ID))


def test_a_token_that_nobody_signed_is_refused(click: Click) -> None:
    bare = jwt.encode(click.claims(), None, "none", headers={"kid": "key-1"})  # type: ignore[arg-type]
    assert refusal(click, bare).key == "launch_signature"


def test_a_public_key_is_not_a_shared_secret(click: Click) -> None:
    """The old trick: HMAC with the platform's public key as the secret."""
    public = PLATFORMS.keyset()["keys"][0]["n"]
    forged = jwt.encode(click.claims(), public, "HS256", headers={"kid": "key-1"})
    assert "not allowed" in refusal(click, forged).detail


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 70_000, "é.é.é", "..", "e30.e30."])
def test_what_is_not_a_token_is_refused(click: Click, token: str) -> None:
    assert refusal(click, token).status in (400, 401, 413)


def test_another_s_key_or_a_key_without_name_is_refused(click: Click) -> None:
    assert refusal(click, click.token(signer="second")).key == "launch_signature"
    assert refusal(click, click.token(kid=None)).key == "launch_signature"
    assert refusal(click, click.token(kid="unknown")).key == "launch_signature"
    body, dot, signature = click.token().rpartition(".")
    assert refusal(click, body + dot + signature[:-4] + "AAAA").key == "launch_signature"


def test_keys_embedded_in_the_token_are_not_looked_at(click: Click) -> None:
    other = RSAAlgorithm.to_jwk(
        RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(key("second")).public_key(), as_dict=True
    )
    header = {"kid": "key-1", "jwk": other, "jku": "https://evil.example/keys"}
    forged = jwt.encode(click.claims(), key("second"), "RS256", headers=header)
    assert refusal(click, forged).key == "launch_signature"


def test_a_token_is_accepted_once_also_after_a_restart(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/jupyterhub.sqlite"
    first = NonceStore(database)  # before the click: what is older may have been used already
    click = Click()
    token = click.token()
    assert click.arrive(token, nonces=first)
    first.close()
    second = NonceStore(database)
    for later in (0, 1, lti13.STATE_SECONDS - 1):
        refused = refusal(click, token, nonces=second, later=later)
        assert refused.key == "launch_replay"
        assert refused.params is not None
        assert refused.params["user_id"] == "42"
    second.close()
    with pytest.raises(LaunchError, match="too long ago"):
        click.arrive(token, later=lti13.STATE_SECONDS + 1)


def test_a_login_begun_in_another_browser_is_not_this_one_s(click: Click) -> None:
    state = lti13.returned(click.query["state"], SEALER, click.now)
    assert state.started_by(BROWSER)
    assert not state.started_by("c" * 43)
    assert not state.started_by(None)


@pytest.mark.parametrize("state", ["", "x", "e30.e30.e30"])
def test_a_state_that_this_site_did_not_make_is_refused(state: str) -> None:
    with pytest.raises(LaunchError):
        lti13.returned(state, SEALER, time.time())
    with pytest.raises(LaunchError):
        lti13.returned(Sealer(b"other").seal("lti13-login", {}, 0, 10**10), SEALER, time.time())
    with pytest.raises(LaunchError):
        lti13.returned(SEALER.seal("something else", {}, 0, 10**10), SEALER, time.time())


def test_a_registration_that_went_away_meanwhile_launches_nobody(click: Click) -> None:
    assert refusal(click, known=Registrations()).key == "launch_consumer"
    assert refusal(click, known=registrations(client_ids=["new"])).key == "launch_consumer"


def test_the_learner_is_the_same_by_1_1_and_1_3_where_the_ids_are(click: Click) -> None:
    message = click.arrive()
    assert message.launch.consumer.platform == "fun"
    who = identify(message.launch.params, message.launch.consumer, SITE)
    assert who.username == username("fun", "42")
    assert who.email.endswith("@users.noreply.mooc.example")
    trusted = Click(registrations(trust_email=True)).arrive().launch
    assert identify(trusted.params, trusted.consumer, SITE).email == "ada@campus.example"


SPEC_CLAIMS = {
    "nonce": "172we8671fd8z",
    "iat": 1551290796,
    "exp": 1551290856,
    "iss": "https://lmsvendor.com",
    "aud": "PM48OJSfGDTAzAo",
    "sub": "3",
    CLAIM + "deployment_id": "689302",
}


def test_the_migration_s_signature_is_that_of_the_guide_s_example() -> None:
    made = migration_signature(SPEC_CLAIMS, "179248902", "PM48OJSfGDTAzAo", "my-lti11-secret")
    assert made == "lWd54kFo5qU7xshAna6v8BwoBm6tmUjc6GTax6+12ps="


@pytest.mark.parametrize(
    ("consumer", "secret", "user_id"),
    [
        ("fun", SECRET, "old-42"),
        ("fun", "wrong" * 8, "42"),
        ("fun", None, "42"),
        ("other", "another-" * 5, "42"),
        ("nobody", SECRET, "42"),
    ],
)
def test_the_1_1_user_id_counts_only_when_the_platform_proves_it(
    click: Click, consumer: str, secret: str | None, user_id: str
) -> None:
    claims = click.claims()
    claim = {"oauth_consumer_key": consumer, "user_id": "old-42"}
    if secret is not None:
        sign = migration_signature(claims, consumer, CLIENT_ID, secret)
        claim["oauth_consumer_key_sign"] = sign
    claims[CLAIM + "lti1p1"] = claim
    token = jwt.encode(claims, key("first"), "RS256", headers={"kid": "key-1"})
    message = click.arrive(token)
    assert message.launch.params["user_id"] == user_id
    assert message.launch.services is not None
    assert message.launch.services["sub"] == "42"


def test_roles_are_written_as_1_1_does() -> None:
    membership = "http://purl.imsglobal.org/vocab/lis/v2/membership"
    given = [
        f"{membership}#Instructor",
        f"{membership}/Instructor#TeachingAssistant",
        f"{membership}/Learner#Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
        "Learner",
        f"{membership}#Learner,{membership}#Instructor",
        f"{membership}/Instructor",
        f"{membership}#Instructor#Lecturer",
        f"x{membership}#Instructor",
        7,
    ]
    params = as_params({"sub": "1", CLAIM + "roles": given})
    assert params["roles"].split(",") == [
        "Instructor",
        "Instructor/TeachingAssistant",
        "Learner/Instructor",
        "urn:lti:instrole:ims/lis/Administrator",
        "Learner",
        f"{membership}/Instructor",
        f"{membership}#Instructor#Lecturer",
        f"x{membership}#Instructor",
    ]
    assert not has_teacher_role(",".join(params["roles"].split(",")[4:]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
CLAIMS = [
    "iss", "aud", "azp", "exp", "iat", "nonce", "sub", "name", "email", "locale",
    *(CLAIM + name for name in (
        "deployment_id", "version", "message_type", "resource_link", "target_link_uri", "roles",
        "custom", "context", "launch_presentation", "lti1p1",
    )),
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(CLAIMS), JSON, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_no_claim_of_a_wrong_kind_is_a_crash(changes: dict[str, Any]) -> None:
    click = BEGUN
    claims = {**BEGUN_CLAIMS, **json.loads(json.dumps(changes))}
    token = jwt.api_jws.encode(
        json.dumps(claims).encode(), key("first"), "RS256", headers={"kid": "key-1"}
    )
    try:
        click.arrive(token, web=BEGUN_WEB)
        status = 200
    except LaunchError as refused:
        status = refused.status
    assert status < 500
    if status == 200:
        essential = ("iss", "nonce", CLAIM + "deployment_id", CLAIM + "version")
        assert all(claims[name] == BEGUN_CLAIMS[name] for name in essential)


BEGUN = Click()
BEGUN_CLAIMS = BEGUN.claims()
BEGUN_WEB = Web()
