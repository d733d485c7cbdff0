"""``/hub/lti13/register/<code>``: a platform registers itself, by an operator's invitation.

Source: LTI Dynamic Registration 1.0, section 3. The platform opens the address in its
administrator's browser with where its configuration is; this site reads that, sends its own
addresses, and keeps what it is told. Nothing happens without an invitation, which works once.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from atelier.door.bound import Entrance13
from atelier.door.entrance import LaunchProblem
from atelier.door.lti11 import LaunchError, read_form, single
from atelier.door.lti13 import launch_url
from atelier.house import house
from atelier.joined import Invitation, InvitationError
from atelier.outside import Outside, OutsideError
from atelier.platform_hosts import PlatformHosts
from atelier.platform_services import SCORE_SCOPE
from atelier.registrations import Registration, is_platform_url
from atelier.settings import SettingsError, Site

CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_CLAIMS = ("iss", "sub", "name", "given_name", "family_name", "email")


def tool_configuration(site: Site) -> dict[str, Any]:
    """What this site says of itself (section 3.5.2)."""
    launch = launch_url(site.hub_url)
    contacts = {"contacts": [site.contact_email]} if site.contact_email else {}
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": site.hub_url + "/hub/lti13/login",
        "redirect_uris": [launch],
        "client_name": "Atelier",
        "jwks_uri": site.hub_url + "/hub/lti13/keys",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": SCORE_SCOPE,
        **contacts,
        CONFIGURATION: {
            "domain": urlsplit(site.hub_url).netloc,
            "target_link_uri": launch,
            "claims": list(_CLAIMS),
            "messages": [
                {
                    "type": "LtiDeepLinkingRequest",
                    "target_link_uri": launch,
                    "label": "Atelier",
                }
            ],
        },
    }


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _address(found: dict[str, Any], name: str, hosts: PlatformHosts) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not is_platform_url(value) or not hosts.may_show(value):
        raise OutsideError(f"the platform's configuration: {name} is {str(value)[:200]!r}")
    return value


async def register(
    outside: Outside, site: Site, configuration_url: str, token: str, invitation: Invitation
) -> Registration:
    """Register with a platform.

    Args:
        outside: how platforms are reached.
        site: this site's addresses.
        configuration_url: ``openid_configuration``, from the platform.
        token: ``registration_token``, from the platform; empty where it gives none.
        invitation: what the operator decided.

    Raises:
        OutsideError: the platform's answers cannot be used; the text says why.
    """
    if not is_platform_url(configuration_url):
        raise OutsideError(f"openid_configuration is {configuration_url[:200]!r}")
    found = await outside.request("GET", configuration_url)
    issuer = found.get("issuer")
    # Whoever serves the configuration speaks for that host alone (section 3.4).
    if not isinstance(issuer, str) or _host(issuer) != _host(configuration_url):
        raise OutsideError(f"{configuration_url}: issuer is {str(issuer)[:200]!r}, another host")
    login, jwks, tokens, endpoint = (
        _address(found, name, outside.hosts)
        for name in (
            "authorization_endpoint",
            "jwks_uri",
            "token_endpoint",
            "registration_endpoint",
        )
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await outside.request("POST", endpoint, body=tool_configuration(site), headers=headers)
    told = answer.get(CONFIGURATION)
    deployment = told.get("deployment_id") if isinstance(told, dict) else None
    audience = found.get("authorization_server")
    try:
        return Registration.model_validate(
            {
                **invitation.model_dump(exclude={"expires"}),
                "issuer": issuer,
                "client_ids": [answer.get("client_id")],
                "deployment_ids": [deployment],
                "auth_login_url": login,
                "auth_token_url": tokens,
                "auth_audience": audience if isinstance(audience, str) else None,
                "jwks_url": jwks,
            }
        )
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(str(part) for part in wrong["loc"])
        raise OutsideError(f"{endpoint}: {where}: {wrong['msg']}") from None


class RegisterHandler(Entrance13):
    """``/hub/lti13/register/<code>``."""

    async def get(self, code: str) -> None:  # type: ignore[override]
        """Register, or say why not."""
        self.set_header("Cache-Control", "no-store")
        rooms = house()
        try:
            query = single(read_form(self.request.query.encode("utf-8", "surrogateescape")))
            invitation = rooms.joined.use(code, time.time())
            registration = await register(
                rooms.outside,
                rooms.settings.site,
                query.get("openid_configuration", ""),
                query.get("registration_token", ""),
                invitation,
            )
            if rooms.consumers.get().by_key(registration.key) is not None:
                raise SettingsError(f"a consumer has the key {registration.key!r}")
            rooms.joined.add(registration)
        except InvitationError as error:
            await self.refuse(LaunchProblem(403, "no_invitation", f"registration: {error}"))
        except LaunchError as error:
            await self.refuse(LaunchProblem.of(error))
        except (OutsideError, SettingsError, OSError) as error:
            await self.refuse(LaunchProblem(502, "not_registered", f"registration: {error}"))
        else:
            self.log.info("platform %s registered as %s", registration.issuer, registration.key)
            self.finish(
                await self.render_template(
                    "atelier_registered.html",
                    lang=self.launch_language(),
                    title="registered_title",
                    key=registration.key,
                    origin=registration.origin,
                )
            )
