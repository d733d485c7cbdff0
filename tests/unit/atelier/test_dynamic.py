"""What a platform may say when it registers, and what is kept of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from atelier.config.invitations import Invitation, InvitationError, Invitations, merged
from atelier.config.models import Site
from atelier.config.registrations import Registration, Registrations
from atelier.hub.web.dynamic_registration import register
from atelier.lti.http import PlatformClient, PlatformRequestError
from lms.platform13 import Platform13

SITE = Site(hub_url="https://hub.example", gitlab_url="https://gitlab.example")
LMS = Platform13("https://lms.example", SITE.hub_url, "")
INVITATION = Invitation(key="lms-13", platform="lms", trust_roles=True, expires=2_000)


def come(
    configuration: dict[str, Any] | None = None,
    told: dict[str, Any] | None = None,
    url: str = "https://lms.example/configuration",
    bearer: str = "t",
) -> Registration:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={**LMS.openid_configuration(), **(configuration or {})})
        assert request.headers["authorization"] == f"Bearer {bearer}"
        return httpx.Response(
            200, json={**LMS.register(json.loads(request.content)), **(told or {})}
        )

    outside = PlatformClient(transport=httpx.MockTransport(answer))
    return asyncio.run(register(outside, SITE, url, bearer, INVITATION))


def test_the_operator_decides_and_the_platform_says_the_rest() -> None:
    found = come(told={"platform": "another", "trust_email": True})
    expected = LMS.registration("lms-13", "lms", trust_roles=True)
    assert found == Registration.model_validate(expected)


@pytest.mark.parametrize(
    ("configuration", "told", "url"),
    [
        ({"issuer": "https://other.example"}, {}, None),
        ({"issuer": None}, {}, None),
        ({"issuer": "https://["}, {}, None),
        ({"issuer": "https://[x]/"}, {}, None),
        ({"registration_endpoint": "https://xn--a/"}, {}, None),
        ({"registration_endpoint": "https://lms.example/\ud800"}, {}, None),
        ({"authorization_endpoint": "http://lms.example/auth"}, {}, None),
        ({"jwks_uri": "file:///etc/passwd"}, {}, None),
        ({"registration_endpoint": None}, {}, None),
        ({}, {"client_id": None}, None),
        ({}, {"client_id": 7}, None),
        ({}, {"https://purl.imsglobal.org/spec/lti-tool-configuration": []}, None),
        ({}, {}, "http://lms.example/configuration"),
        ({}, {}, ""),
    ],
)
def test_a_platform_that_makes_no_sense_is_not_registered(
    configuration: dict[str, Any], told: dict[str, Any], url: str | None
) -> None:
    with pytest.raises(PlatformRequestError):
        come(configuration, told, "https://lms.example/configuration" if url is None else url)


def test_a_registration_token_that_is_none_is_told() -> None:
    with pytest.raises(PlatformRequestError, match=r"https://lms\.example") as refused:
        come(bearer="clé-secrète")
    assert "clé" not in str(refused.value)


def test_an_invitation_works_once_and_in_time(tmp_path: Path) -> None:
    joined = Invitations(tmp_path)
    code = joined.invite(INVITATION)
    assert code not in "".join(path.name + path.read_text() for path in tmp_path.iterdir())
    assert joined.use(code, 1_000) == INVITATION
    for wrong in (code, "", "../x", "é" * 43):
        with pytest.raises(InvitationError):
            joined.use(wrong, 1_000)
    late = joined.invite(INVITATION)
    with pytest.raises(InvitationError):
        joined.use(late, 3_000)
    assert list(tmp_path.iterdir()) == []


def test_the_inventory_s_registrations_go_before(tmp_path: Path) -> None:
    joined = Invitations(tmp_path)
    own = Registration.model_validate(LMS.registration("lms-13", "lms"))
    other = Registration.model_validate(
        LMS.registration("other", "lms", issuer="https://o.example")
    )
    joined.add(own)
    joined.add(own)
    joined.add(other)
    assert (tmp_path / "registrations.yml").stat().st_mode & 0o777 == 0o640
    assert joined.known().registrations == (own, other)
    listed = Registration.model_validate(LMS.registration("listed", "lms"))
    both = merged(Registrations(registrations=(listed,)), joined.known())
    assert [one.key for one in both.registrations] == ["listed", "other"]
