"""A course platform: launches signed by Open edX's own code, sent by a browser with cookies."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import django.conf
import httpx
from atelier.identity import username

if not django.conf.settings.configured:
    django.conf.settings.configure(PLATFORM_NAME="Campus")

from lti_consumer.lti_1p1.consumer import LtiConsumer1p1


def launch_form(
    launch_url: str,
    key: str,
    secret: str,
    user_id: str,
    *,
    full_name: str = "Ada Lovelace",
    email: str = "ada@campus.example",
    locale: str = "fr",
    roles: str = "Student",
    outcome_url: str = "https://campus.example/grades",
    extra: dict[str, str] | None = None,
    **custom: str,
) -> dict[str, Any]:
    """The signed form a course page posts; ``custom`` become ``custom_*`` parameters."""
    consumer = LtiConsumer1p1(launch_url, key, secret)
    consumer.set_user_data(
        user_id,
        roles,
        f"course:link:{user_id}",
        person_contact_email_primary=email,
        person_name_full=full_name,
    )
    consumer.set_context_data("course-v1:campus+demo+1", "Demo", "campus")
    consumer.set_launch_presentation_locale(locale)
    consumer.set_outcome_service_url(outcome_url)
    consumer.set_custom_parameters({f"custom_{name}": value for name, value in custom.items()})
    if extra:
        consumer.set_extra_claims(extra)
    form: dict[str, Any] = consumer.generate_launch_request("link-1")
    return form


def say_whose_form(request: httpx.Request) -> None:
    """Name the origin of a form on the desk's own pages, as browsers do."""
    if request.method == "POST" and request.url.path.startswith("/services/desk/"):
        request.headers.setdefault("Origin", str(request.url.copy_with(raw_path=b"/"))[:-1])


class Visitor:
    """A browser whose owner is a learner of the platform ``campus``.

    It follows redirects and pages that reload themselves, as browsers do.
    """

    def __init__(self, hub_url: str, secret: str, user_id: str, server_url: str = "") -> None:
        """A new browser.

        Args:
            hub_url: the hub's address.
            secret: of the platform's consumer.
            user_id: the learner's, on the platform.
            server_url: origin of learners' servers with ``{}`` for the username; the hub's when
                empty.
        """
        self.hub_url = hub_url
        self.secret = secret
        self.user_id = user_id
        self.username = username("campus", user_id)
        self.server_url = server_url.format(self.username) or hub_url
        self.browser = httpx.Client(
            trust_env=False,
            timeout=60,
            headers={"Accept-Language": "en", "Sec-Fetch-Mode": "navigate"},
            event_hooks={"request": [say_whose_form]},
        )

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.browser.close()

    @property
    def launch_url(self) -> str:
        return f"{self.hub_url}/hub/lti/launch"

    def form(self, **values: Any) -> dict[str, Any]:
        """A launch of theirs, signed now."""
        values.setdefault("key", "campus")
        key, secret = values.pop("key"), values.pop("secret", self.secret)
        return launch_form(self.launch_url, key, secret, self.user_id, **values)

    def post(self, form: dict[str, Any]) -> httpx.Response:
        """Send a launch; the redirect it gives is not followed.

        But for the one to where the hub sees the browser's cookies: httpx sends them with each
        form, browsers do not with one of another site.
        """
        answer = self.browser.post(
            self.launch_url, data=form, headers={"Sec-Fetch-Site": "cross-site"}
        )
        if "/hub/atelier/enter?" in answer.headers.get("location", ""):
            return self.browser.get(urljoin(self.hub_url, answer.headers["location"]))
        return answer

    def agree(self, page: httpx.Response) -> httpx.Response:
        """Answer the question whether to continue as somebody else, where it is asked."""
        ticket = re.search(r'action="/hub/atelier/enter">\s*<input[^>]* value="([^"]+)"', page.text)
        if ticket is None or "EventSource(" in page.text:
            return page
        return self.browser.post(
            f"{self.hub_url}/hub/atelier/enter",
            data={"ticket": ticket[1]},
            headers={"Origin": self.hub_url, "Sec-Fetch-Site": "same-origin"},
        )

    def xsrf(self) -> str:
        """The token that lets this browser change something on the hub."""
        self.get("/hub/home")
        return next(
            cookie.value or ""
            for cookie in self.browser.cookies.jar
            if cookie.name == "_xsrf" and cookie.path == "/hub/"
        )

    def launch(self, **values: Any) -> httpx.Response:
        """Launch and go where it leads."""
        return self.follow(self.agree(self.post(self.form(**values))))

    def way_on(self, response: httpx.Response) -> str:
        """Where a redirect leads; by GitLab's way out straight to what comes after it."""
        address: str = urljoin(str(response.url), response.headers.get("location", ""))
        if "/-/atelier/leave?" in address:  # where nginx ends GitLab's session and sends back
            return f"{self.hub_url}/hub/atelier/go?{urlsplit(address).query}"
        return address

    def follow(self, response: httpx.Response, seconds: float = 40) -> httpx.Response:
        """Follow redirects on this site and wait on pages that reload themselves."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            address = self.way_on(response)
            ours = (f"{self.hub_url}/", f"{self.server_url}/")
            if response.is_redirect and not address.startswith(ours):
                return response
            if response.is_redirect:
                response = self.browser.get(address)
            elif "EventSource(" in response.text or (
                'http-equiv="refresh"' in response.text and response.status_code == 200
            ):
                time.sleep(0.3)
                response = self.browser.get(response.url)
            else:
                return response
        raise AssertionError(f"still on {response.url} after {seconds} s:\n{response.text[:2000]}")

    def get(self, path: str) -> httpx.Response:
        """Open a page of the hub's host, or of the learner's; redirects are not followed."""
        origin = self.server_url if path.startswith("/user/") else self.hub_url
        return self.browser.get(origin + path)
