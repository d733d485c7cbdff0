"""Sign-in, sign-out and what monitoring asks."""

import ipaddress

from starlette.responses import JSONResponse, PlainTextResponse, Response

from gitlab_standin.git.command import GitError
from gitlab_standin.models import User, now
from gitlab_standin.web import omniauth
from gitlab_standin.web.core import Page, PageMissingError, page
from gitlab_standin.web.sessions import local_path

_PENDING = (
    "Your account is pending approval from your GitLab administrator and hence blocked. "
    "Please contact your GitLab administrator if you think this is an error."
)
_BLOCKED = (
    "Your account has been blocked. "
    "Please contact your GitLab administrator if you think this is an error."
)


def _enter(page: Page, user: User, *, created: bool = False) -> Response:
    """Start a session for somebody who proved who they are, and go where they wanted."""
    with page.site.database.write() as session:
        current = session.get(User, user.id)
        if current is None:
            raise PageMissingError
        if current.state == "deactivated":
            current.state = "active"
        state = current.state
        if state == "active":
            current.last_sign_in_at = current.current_sign_in_at or now()
            current.current_sign_in_at = now()
            current.last_activity_on = now().date().isoformat()
            expired = (
                current.password_expires_at is not None and current.password_expires_at <= now()
            )
    if state != "active":
        page.visit.flash("alert", _PENDING if state == "blocked_pending_approval" else _BLOCKED)
        return page.redirect("/users/sign_in")
    wanted = local_path(page.visit.take("return_to"))
    page.visit.take("flash")
    page.visit.sign_in(current)
    if expired:
        return page.redirect("/-/user_settings/password/new")
    if created:
        # The path after sign-up replaces the page first asked for.
        return page.redirect("/")
    return page.redirect(wanted or "/")


@page("/users/sign_in")
def sign_in_page(page: Page) -> Response:
    """The form, or the page that leads on to the provider by itself."""
    if page.user is not None:
        return page.redirect("/")
    settings = page.site.config.omniauth
    providers = (
        [omniauth.Strategy(page.site, p) for p in settings.providers] if settings.enabled else []
    )
    automatic = settings.auto_sign_in_with_provider
    flash = page.visit.data.get("flash")
    # Being asked to sign in is no reason to stop; a failure is.
    told = (
        flash and flash["kind"] == "alert" and not flash["text"].startswith("You need to sign in")
    )
    known = any(p.name == automatic for p in providers)
    if automatic and known and not told and page.query.get("auto_sign_in") != "false":
        return page.render("auto_sign_in.html", provider=automatic)
    with_password = page.site.setting(page.session, "password_authentication_enabled_for_web")
    return page.render("sign_in.html", providers=providers, with_password=with_password)


@page("/users/sign_in", "POST")
def sign_in(page: Page) -> Response:
    """Sign in with a password."""
    if not page.site.setting(page.session, "password_authentication_enabled_for_web"):
        raise PageMissingError
    login, password = page.form.get("user[login]", ""), page.form.get("user[password]", "")
    user = omniauth.password_sign_in(page.session, login, password)
    if user is None:
        page.visit.flash("alert", "Invalid login or password.")
        return page.redirect("/users/sign_in")
    return _enter(page, user)


@page("/users/sign_out", "POST")
def sign_out(page: Page) -> Response:
    """End GitLab's session; the provider's own goes on."""
    page.visit.sign_out()
    target = page.site.setting(page.session, "after_sign_out_path")
    return page.redirect(str(target) if target else "/users/sign_in")


def _strategy(page: Page) -> omniauth.Strategy:
    settings = page.site.config.omniauth
    block = settings.provider(page.variables["provider"]) if settings.enabled else None
    if block is None:
        raise PageMissingError
    return omniauth.Strategy(page.site, block)


@page("/users/auth/(?P<provider>[A-Za-z0-9_-]+)", "POST")
def request_phase(page: Page) -> Response:
    """Send the browser to the provider."""
    return page.redirect(_strategy(page).authorize(page.visit))


@page("/users/auth/(?P<provider>[A-Za-z0-9_-]+)/callback", "GET", "POST")
def callback(page: Page) -> Response:
    """The browser is back from the provider."""
    strategy = _strategy(page)
    try:
        auth = strategy.complete(page.visit, {**page.query, **page.form})
    except omniauth.SignInFailedError as error:
        reason = str(error).replace("_", " ").capitalize()
        page.visit.flash(
            "alert", f'Could not authenticate you from {strategy.label} because "{reason}".'
        )
        return page.redirect("/users/sign_in")
    if page.user is not None:
        return _link(page, auth)
    with page.site.database.write() as session:
        outcome = omniauth.find_or_create(page.site, session, auth, strategy.username_claim)
    if outcome.invalid:
        title = "Sign-in failed"
        text = f"Sign-in using {strategy.label} auth failed: {outcome.invalid}."
        return page.render("error.html", 422, title=title, text=text)
    if outcome.user is None:
        page.visit.flash("alert", outcome.error or "")
        return page.redirect("/users/sign_in")
    return _enter(page, outcome.user, created=outcome.created)


def _link(page: Page, auth: omniauth.AuthHash) -> Response:
    """Somebody is signed in: whoever came back from the provider is taken for them."""
    with page.site.database.write() as session:
        current = session.get(User, page.user.id) if page.user else None
        if current is None:
            raise PageMissingError
        text = omniauth.link(session, current, auth)
    page.visit.flash("notice", text)
    if text.startswith("Authentication failed"):
        return page.redirect("/-/profile/account")
    return page.redirect(local_path(page.visit.take("return_to")) or "/")


def _monitored(page: Page) -> None:
    address = ipaddress.ip_address(page.remote)
    if not any(address in network for network in page.site.config.monitoring_whitelist):
        raise PageMissingError


@page("/-/health")
def health(page: Page) -> Response:
    """Is the web server there."""
    _monitored(page)
    return PlainTextResponse("GitLab OK")


@page("/-/liveness")
def liveness(page: Page) -> Response:
    """Is it alive."""
    _monitored(page)
    return JSONResponse({"status": "ok"})


@page("/-/readiness")
def readiness(page: Page) -> Response:
    """Can it serve: database and repositories answer."""
    _monitored(page)
    body: dict[str, object] = {"status": "ok", "master_check": [{"status": "ok"}]}
    try:
        page.session.get(User, 1)
        usable = page.site.paths.repositories.is_dir()
    except (GitError, OSError):
        usable = False
    if page.query.get("all"):
        body |= {
            "db_check": [{"status": "ok"}],
            "gitaly_check": [{"status": "ok" if usable else "failed"}],
        }
    if not usable:
        return JSONResponse({**body, "status": "failed"}, 503)
    return JSONResponse(body)
