"""Sign-in through another service, as GitLab does with the ``oauth2_generic`` strategy."""

import base64
import hashlib
import json
import re
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from gitlab_standin import security
from gitlab_standin.accounts import RESERVED, new_user, save_new
from gitlab_standin.config import OmniAuth
from gitlab_standin.models import Identity, User, now
from gitlab_standin.site import Site, find_namespace
from gitlab_standin.web.sessions import Visit

# The strategy's own defaults; a provider's args are merged over them.
_CLIENT_OPTIONS = {
    "site": "https://gitlab.com",
    "user_info_url": "/api/v4/user",
    "authorize_url": "/oauth/authorize",
    "token_url": "/oauth/token",
    "auth_scheme": "basic_auth",
}
_ATTRIBUTES = (
    "name",
    "email",
    "nickname",
    "first_name",
    "last_name",
    "location",
    "description",
    "image",
    "phone",
    "urls",
)


class SignInFailedError(Exception):
    """The provider did not vouch for anybody; the text is OmniAuth's key for it."""


@dataclass(frozen=True)
class AuthHash:
    """What the strategy hands over."""

    provider: str
    uid: str
    info: Mapping[str, Any]
    raw: Mapping[str, Any]

    @property
    def email(self) -> str | None:
        """The address, if the provider gave one."""
        value = self.info.get("email")
        return str(value) if value else None

    def username(self, claim: str | None) -> str:
        """The name wished for: claims in GitLab's order, then the address' local part."""
        for key in (claim,) if claim else ("username", "nickname"):
            value = self.raw.get(key) or self.info.get(key)
            if value:
                return str(value).split("@")[0]
        return (self.email or "").split("@")[0]


@lru_cache(maxsize=4)
def _tls(bundle: str, _modified: float) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=bundle)


class Strategy:
    """One provider of gitlab.rb."""

    def __init__(self, site: Site, provider: Mapping[str, Any]) -> None:
        self.site = site
        self.name = str(provider["name"])
        self.label = str(provider.get("label") or self.name.replace("_", " ").capitalize())
        args = provider.get("args") or {}
        self._args: Mapping[str, Any] = args
        self._client_id = str(provider.get("app_id") or "")
        self._secret = str(provider.get("app_secret") or "")
        self._options = {**_CLIENT_OPTIONS, **(args.get("client_options") or {})}
        structure = args.get("user_response_structure") or {}
        self._root = structure.get("root_path") or []
        self._id_path = structure.get("id_path", "id")
        self._attributes = {**{n: n for n in _ATTRIBUTES}, **(structure.get("attributes") or {})}

    @property
    def callback_url(self) -> str:
        """Where the provider sends people back."""
        redirect = self._args.get("redirect_url") or self._options.get("redirect_uri")
        return str(redirect or self.site.url(f"/users/auth/{self.name}/callback"))

    @property
    def username_claim(self) -> str | None:
        """``gitlab_username_claim``."""
        claim = self._args.get("gitlab_username_claim")
        return str(claim) if claim else None

    def _endpoint(self, option: str) -> str:
        return urljoin(str(self._options["site"]).rstrip("/") + "/", str(self._options[option]))

    def authorize(self, visit: Visit) -> str:
        """Begin: remember state and verifier, and say where to send the browser."""
        state = secrets.token_hex(24)
        visit.put("omniauth.state", state)
        query: dict[str, str] = {
            "client_id": self._client_id,
            "redirect_uri": self.callback_url,
            "response_type": "code",
            "state": state,
        }
        scope = self._args.get("scope") or (self._args.get("authorize_params") or {}).get("scope")
        if scope:
            query["scope"] = str(scope)
        for key, value in (self._args.get("authorize_params") or {}).items():
            query.setdefault(str(key), str(value))
        if self._args.get("pkce"):
            verifier = secrets.token_hex(64)
            visit.put("omniauth.pkce.verifier", verifier)
            digest = hashlib.sha256(verifier.encode()).digest()
            query["code_challenge"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            query["code_challenge_method"] = "S256"
        target = self._endpoint("authorize_url")
        return f"{target}{'&' if '?' in target else '?'}{urlencode(query)}"

    def complete(self, visit: Visit, query: Mapping[str, str]) -> AuthHash:
        """The callback: check state, fetch token and user; SignInFailedError otherwise."""
        expected = visit.take("omniauth.state")
        verifier = visit.take("omniauth.pkce.verifier")
        if query.get("error"):
            raise SignInFailedError(str(query["error"]))
        if not expected or not secrets.compare_digest(str(expected), query.get("state", "")):
            raise SignInFailedError("csrf_detected")
        raw = self._fetch(query.get("code", ""), verifier)
        info = {}
        for field, path in self._attributes.items():
            value = self._dig(raw, path)
            if value is not None and value is not False:
                info[field] = value
        uid = self._dig(raw, self._id_path)
        return AuthHash(self.name, "" if uid is None else str(uid), info, raw)

    def _dig(self, raw: Any, path: Any) -> Any:
        """A name is relative to root_path, an array is not; what is missing is nil."""
        if not path:
            return None
        steps = path if isinstance(path, list) else [*self._root, path]
        value = raw
        for step in steps:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _fetch(self, code: str, verifier: str | None) -> dict[str, Any]:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            **{str(k): str(v) for k, v in (self._args.get("token_params") or {}).items()},
        }
        if verifier:
            body["code_verifier"] = verifier
        auth: tuple[str, str] | None = None
        if str(self._options["auth_scheme"]) == "request_body":
            body |= {"client_id": self._client_id, "client_secret": self._secret}
        else:
            auth = (self._client_id, self._secret)
        bundle = self.site.paths.ca_bundle
        verify = _tls(str(bundle), bundle.stat().st_mtime)
        try:
            with httpx.Client(verify=verify, timeout=30, follow_redirects=False) as client:
                answer = client.post(
                    self._endpoint("token_url"),
                    data=body,
                    auth=auth or httpx.USE_CLIENT_DEFAULT,
                    headers={"Accept": "application/json"},
                )
                if answer.status_code != 200:
                    raise SignInFailedError("invalid_credentials")
                token = answer.json()["access_token"]
                user = client.get(
                    self._endpoint("user_info_url"), headers={"Authorization": f"Bearer {token}"}
                )
                if user.status_code != 200:
                    raise SignInFailedError("invalid_credentials")
                parsed = user.json()
        except (httpx.HTTPError, OSError) as error:
            raise SignInFailedError("failed_to_connect") from error
        except (KeyError, ValueError, json.JSONDecodeError) as error:
            raise SignInFailedError("invalid_credentials") from error
        if not isinstance(parsed, dict):
            raise SignInFailedError("invalid_credentials")
        return parsed


@dataclass(frozen=True)
class Outcome:
    """Who the identity stands for now. ``error`` is an alert, ``invalid`` a 422 page's sentence."""

    user: User | None
    created: bool = False
    error: str | None = None
    invalid: str | None = None


def find_identity(session: Session, auth: AuthHash) -> Identity | None:
    """By provider and uid, whatever the case."""
    return session.scalar(
        select(Identity).where(
            Identity.provider == auth.provider, Identity.extern_uid_key == auth.uid.lower()
        )
    )


def link(session: Session, user: User, auth: AuthHash) -> str:
    """Somebody is signed in already: the identity becomes theirs.

    Returns what the next page says.
    """
    present = find_identity(session, auth)
    if present is not None:
        if present.user_id == user.id:
            return "Authentication method updated"
        return "Authentication failed: Extern uid has already been taken"
    for identity in user.identities:
        if identity.provider == auth.provider:
            return "Authentication failed: Provider has already been taken"
    user.identities.append(Identity(provider=auth.provider, extern_uid=auth.uid))
    return "Authentication method updated"


def _free_username(session: Session, wished: str) -> str:
    base = re.sub(r"[^A-Za-z0-9_.-]", "", wished).strip("-.") or "blank"
    name, number = base, 0
    while (
        name.lower() in RESERVED
        or session.scalar(select(User.id).where(User.username_key == name.lower())) is not None
        or (not name.isdigit() and find_namespace(session, name) is not None)
    ):
        number += 1
        name = f"{base}{number}"
    return name


def _sync_profile(settings: OmniAuth, user: User, auth: AuthHash) -> None:
    if not settings.names(settings.sync_profile_from_provider, auth.provider):
        return
    wanted = settings.sync_profile_attributes
    fields = ("name", "email", "location") if wanted is True else wanted or ()
    for field in fields:
        value = auth.info.get(field)
        if not value:
            continue
        if field == "name":
            user.name = user.namespace.name = str(value)
        elif field == "email":
            user.email, user.email_key = str(value), str(value).lower()
        elif field == "location":
            user.profile = {**user.profile, "location": str(value)}


def find_or_create(site: Site, session: Session, auth: AuthHash, claim: str | None) -> Outcome:
    """The account an identity signs in to, made when the settings allow it."""
    settings = site.config.omniauth
    identity = find_identity(session, auth)
    if identity is not None:
        _sync_profile(settings, identity.user, auth)
        return Outcome(identity.user)
    same_address = None
    if auth.email:
        same_address = session.scalar(select(User).where(User.email_key == auth.email.lower()))
    if same_address is not None and settings.names(settings.auto_link_user, auth.provider):
        link(session, same_address, auth)
        return Outcome(same_address)
    if not settings.names(settings.allow_single_sign_on, auth.provider):
        label = Strategy(site, settings.provider(auth.provider) or {"name": auth.provider}).label
        return Outcome(
            None,
            error=f"Signing in using your {label} account without a pre-existing account in "
            f"{site.config.host} is not allowed.",
        )
    if same_address is not None:
        return Outcome(None, invalid="Email has already been taken")
    username = _free_username(session, auth.username(claim))
    app = site.settings(session)
    user = new_user(
        username=username,
        name=str(auth.info.get("name") or username),
        email=auth.email or f"temp-email-for-oauth-{username}@gitlab.localhost",
        state="blocked_pending_approval" if settings.block_auto_created_users else "active",
        external=auth.provider in settings.external_providers or app["user_default_external"],
        can_create_group=app["can_create_group"],
        projects_limit=app["default_projects_limit"],
        confirmed_at=now(),
        password_hash=None,
    )
    user.identities.append(Identity(provider=auth.provider, extern_uid=auth.uid))
    saved = session.get_one(User, save_new(session, user).id)
    return Outcome(saved, created=True)


def password_sign_in(session: Session, login: str, password: str) -> User | None:
    """The person a name or address and a password stand for."""
    key = login.lower()
    user = session.scalar(select(User).where((User.username_key == key) | (User.email_key == key)))
    if user is None or not security.check_password(password, user.password_hash):
        return None
    return user
