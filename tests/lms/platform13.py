"""The platform's side of LTI 1.3, by Open edX's own code (lti-consumer-xblock).

Open edX keeps what a launch is about in Django's cache between its two steps, and signs with a
key of its own for each configuration. So does this.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings as django_settings

from lms.outcomes import GradeBook
from lms.unit import COURSE_ID, PLATFORM_NAME

if not django_settings.configured:
    django_settings.configure(PLATFORM_NAME=PLATFORM_NAME)

CLIENT_ID = "atelier-tool"
DEPLOYMENT_ID = "1"
SCORE_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"


def make_key() -> str:
    """A platform's private key, in PEM."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Platform13:
    """A platform with one LTI 1.3 configuration.

    Args:
        address: the platform's own address, which is its issuer too.
        hub_url: the tool's.
        key: private key in PEM.
        key_id: its name in the key set.
        tool_key: the tool's public key in PEM; None: read from the tool's address when needed.
        grades: where scores of its links are written down; None: it takes none.
    """

    def __init__(
        self,
        address: str,
        hub_url: str,
        key: str,
        key_id: str = "key-1",
        tool_key: str | None = None,
        grades: GradeBook | None = None,
    ) -> None:
        self.address = address
        self.hub_url = hub_url
        self.key = key
        self.key_id = key_id
        self.tool_key = tool_key
        self.grades = grades

    @property
    def launch_url(self) -> str:
        """The tool's launch address."""
        return f"{self.hub_url}/hub/lti13/launch"

    @property
    def return_url(self) -> str:
        """Where a deep linking response is posted."""
        return f"{self.address}/lti13/chosen"

    @cached_property
    def _signer(self) -> Any:
        """Open edX's keeper of the key, made once: reading a key takes longer than signing."""
        from lti_consumer.lti_1p3.key_handlers import PlatformKeyHandler  # once Django has settings

        return PlatformKeyHandler(self.key, self.key_id)

    def _consumer(self) -> Any:
        from lti_consumer.lti_1p3.consumer import LtiAdvantageConsumer  # once Django has settings

        consumer: Any = LtiAdvantageConsumer(
            iss=self.address,
            lti_oidc_url=f"{self.hub_url}/hub/lti13/login",
            lti_launch_url=self.launch_url,
            client_id=CLIENT_ID,
            deployment_id=DEPLOYMENT_ID,
            rsa_key=None,
            rsa_key_id=None,
            redirect_uris=[self.launch_url],
            tool_key=self.tool_key,
            tool_keyset_url=None if self.tool_key else f"{self.hub_url}/hub/lti13/keys",
        )
        consumer.key_handler = self._signer
        consumer.enable_deep_linking(self.launch_url, self.return_url)
        return consumer

    def registration(self, key: str, platform: str, **more: Any) -> dict[str, Any]:
        """What the site's ``registrations.yml`` says of this platform."""
        return {
            "key": key,
            "platform": platform,
            "issuer": self.address,
            "client_ids": [CLIENT_ID],
            "deployment_ids": [DEPLOYMENT_ID],
            "auth_login_url": f"{self.address}/lti13/auth",
            "auth_token_url": f"{self.address}/lti13/token",
            "jwks_url": f"{self.address}/lti13/keys",
            **more,
        }

    def keyset(self) -> dict[str, Any]:
        """The platform's public keys."""
        found: dict[str, Any] = self._consumer().get_public_keyset()
        return found

    def login_url(
        self,
        user_id: str,
        link: str,
        custom: Mapping[str, str],
        *,
        name: str = "Ada Lovelace",
        email: str = "ada@campus.example",
        role: str = "student",
        deep_linking: bool = False,
    ) -> str:
        """Where a click on a link leads: the tool's login address, with hints."""
        from lti_consumer.data import Lti1p3LaunchData  # once Django has settings

        data = Lti1p3LaunchData(
            user_id=user_id,
            external_user_id=user_id,
            user_role=role,
            config_id="atelier",
            resource_link_id=link,
            name=name,
            email=email,
            context_id=COURSE_ID,
            context_title="Demo",
            custom_parameters=dict(custom),
            message_type="LtiDeepLinkingRequest" if deep_linking else "LtiResourceLinkRequest",
        )
        address: str = self._consumer().prepare_preflight_url(data)
        return address

    def link(self, request: Mapping[str, str]) -> str:
        """Which link was clicked, for a tool's authorization request; empty when none is known."""
        from lti_consumer.utils import get_data_from_cache  # once Django has settings

        data = get_data_from_cache(request.get("lti_message_hint"))
        return str(data.resource_link_id) if data is not None else ""

    def answer(self, request: Mapping[str, str], language: str = "fr") -> dict[str, str]:
        """The signed form for a tool's authorization request.

        Raises:
            KeyError: no click is known by that hint.
        """
        from lti_consumer.utils import get_data_from_cache  # once Django has settings

        data = get_data_from_cache(request.get("lti_message_hint"))
        if data is None:
            raise KeyError("lti_message_hint")
        consumer = self._consumer()
        consumer.set_user_data(data.external_user_id, data.user_role, data.name, data.email)
        consumer.set_resource_link_claim(data.resource_link_id)
        consumer.set_launch_presentation_claim(document_target="window")
        consumer.set_context_claim(data.context_id, context_title=data.context_title)
        consumer.set_custom_parameters(data.custom_parameters)
        consumer.lti_claim_user_data["locale"] = language  # OpenID Connect Core 1.0, section 5.1
        if self.grades is not None:
            columns = f"{self.address}/lti13/lineitems"
            consumer.enable_ags(columns, f"{columns}/{data.resource_link_id}")
        form: dict[str, str] = consumer.generate_launch_request(dict(request))
        return form

    def chosen(self, response: str) -> list[dict[str, Any]]:
        """The content items of a tool's deep linking response, its signature checked."""
        items: list[dict[str, Any]] = self._consumer().check_and_decode_deep_linking_token(response)
        return items

    def access_token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a tool's request for an access token, its signature checked."""
        answer: dict[str, Any] = self._consumer().access_token(form)
        return answer

    def permits(self, token: str, scope: str) -> bool:
        """Whether that token is one of ours and permits that scope."""
        return bool(self._consumer().check_token(token, [scope]))

    def take_score(self, link: str, token: str, message: Mapping[str, Any]) -> bool:
        """Write a score down, if the token permits it.

        Args:
            link: whose line item it was posted to.
            token: of the tool.
            message: the score (Assignment and Grade Services 2.0, section 3.4.8).
        """
        if self.grades is None or not self.permits(token, SCORE_SCOPE):
            return False
        score = message["scoreGiven"] / message["scoreMaximum"]
        self.grades.set(str(message["userId"]), link, score)
        return True

    def openid_configuration(self) -> dict[str, Any]:
        """What a tool reads to register itself (LTI Dynamic Registration 1.0, section 3.4)."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/lti13/auth",
            "token_endpoint": f"{self.address}/lti13/token",
            "jwks_uri": f"{self.address}/lti13/keys",
            "registration_endpoint": f"{self.address}/lti13/register",
        }

    def register(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a tool that registers itself (section 3.6).

        Raises:
            ValueError: the tool does not say what this platform needs.
        """
        wanted = {
            "initiate_login_uri": f"{self.hub_url}/hub/lti13/login",
            "redirect_uris": [self.launch_url],
            "jwks_uri": f"{self.hub_url}/hub/lti13/keys",
            "response_types": ["id_token"],
            "token_endpoint_auth_method": "private_key_jwt",
        }
        if any(tool.get(name) != value for name, value in wanted.items()):
            raise ValueError("not this tool's configuration")
        name = "https://purl.imsglobal.org/spec/lti-tool-configuration"
        own = {**tool[name], "deployment_id": DEPLOYMENT_ID}
        return {**tool, "client_id": CLIENT_ID, name: own}
