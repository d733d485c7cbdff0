"""Launches as Open edX signs them, by its own code (lti-consumer-xblock)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings as django_settings

from lms.settings import Settings
from lms.unit import COURSE_ID, COURSE_TITLE, PLATFORM_NAME, Learner, Link

if not django_settings.configured:  # Open edX's code reads this one name from its platform
    django_settings.configure(PLATFORM_NAME=PLATFORM_NAME)


def outcome_url(settings: Settings, link: Link) -> str:
    """Return where the tool sends the grade of a link."""
    return f"{settings.lms_url}/outcomes/{link.slug}"


def launch_form(
    settings: Settings, learner: Learner, link: Link, language: str
) -> list[tuple[str, str]]:
    """Return the names and values of a signed launch, to be posted to `settings.launch_url`.

    Each call makes a launch of its own: nonce and time differ. Language is `fr` or `en`.
    """
    from lti_consumer.lti_1p1.consumer import LtiConsumer1p1  # once Django has its settings

    consumer: Any = LtiConsumer1p1(
        settings.launch_url, settings.consumer_key, settings.consumer_secret
    )
    resource = f"{COURSE_ID}-{link.slug}"
    consumer.set_user_data(
        user_id=learner.user_id,
        roles=learner.roles,
        result_sourcedid=":".join(quote(part) for part in (COURSE_ID, resource, learner.user_id)),
        person_sourcedid=learner.slug,
        person_contact_email_primary=learner.email,
        person_name_full=learner.name,
    )
    consumer.set_context_data(COURSE_ID, COURSE_TITLE[language], "Atelier")
    consumer.set_launch_presentation_locale(language)
    if link.graded:
        consumer.set_outcome_service_url(outcome_url(settings, link))
    custom = {"course": settings.course, **link.custom}
    consumer.set_custom_parameters({f"custom_{name}": value for name, value in custom.items()})
    parameters: dict[str, Any] = consumer.generate_launch_request(resource)
    return [(name, str(value)) for name, value in parameters.items()]
