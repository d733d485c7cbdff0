"""``/hub/lti13/register/<code>``: a platform registers, invited by an operator.

Source: LTI Dynamic Registration 1.0, section 3. The platform opens this address in its
administrator's browser, with the address of its configuration. This site reads the configuration,
sends its own addresses, and stores the answer. An invitation is required and works once.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from atelier.config.invitations import Invitation, InvitationError
from atelier.config.models import SettingsError, Site
from atelier.config.registrations import Registration, is_platform_url
from atelier.config.schema.hosts import PlatformHosts
from atelier.hub.context import hub_context
from atelier.hub.web.launch11 import LaunchHTTPError
from atelier.hub.web.lti13_base import Lti13Handler
from atelier.lti.access_tokens import SCORE_SCOPE
from atelier.lti.http import PlatformClient, PlatformRequestError
from atelier.lti.launch11 import LaunchError, read_form, single
from atelier.lti.launch13 import launch_url

CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_CLAIMS = ("iss", "sub", "name", "given_name", "family_name", "email")


def tool_configuration(site: Site) -> dict[str, Any]:
    """This site's tool configuration (section 3.5.2)."""
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
        raise PlatformRequestError(f"the platform's configuration: {name} is {str(value)[:200]!r}")
    return value


async def register(
    platform_client: PlatformClient,
    site: Site,
    configuration_url: str,
    token: str,
    invitation: Invitation,
) -> Registration:
    """Register with a platform.

    Args:
        platform_client: sends the requests.
        site: this site's addresses.
        configuration_url: ``openid_configuration``, from the platform.
        token: ``registration_token``, from the platform; empty where it gives none.
        invitation: the operator's.

    Raises:
        PlatformRequestError: the platform's answers cannot be used; the text says why.
    """
    if not is_platform_url(configuration_url):
        raise PlatformRequestError(f"openid_configuration is {configuration_url[:200]!r}")
    found = await platform_client.request("GET", configuration_url)
    issuer = found.get("issuer")
    # The server of the configuration speaks for its own host only (section 3.4).
    if not isinstance(issuer, str) or _host(issuer) != _host(configuration_url):
        raise PlatformRequestError(
            f"{configuration_url}: issuer is {str(issuer)[:200]!r}, another host"
        )
    login, jwks, tokens, endpoint = (
        _address(found, name, platform_client.hosts)
        for name in (
            "authorization_endpoint",
            "jwks_uri",
            "token_endpoint",
            "registration_endpoint",
        )
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await platform_client.request(
        "POST", endpoint, body=tool_configuration(site), headers=headers
    )
    configuration = answer.get(CONFIGURATION)
    deployment = configuration.get("deployment_id") if isinstance(configuration, dict) else None
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
        raise PlatformRequestError(f"{endpoint}: {where}: {wrong['msg']}") from None


class RegisterHandler(Lti13Handler):
    """``/hub/lti13/register/<code>``."""

    async def get(self, code: str) -> None:  # type: ignore[override]
        """Register, or say why not."""
        self.set_header("Cache-Control", "no-store")
        context = hub_context()
        try:
            query = single(read_form(self.request.query.encode("utf-8", "surrogateescape")))
            invitation = context.invitations.use(code, time.time())
            registration = await register(
                context.platform_client,
                context.settings.site,
                query.get("openid_configuration", ""),
                query.get("registration_token", ""),
                invitation,
            )
            if context.consumers.get().by_key(registration.key) is not None:
                raise SettingsError(f"a consumer has the key {registration.key!r}")
            context.invitations.add(registration)
        except InvitationError as error:
            await self.refuse(LaunchHTTPError(403, "no_invitation", f"registration: {error}"))
        except LaunchError as error:
            await self.refuse(LaunchHTTPError.of(error))
        except (PlatformRequestError, SettingsError, OSError) as error:
            await self.refuse(LaunchHTTPError(502, "not_registered", f"registration: {error}"))
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
