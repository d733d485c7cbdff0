"""``/hub/lti/diagnose``: explains an LTI 1.1 launch instead of opening it."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from atelier.courses.destinations import TargetError, choose
from atelier.hub.context import hub_context
from atelier.hub.web.launch11 import LaunchHTTPError, LtiHandler
from atelier.i18n.translate import Language, say
from atelier.identity import username
from atelier.lti import launch11 as lti11
from atelier.lti.diagnosis11 import explain
from atelier.lti.roles import has_teacher_role

_HIDDEN = ("oauth_signature", "oauth_nonce")
_PROXY_HEADERS = ("X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Scheme")


async def show(
    handler: LtiHandler,
    status: int,
    lines: list[str],
    tables: list[tuple[str, list[tuple[str, str]]]],
    reference: str | None,
) -> None:
    """The page of a diagnosis."""
    handler.set_status(status)
    handler.set_header("Cache-Control", "no-store")
    handler.finish(
        await handler.render_template(
            "atelier_diagnosis.html",
            lang=handler.launch_language(),
            title="diagnosis_title",
            lines=lines,
            tables=tables,
            reference=reference,
        )
    )


def destination_lines(launch: lti11.Launch, lang: Language) -> list[str]:
    """The page that a launch would open, or why it would be refused."""
    context = hub_context()
    try:
        place = choose(
            launch.params, launch.consumer, context.courses.all(), context.settings.site.hub_url
        )
    except TargetError as wrong:
        return [say("diagnosis_refused", lang, reason=say(wrong.key, lang)), wrong.detail]
    return [say("diagnosis_leads", lang, course=place.course, target=place.target)]


class DiagnoseHandler(LtiHandler):
    """For course teams of platforms whose roles are trusted; nobody is signed in."""

    async def post(self) -> None:
        """Explain a launch that is signed for this address."""
        context = hub_context()
        url = context.settings.site.hub_url + "/hub/lti/diagnose"
        window = context.settings.lti.timestamp_window_seconds
        now = time.time()
        try:
            launch = await lti11.verify_aside(
                self.request.body,
                url=url,
                query=self.request.query,
                consumers=context.consumers.get(),
                nonces=self.authenticator.nonces,
                now=now,
                window=window,
            )
        except lti11.LaunchError as refused:
            await self._show_refusal(refused, url)
            return
        if not (launch.consumer.trust_roles and has_teacher_role(launch.params.get("roles", ""))):
            detail = f"consumer {launch.consumer.key!r}: diagnosis asked by somebody not of a team"
            await self.refuse(LaunchHTTPError(403, "diagnosis_staff", detail))
            return
        await self._show(launch, url, now, window)

    async def _show_refusal(self, refused: lti11.LaunchError, url: str) -> None:
        """Explain a refused launch, for administrators whose own launch fails; shows no secret."""
        lang = self.launch_language()
        reasons = [say("diagnosis_refused", lang, reason=say(refused.key, lang))]
        detail = refused.detail
        if refused.key == "launch_signature":
            context = hub_context()
            search, consumers = context.signature_search, context.consumers.get()
            cause = await explain(search, consumers, self.request, url)
            reasons.append(say(cause.key, lang, **cause.fields))
            detail = f"{detail}: {cause.in_english()}"
        else:
            reasons.append(refused.detail)
        await show(self, refused.status, reasons, [], self.log_refusal(refused.key, detail))

    async def _show(self, launch: lti11.Launch, url: str, now: float, window: int) -> None:
        lang = self.launch_language()
        skew = f"{now - int(launch.params['oauth_timestamp']):+.0f}"
        who = username(launch.consumer.platform, launch.params["user_id"])
        lines = [
            say("diagnosis_good", lang),
            say("diagnosis_clock", lang, skew=skew, window=window),
            say("diagnosis_who", lang, username=who),
        ]
        lines += destination_lines(launch, lang)
        request = self.request
        saw = f"{request.protocol}://{request.host}{request.path}"
        if urlsplit(saw)[:3] != urlsplit(url)[:3]:
            lines.append(say("diagnosis_proxy_changed", lang))
        seen = [(say("diagnosis_configured", lang), url), (say("diagnosis_request", lang), saw)]
        seen += [
            (name, request.headers[name]) for name in _PROXY_HEADERS if name in request.headers
        ]
        sent = [
            (name, say("diagnosis_hidden", lang) if name in _HIDDEN else value)
            for name, value in sorted(launch.params.items())
        ]
        tables = [
            (say("diagnosis_seen", lang), seen),
            (say("diagnosis_sent", lang), sent),
        ]
        await show(self, 200, lines, tables, None)
