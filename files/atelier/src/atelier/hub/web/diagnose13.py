"""``/hub/lti13/diagnose`` as a link's address: explains an LTI 1.3 launch instead of opening it.

A platform sends tokens to one address only. The link's address (``target_link_uri``) in the login
request says that a launch is to be explained; the login's state keeps it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from atelier.hub.context import hub_context
from atelier.hub.web.diagnose11 import destination_lines, show
from atelier.hub.web.launch11 import LaunchHTTPError
from atelier.hub.web.lti13_base import Lti13Handler
from atelier.i18n.translate import say
from atelier.identity import username
from atelier.lti import launch13 as lti13
from atelier.lti.diagnosis13 import HIDDEN, MAX_SHOWN, as_text, causes, shown, unverified
from atelier.lti.launch11 import LaunchError
from atelier.lti.roles import has_teacher_role

Rows = list[tuple[str, str]]


class Diagnose13Handler(Lti13Handler):
    """``/hub/lti13/diagnose``: the address is only the target of links, and has no page."""


def is_diagnosis(login: Mapping[str, str]) -> bool:
    """Whether a login belongs to a launch that is to be explained."""
    address = hub_context().settings.site.hub_url + "/hub/lti13/diagnose"
    return login.get("target_link_uri", "").partition("?")[0] == address


def _login_rows(handler: Lti13Handler, login: Mapping[str, str]) -> Rows:
    hidden = say("diagnosis_hidden", handler.launch_language())
    return [
        (name, hidden if name in HIDDEN else login[name][:500])
        for name in lti13.LOGIN_PARAMETERS
        if name in login
    ]


def _seen_rows(handler: Lti13Handler) -> Rows:
    lang, request = handler.launch_language(), handler.request
    right = lti13.launch_url(hub_context().settings.site.hub_url)
    saw = f"{request.protocol}://{request.host}{request.path}"
    return [(say("diagnosis_configured", lang), right), (say("diagnosis_request", lang), saw)]


async def show_login_refusal(
    handler: Lti13Handler, login: Mapping[str, str], refused: LaunchError
) -> None:
    """Show why a login was refused, and what the platform sent."""
    lang = handler.launch_language()
    lines = [say("diagnosis_refused", lang, reason=say(refused.key, lang)), refused.detail]
    tables = [(say("diagnosis_sent", lang), _login_rows(handler, login))]
    reference = handler.log_refusal(refused.key, refused.detail)
    await show(handler, refused.status, lines, tables, reference)


async def show_token_refusal(
    handler: Lti13Handler, token: str, state: lti13.Returned, refused: LaunchError
) -> None:
    """Show why a token was refused, and its contents."""
    lang = handler.launch_language()
    context = hub_context()
    found = await asyncio.to_thread(  # in a thread: trying signatures takes time
        causes,
        token,
        state,
        context.registrations.get().by_key(state.registration),
        handler.authenticator.keysets,
        time.time(),
        context.settings.lti.timestamp_window_seconds,
    )
    lines = [say("diagnosis_refused", lang, reason=say(refused.key, lang)), refused.detail]
    lines += [say(cause.key, lang, **cause.fields) for cause in found]
    detail = "; ".join([refused.detail, *(cause.in_english() for cause in found)])
    tables = [
        (say("diagnosis_seen", lang), _seen_rows(handler)),
        (say("diagnosis_begun", lang), _login_rows(handler, state.request)),
        (say("diagnosis_token", lang), shown(*unverified(token))),
    ]
    await show(handler, refused.status, lines, tables, handler.log_refusal(refused.key, detail))


async def show_accepted(
    handler: Lti13Handler, state: lti13.Returned, message: lti13.Message
) -> None:
    """Show a course team what an accepted launch would open; nobody is signed in."""
    lang = handler.launch_language()
    registration, params = message.registration, message.launch.params
    if not (registration.trust_roles and has_teacher_role(params.get("roles", ""))):
        detail = f"registration {registration.key!r}: diagnosis asked by somebody not of a team"
        await handler.refuse(LaunchHTTPError(403, "diagnosis_staff", detail))
        return
    window = hub_context().settings.lti.timestamp_window_seconds
    skew = f"{time.time() - message.claims['iat']:+.0f}"
    lines = [
        say("diagnosis_good", lang),
        say("diagnosis_clock", lang, skew=skew, window=window),
        say("diagnosis_who", lang, username=username(registration.platform, params["user_id"])),
        *destination_lines(message.launch, lang),
    ]
    seen = _seen_rows(handler)
    if urlsplit(seen[0][1])[:3] != urlsplit(seen[1][1])[:3]:
        lines.append(say("diagnosis_proxy_changed", lang))
    tables = [
        (say("diagnosis_seen", lang), seen),
        (say("diagnosis_begun", lang), _login_rows(handler, state.request)),
        (
            say("diagnosis_sent", lang),
            [(as_text(name, 80), as_text(it, MAX_SHOWN)) for name, it in sorted(params.items())],
        ),
    ]
    await show(handler, 200, lines, tables, None)
