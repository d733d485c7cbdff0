"""A learner as the hub knows them: read from a launch, stored encrypted in ``auth_state``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atelier.config.models import Launcher, Site
from atelier.i18n.translate import Language, language
from atelier.identity import username

MAX_NAME_LENGTH = 127
"""Maximum length of a name in GitLab, characters."""

AuthState = dict[str, Any]


@dataclass(frozen=True)
class LearnerInfo:
    """A learner's username, name, e-mail address and locale."""

    username: str
    name: str
    email: str
    locale: str

    @property
    def language(self) -> Language:
        """Language of their pages."""
        return language(self.locale)


def display_name(params: Mapping[str, str], fallback: str) -> str:
    """Return the platform's name, on one line and without invisible characters, or ``fallback``."""
    full = params.get("lis_person_name_full", "")
    if not full.strip():
        full = " ".join(
            params.get(name, "") for name in ("lis_person_name_given", "lis_person_name_family")
        )
    printable = "".join(char if char.isprintable() else " " for char in full)
    for char in '<>&"':  # GitLab refuses some of them
        printable = printable.replace(char, " ")
    return " ".join(printable.split())[:MAX_NAME_LENGTH].strip() or fallback


def _plausible(email: str) -> bool:
    local, at, domain = email.rpartition("@")
    return bool(
        local and at and "." in domain and len(email) <= 254 and email.isascii()
    ) and not any(
        char.isspace() or char in '<>,;:\\"()[]' or not char.isprintable() for char in email
    )


def identify(params: Mapping[str, str], consumer: Launcher, site: Site) -> LearnerInfo:
    """Return the learner of a launch; the username depends only on (platform, user_id).

    The e-mail address is the platform's if the site trusts it for that, else a no-reply address: a
    course's author can set the address in a launch and must not be able to take over an account.
    """
    name = username(consumer.platform, params["user_id"])
    email = params.get("lis_person_contact_email_primary", "").strip()
    if not consumer.trust_email or not _plausible(email):
        email = site.noreply_email(name)
    return LearnerInfo(
        username=name,
        name=display_name(params, name),
        email=email,
        locale=params.get("launch_presentation_locale", "")[:32],
    )


def merge_auth_state(new: AuthState | None, old: AuthState | None) -> AuthState | None:
    """Return the new state with the earlier launches of other courses.

    ``first`` says whether the newest launch is the first one of its course.
    """
    if not new or not old:
        return new or old
    before = old.get("launches", {})
    return {
        **new,
        "first": new.get("last") not in before,
        "launches": {**before, **new.get("launches", {})},
    }


def learner_of(state: AuthState | None) -> LearnerInfo | None:
    """Return the learner stored in an ``auth_state``, or None."""
    try:
        return LearnerInfo(**state["learner"]) if state else None
    except (KeyError, TypeError):
        return None
