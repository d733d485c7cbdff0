"""What a page's handler is given, and the table of pages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import jinja2
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gitlab_standin import VERSION, access
from gitlab_standin.models import Project, User
from gitlab_standin.site import Site, find_project
from gitlab_standin.web.sessions import Visit

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


class SignInNeededError(Exception):
    """An anonymous visitor asked for what may be private: GitLab asks them to sign in first."""


class PageMissingError(Exception):
    """404, for somebody who is signed in."""


@dataclass
class Page:
    """One request of a browser."""

    site: Site
    session: Session
    visit: Visit
    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, Any]
    remote: str
    accept: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def user(self) -> User | None:
        """Who is signed in."""
        return self.visit.user

    @property
    def navigates(self) -> bool:
        """Whether a page is asked for, and not its icon or an image: only pages are returned to."""
        return not self.accept or "text/html" in self.accept or self.accept == "*/*"

    def url(self, path: str) -> str:
        """A path on this site, below its relative root, quoted."""
        return self.site.config.relative_root + quote(path, safe="/-_.~!*'();:@&=+$,?%#[]")

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page."""
        flash = self.visit.take("flash")
        text = _TEMPLATES.get_template(template).render(
            site=self.site,
            user=self.user,
            url=self.url,
            flash=flash,
            version=VERSION,
            csrf_token=self.visit.csrf_token,
            **values,
        )
        return HTMLResponse(text, status)

    def redirect(self, path: str) -> Response:
        """302 to a path of this site, or to an absolute address."""
        target = path if re.match(r"https?://", path) else self.site.config.base_url + quote(
            path.removeprefix(self.site.config.relative_root), safe="/-_.~!*'();:@&=+$,?%#[]"
        )  # fmt: skip
        return RedirectResponse(target, 302)

    def project(self) -> Project:
        """The project of the address; hidden and missing ones look the same."""
        found = find_project(self.session, self.variables["project"])
        if found is None or not access.visible(self.session, self.user, found):
            self.missing()
        return found

    def missing(self) -> NoReturn:
        """Sign in first, or 404 for who has done so."""
        raise SignInNeededError if self.user is None else PageMissingError


Handler = Callable[[Page], Response]

_OURS = "users|explore|dashboard|help|groups|robots.txt|favicon.ico"
_NAME = rf"(?P<name>(?!(?:{_OURS})$)[A-Za-z0-9_.][^/]*)"
_PROJECT = rf"(?P<project>(?!(?:{_OURS})/)[A-Za-z0-9_.][^/]*(?:/[^/-][^/]*)+?)"


@dataclass(frozen=True)
class WebRoute:
    """A page's address, as an expression with named groups."""

    methods: frozenset[str]
    pattern: re.Pattern[str]
    handler: Handler


PAGES: list[WebRoute] = []


def page(pattern: str, *methods: str) -> Callable[[Handler], Handler]:
    """Declare a page.

    ``{project}`` in the pattern stands for a project's full path, ``{name}`` for a person's or a
    top-level group's. Patterns must not overlap.
    """
    expression = pattern.replace("{project}", _PROJECT).replace("{name}", _NAME)

    def register(handler: Handler) -> Handler:
        allowed = frozenset(methods or ("GET",))
        PAGES.append(WebRoute(allowed, re.compile(expression), handler))
        return handler

    return register


def find_page(method: str, path: str) -> tuple[WebRoute, dict[str, str]] | None:
    """The page of an address."""
    for candidate in PAGES:
        match = candidate.pattern.fullmatch(path)
        if match and method in candidate.methods:
            return candidate, {k: v for k, v in match.groupdict().items() if v is not None}
    return None
