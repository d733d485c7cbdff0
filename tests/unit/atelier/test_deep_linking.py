"""Who may choose a link, and what may be asked."""

from __future__ import annotations

from typing import Any

import pytest
from atelier.config.registrations import Registration, Registrations
from atelier.config.schema.hosts import PlatformHosts
from atelier.lti import deep_linking13 as deep_linking
from atelier.lti.claims13 import CLAIM, DEEP_LINKING_SETTINGS
from atelier.lti.launch11 import Launch, LaunchError
from atelier.lti.launch13 import Message
from atelier.lti.sealed import Sealer

NOW = 1_800_000_000.0
MEMBER = "http://purl.imsglobal.org/vocab/lis/v2/membership"
FUN = Registration.model_validate(
    {
        "key": "fun-13",
        "platform": "fun",
        "issuer": "https://lms.example",
        "client_ids": ["tool"],
        "deployment_ids": ["1"],
        "auth_login_url": "https://lms.example/auth",
        "jwks_url": "https://lms.example/keys",
    }
)
KNOWN = Registrations(registrations=(FUN,))


def message(role: str = f"{MEMBER}#Instructor", **settings: Any) -> Message:
    asked = {
        "accept_types": ["link", "ltiResourceLink"],
        "deep_link_return_url": "https://lms.example/back",
        **settings,
    }
    claims = {
        "sub": "1",
        CLAIM + "deployment_id": "1",
        CLAIM + "roles": [role],
        DEEP_LINKING_SETTINGS: asked,
    }
    return Message(FUN, "tool", claims, Launch(FUN, {}))


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (f"{MEMBER}#Instructor", True),
        (f"{MEMBER}/Instructor#TeachingAssistant", True),
        (f"{MEMBER}#ContentDeveloper", True),
        ("http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator", True),
        (f"{MEMBER}#Learner", False),
        (f"{MEMBER}/Learner#Instructor", False),
        ("http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor", False),
        ("http://evil.example/membership#Instructor", False),
        ("", False),
    ],
)
def test_only_who_teaches_in_the_course_chooses(role: str, may: bool) -> None:
    if may:
        assert deep_linking.request_of(message(role), "b", PlatformHosts()).client_id == "tool"
    else:
        with pytest.raises(LaunchError) as refused:
            deep_linking.request_of(message(role), "b", PlatformHosts())
        assert refused.value.key == "not_a_teacher"


@pytest.mark.parametrize(
    "settings",
    [
        {"accept_types": ["file"]},
        {"accept_types": "ltiResourceLink"},
        {"deep_link_return_url": "javascript:alert(1)"},
        {"deep_link_return_url": "http://lms.example/back"},
        {"deep_link_return_url": "https://evil.example/back"},
        {"deep_link_return_url": "https://lms.example.evil.example/back"},
        {"deep_link_return_url": "https://lms.example@evil.example/back"},
        {"deep_link_return_url": "https://10.0.0.1/back"},
        {"data": {"a": 1}},
        {"data": "x" * 20_000},
    ],
)
def test_a_request_we_cannot_answer_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(LaunchError):
        deep_linking.request_of(message(**settings), "b", PlatformHosts())


def test_a_choice_goes_to_hosts_of_the_registration_as_it_is_now() -> None:
    canvas = FUN.model_copy(update={"hosts": ("school.example",)})
    back = {"deep_link_return_url": "https://School.example:8443/back"}
    asked = Message(canvas, "tool", message(**back).claims, Launch(canvas, {}))
    request = deep_linking.request_of(asked, "b", PlatformHosts())
    assert request.return_url == "https://School.example:8443/back"
    sealer = Sealer(b"k" * 32)
    sealed = deep_linking.seal(request, sealer, NOW)
    with pytest.raises(LaunchError):
        deep_linking.unseal(sealed, KNOWN, sealer, NOW + 60)


def test_the_platform_s_data_comes_back_unchanged() -> None:
    sealer = Sealer(b"k" * 32)
    sealed = deep_linking.seal(
        deep_linking.request_of(message(data="é <x>"), "b", PlatformHosts()), sealer, NOW
    )
    request, registration = deep_linking.unseal(sealed, KNOWN, sealer, NOW + 60)
    assert registration == FUN
    claims = deep_linking.answer(request, None, "https://hub.example", NOW)
    assert claims["https://purl.imsglobal.org/spec/lti-dl/claim/data"] == "é <x>"
    assert (claims["iss"], claims["aud"]) == ("tool", "https://lms.example")
    assert claims["exp"] > NOW


def test_a_request_is_good_for_an_hour_and_while_the_platform_is_known() -> None:
    sealer = Sealer(b"k" * 32)
    sealed = deep_linking.seal(
        deep_linking.request_of(message(), "b", PlatformHosts()), sealer, NOW
    )
    for known, when in ((KNOWN, NOW + 3700), (Registrations(), NOW + 1)):
        with pytest.raises(LaunchError):
            deep_linking.unseal(sealed, known, sealer, when)
