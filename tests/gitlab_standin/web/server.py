"""Pages: finds the handler, runs it in a thread, keeps the session."""

import logging
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gitlab_standin.remote import remote_address
from gitlab_standin.site import Site
from gitlab_standin.web import sessions
from gitlab_standin.web.core import Page, PageMissingError, SignInNeededError, find_page

log = logging.getLogger("gitlab_standin.web")


def _finish(site: Site, visit: sessions.Visit, response: Response) -> Response:
    sessions.save(site, visit, response)
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cache-Control", "max-age=0, private, must-revalidate")
    response.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    return response


def _handle(
    site: Site,
    method: str,
    path: str,
    query: str,
    form: dict[str, str],
    cookie: str | None,
    remote: str,
    accept: str,
) -> Response:
    lookup = "GET" if method == "HEAD" else method
    values = dict(parse_qsl(query, keep_blank_values=True))
    with site.database.read() as session:
        visit = sessions.load(session, cookie)
        page = Page(site, session, visit, lookup, path, values, form, remote, accept)
        try:
            found = find_page(lookup, path)
            if found is None:
                page.missing()
            route, page.variables = found
            if (
                lookup != "GET"
                and "/callback" not in path
                and not visit.csrf_valid(form.get("authenticity_token", ""))
            ):
                response = page.render(
                    "error.html", 422, title="422", text="The change you requested was rejected."
                )
            else:
                response = route.handler(page)
        except SignInNeededError:
            if lookup == "GET" and page.navigates:
                visit.put("return_to", page.url(path) + (f"?{query}" if query else ""))
                visit.flash("alert", "You need to sign in or sign up before continuing.")
            response = page.redirect("/users/sign_in")
        except PageMissingError:
            text = "The page could not be found or you don't have permission to view it."
            response = page.render("error.html", 404, title="404: Page not found", text=text)
        except Exception:
            log.exception("%s %s", method, path)
            response = PlainTextResponse("500: We're sorry. Something went wrong on our end.", 500)
        return _finish(site, visit, response)


async def endpoint(request: Request) -> Response:
    """Starlette's side of the pages."""
    site: Site = request.app.state.site
    raw = (request.scope.get("raw_path") or request.scope["path"].encode()).decode("latin-1")
    path = unquote(raw.partition("?")[0])
    root = site.config.relative_root
    if root and not (path == root or path.startswith(root + "/")):
        return PlainTextResponse("Not Found", 404)
    path = path.removeprefix(root) or "/"
    if len(path) > 1:
        path = path.rstrip("/")
    form: dict[str, Any] = {}
    if request.method == "POST":
        text = (await request.body()).decode(errors="replace")
        form = dict(parse_qsl(text, keep_blank_values=True))
    peer = request.client.host if request.client else "127.0.0.1"
    remote = remote_address(site.config, peer, request.headers.get("x-forwarded-for", ""))
    cookie = request.cookies.get(sessions.COOKIE)
    query = request.scope["query_string"].decode("latin-1")
    accept = request.headers.get("accept", "")
    return await run_in_threadpool(
        _handle, site, request.method, path, query, form, cookie, remote, accept
    )
