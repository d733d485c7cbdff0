"""A course platform: launches signed by Open edX's own code, sent by a browser with cookies."""

from __future__ import annotations

from typing import Any

import django.conf
import httpx

if not django.conf.settings.configured:
    django.conf.settings.configure(PLATFORM_NAME="Campus")

from lti_consumer.lti_1p1.consumer import LtiConsumer1p1


def launch_form(
    launch_url: str,
    key: str,
    secret: str,
    user_id: str,
    *,
    name: str = "Ada Lovelace",
    email: str = "ada@campus.example",
    locale: str = "fr",
    **custom: str,
) -> dict[str, Any]:
    """The signed form a course page posts."""
    consumer = LtiConsumer1p1(launch_url, key, secret)
    consumer.set_user_data(
        user_id,
        "Student",
        f"course:link:{user_id}",
        person_contact_email_primary=email,
        person_name_full=name,
    )
    consumer.set_context_data("course-v1:campus+demo+1", "Demo", "campus")
    consumer.set_launch_presentation_locale(locale)
    consumer.set_outcome_service_url("https://campus.example/grades")
    consumer.set_custom_parameters({f"custom_{name}": value for name, value in custom.items()})
    form: dict[str, Any] = consumer.generate_launch_request("link-1")
    return form


def browser() -> httpx.Client:
    """A browser without history: cookies, no proxy, redirects by hand."""
    return httpx.Client(
        trust_env=False,
        timeout=40,
        follow_redirects=False,
        headers={"Accept-Language": "en", "Sec-Fetch-Mode": "navigate"},
    )
