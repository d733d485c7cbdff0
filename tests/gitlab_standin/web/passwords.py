"""A password that was forgotten, or never chosen: GitLab's own mail, and the page it leads to."""

import datetime as dt
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from gitlab_standin import mail, security
from gitlab_standin.accounts import password_problem
from gitlab_standin.models import PasswordReset, User, now
from gitlab_standin.web.core import Page, page

VALID = dt.timedelta(days=2)
AGAIN_AFTER = dt.timedelta(minutes=1)
# Whoever asks learns nothing of who has an account.
_SENT = (
    "If your email address exists in our database, you will receive a password recovery link at "
    "your email address in a few minutes."
)
_MAIL = """Hello, {name}!

Someone, hopefully you, has requested to reset the password for your GitLab account on {site}.

If you did not perform this request, you can safely ignore this email.

Otherwise, open the link below to complete the process.

{link}
"""


def _elsewhere(page: Page) -> Response | None:
    """Who is signed in has a password to change, not one to ask for."""
    if page.user is None:
        return None
    page.visit.flash("alert", "You are already signed in.")
    return page.redirect("/")


@page("/users/password/new")
def forgotten_page(page: Page) -> Response:
    """Ask for the address."""
    return _elsewhere(page) or page.render("forgotten.html", email=page.query.get("user_email", ""))


@page("/users/password", "POST")
def change(page: Page) -> Response:
    """Send the mail; or, from the page it leads to, take the new password."""
    elsewhere = _elsewhere(page)
    if elsewhere is not None:
        return elsewhere
    return _take(page) if page.form.get("_method", "").lower() == "put" else _ask(page)


def _ask(page: Page) -> Response:
    if not page.site.setting(page.session, "password_authentication_enabled_for_web"):
        page.visit.flash("alert", "Password authentication is unavailable.")
        return page.redirect("/users/sign_in")
    address = page.form.get("user[email]", "").strip().lower()
    token = secrets.token_urlsafe(15)
    with page.site.database.write() as session:
        user = session.scalar(select(User).where(User.email_key == address))
        known = session.get(PasswordReset, user.id) if user else None
        if user is not None and not (known and now() - known.sent_at < AGAIN_AFTER):
            digest = security.token_digest(token)
            session.merge(PasswordReset(user_id=user.id, digest=digest, sent_at=now()))
            config = page.site.config
            link = f"{config.base_url}/users/password/edit?reset_password_token={token}"
            text = _MAIL.format(name=user.name, site=config.base_url, link=link)
            mail.send(config, user.email, "Reset password instructions", text)
    page.visit.flash("notice", _SENT)
    return page.redirect("/users/sign_in")


def _of(session: Session, token: str) -> PasswordReset | None:
    digest = security.token_digest(token)
    return session.scalar(select(PasswordReset).where(PasswordReset.digest == digest))


@page("/users/password/edit")
def choose_page(page: Page) -> Response:
    """Where the mail leads."""
    elsewhere = _elsewhere(page)
    if elsewhere is not None:
        return elsewhere
    token = page.query.get("reset_password_token", "")
    known = _of(page.session, token)
    if known is None or now() - known.sent_at > VALID:
        page.visit.flash("alert", "Your password reset token has expired.")
        return page.redirect("/users/password/new")
    return page.render("choose_password.html", token=token)


def _take(page: Page) -> Response:
    token = page.form.get("user[reset_password_token]", "")
    new = page.form.get("user[password]", "")
    with page.site.database.write() as session:
        known = _of(session, token)
        user = session.get(User, known.user_id) if known else None
        problem = None
        if known is None or user is None:
            problem = "Reset password token is invalid"
        elif now() - known.sent_at > VALID:
            problem = "Reset password token has expired, please request a new one"
        elif new != page.form.get("user[password_confirmation]", ""):
            problem = "Password confirmation doesn't match Password"
        elif weak := password_problem(new, user.username, user.email):
            problem = f"Password {weak}"
        else:
            user.password_hash = security.hash_password(new)
            user.password_expires_at = None  # one's own choice, not an administrator's
            session.delete(known)
    if problem:
        page.visit.flash("alert", problem)
        return page.render("choose_password.html", 422, token=token)
    page.visit.flash("notice", "Your password has been changed successfully.")
    return page.redirect("/users/sign_in?auto_sign_in=false")
