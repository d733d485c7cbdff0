"""Dashboard, profiles, groups and one's own settings."""

from sqlalchemy import select
from starlette.responses import PlainTextResponse, Response

from gitlab_standin import access, security
from gitlab_standin.accounts import password_problem
from gitlab_standin.models import Project, User
from gitlab_standin.site import find_namespace, find_user
from gitlab_standin.web.core import Page, page

SHOWN = 100


def _visible(page: Page, *conditions: object) -> list[Project]:
    query = select(Project).order_by(Project.last_activity_at.desc()).limit(SHOWN)
    seen = access.visible_projects(page.user)
    for condition in (*conditions, seen):
        if condition is not None:
            query = query.where(condition)  # type: ignore[arg-type]
    return list(page.session.scalars(query))


@page("/|/dashboard(?:/projects)?")
def dashboard(page: Page) -> Response:
    """One's own projects."""
    if page.user is None:
        return page.missing()
    projects = _visible(page, access.member_projects(page.user))
    return page.render("projects.html", title="Projects", projects=projects)


@page("/explore(?:/projects)?")
def explore(page: Page) -> Response:
    """Everything the visitor may see."""
    return page.render("projects.html", title="Explore projects", projects=_visible(page))


@page("/help(?:/.*)?")
def help_page(page: Page) -> Response:
    """What this server is."""
    return page.render("help.html", title="Help")


@page("/favicon.ico")
def icon(_page: Page) -> Response:
    """A mark of our own; it is asked for before anybody has signed in."""
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
        '<rect width="16" height="16" rx="3" fill="#2a2240"/>'
        '<path d="M4 11V5h5a3 3 0 0 1 0 6z" fill="#e9c56b"/></svg>'
    )
    return Response(drawing, media_type="image/svg+xml")


@page("/robots.txt")
def robots(_page: Page) -> Response:
    """Nothing to index."""
    return PlainTextResponse("User-Agent: *\nDisallow: /\n")


@page("/-/profile/account|/-/user_settings/(?:profile|authentication_log|account)|/-/profile")
def account(page: Page) -> Response:
    """One's own account: what it is linked to."""
    if page.user is None:
        return page.missing()
    user = page.session.get(User, page.user.id)
    return page.render("account.html", title="Account", person=user)


@page("/-/user_settings/password/(?:new|edit)")
def password_page(page: Page) -> Response:
    """Choose a password."""
    if page.user is None:
        return page.missing()
    return page.render("password.html", title="Password")


@page("/-/user_settings/password", "POST")
def set_password(page: Page) -> Response:
    """Change one's own password."""
    if page.user is None:
        return page.missing()
    new = page.form.get("user[new_password]", "")
    old = page.form.get("user[password]", "")
    problem = None
    if page.user.password_hash and not security.check_password(old, page.user.password_hash):
        problem = "You must provide a valid current password"
    elif new != page.form.get("user[password_confirmation]", ""):
        problem = "Password confirmation doesn't match Password"
    else:
        weak = password_problem(new, page.user.username, page.user.email)
        problem = f"Password {weak}" if weak else None
    if problem:
        page.visit.flash("alert", problem)
        return page.redirect("/-/user_settings/password/new")
    with page.site.database.write() as session:
        user = session.get(User, page.user.id)
        if user is not None:
            user.password_hash, user.password_expires_at = security.hash_password(new), None
    page.visit.sign_out()
    page.visit.flash("notice", "Password was successfully updated. Please sign in again.")
    return page.redirect("/users/sign_in?auto_sign_in=false")


@page("/{name}|/groups/(?P<group>[A-Za-z0-9_.].*)")
def profile(page: Page) -> Response:
    """A person's or a group's page."""
    name = page.variables.get("group") or page.variables["name"]
    namespace = find_namespace(page.session, name) if not name.isdigit() else None
    if namespace is None or not access.group_visible(page.session, page.user, namespace):
        return page.missing()
    projects = _visible(page, Project.namespace_id == namespace.id)
    if namespace.kind == "group":
        return page.render("projects.html", title=namespace.full_name, projects=projects)
    person = find_user(page.session, namespace.path)
    return page.render("profile.html", title=namespace.name, person=person, projects=projects)
