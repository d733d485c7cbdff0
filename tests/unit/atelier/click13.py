"""An LTI 1.3 login that was begun, and the platform that ends it, without a hub."""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt
import pytest
from atelier.config.models import Consumer, Consumers, Site
from atelier.config.registrations import Registration, Registrations
from atelier.config.schema.hosts import PlatformHosts
from atelier.lti import launch13 as lti13
from atelier.lti.http import PlatformClient
from atelier.lti.keysets13 import Keysets
from atelier.lti.launch11 import LaunchError
from atelier.lti.nonces import NonceStore
from atelier.lti.sealed import Sealer
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lms.platform13 import Platform13, make_key

HUB = "https://hub.mooc.example"
PLATFORM = "https://lms.example"
SITE = Site(hub_url=HUB, gitlab_url="https://gitlab.mooc.example")
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
SECRET = "a-secret" * 5
BROWSER = "b" * 43
WINDOW = 300
SEALER = Sealer(b"k" * 32)
CONSUMERS = Consumers(
    consumers=(
        Consumer.model_validate({"key": "fun", "secret": SECRET, "platform": "fun"}),
        Consumer.model_validate({"key": "other", "secret": "another-" * 5, "platform": "other"}),
    )
)


@cache
def pem(name: str) -> str:
    """The private key of that name, in PEM."""
    del name
    return make_key()


@cache
def key(name: str) -> RSAPrivateKey:
    """The private key of that name, read: that takes longer than to sign with it."""
    read = load_pem_private_key(pem(name).encode(), None)
    assert isinstance(read, RSAPrivateKey)
    return read


PLATFORMS = Platform13(PLATFORM, HUB, pem("first"))


def registrations(**changes: Any) -> Registrations:
    whole = {**PLATFORMS.registration("fun-13", "fun"), **changes}
    return Registrations(registrations=(Registration.model_validate(whole),))


class Web:
    """The platform's key address: what it answers, and how often it was asked."""

    def __init__(self, *platforms: Platform13) -> None:
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.down = False
        self.instead: dict[str, str] | None = None
        """What is answered in the place of the keys."""
        self.now = 1000.0
        for one in platforms or (PLATFORMS,):
            self.publish(one)
        transport = httpx.MockTransport(self._answer)
        self.keysets = Keysets(PlatformClient(transport=transport), clock=lambda: self.now)

    def publish(self, platform: Platform13) -> None:
        self.keys += platform.keyset()["keys"]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == f"{PLATFORM}/lti13/keys"
        self.asked += 1
        if self.down:
            raise httpx.ConnectError("down")
        whole = {"keys": self.keys} if self.instead is None else self.instead
        return httpx.Response(200, json=whole)


class Click:
    """A login that was begun, and the token for it, which a test may change before it arrives."""

    def __init__(self, known: Registrations | None = None, **values: Any) -> None:
        self.known = known or registrations()
        custom = values.pop("custom", {"course": "demo"})
        user_id = values.pop("user_id", "42")
        first = dict(parse_qsl(urlsplit(PLATFORMS.login_url(user_id, "link-1", custom)).query))
        self.now = time.time()
        login = lti13.begin(
            {**first, **values},
            registrations=self.known,
            hosts=PlatformHosts(),
            hub_url=HUB,
            sealer=SEALER,
            browser_secret=BROWSER,
            now=self.now,
        )
        self.address = login.address
        self.query = {name: one[0] for name, one in parse_qs(urlsplit(login.address).query).items()}

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims Open edX's code signs, with changes; None takes one away."""
        token = PLATFORMS.answer(self.query)["id_token"]
        found = jwt.decode(token, options={"verify_signature": False})
        for name, value in changes.items():
            whole = CLAIM + name.removeprefix("lti_") if name.startswith("lti_") else name
            found[whole] = value
            if value is None:
                del found[whole]
        return found

    def token(self, kid: str | None = "key-1", signer: str = "first", **changes: Any) -> str:
        header = {"kid": kid} if kid else {}
        return jwt.encode(self.claims(**changes), key(signer), "RS256", headers=header)

    def arrive(
        self,
        token: str | None = None,
        *,
        web: Web | None = None,
        nonces: NonceStore | None = None,
        later: float = 0,
        known: Registrations | None = None,
    ) -> lti13.Message:
        state = lti13.returned(self.query["state"], SEALER, self.now + later)
        assert state.started_by(BROWSER)
        return asyncio.run(
            lti13.verify(
                self.token() if token is None else token,
                state,
                registrations=known or self.known,
                consumers=CONSUMERS,
                keysets=(web or Web()).keysets,
                nonces=nonces or NonceStore("sqlite://"),
                hub_url=HUB,
                now=self.now + later,
                window=WINDOW,
            )
        )


def refusal(click: Click, token: str | None = None, **values: Any) -> LaunchError:
    with pytest.raises(LaunchError) as refused:
        click.arrive(token, **values)
    return refused.value
