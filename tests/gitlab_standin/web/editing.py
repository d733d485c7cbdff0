"""Editing a file in the browser."""

from starlette.responses import Response

from gitlab_standin import access
from gitlab_standin.git.writing import Action, ChangeError, Person, commit_actions
from gitlab_standin.pushes import after_change
from gitlab_standin.site import find_project
from gitlab_standin.web import render
from gitlab_standin.web.code import opened, split_ref
from gitlab_standin.web.core import Page, page


@page("/{project}/-/edit/(?P<where>.+)")
def edit_page(page: Page) -> Response:
    """The form."""
    if page.user is None:
        page.missing()
    project, repository = opened(page)
    found = split_ref(repository, page.variables["where"])
    if found is None or not access.can_push_branch(page.session, page.user, project, found[0]):
        return page.missing()
    ref, path = found
    head = repository.refs().get(ref)
    entry = repository.entry(head, path) if head else None
    text = (
        render.text_of(repository.blob(entry.id))
        if entry is not None and entry.type == "blob"
        else None
    )
    if text is None or head is None:
        return page.missing()
    last = repository.log(head, path=path, limit=1)
    return page.render(
        "edit.html",
        title=f"Edit {path}",
        project=project,
        base=f"/{project.full_path}",
        ref=ref,
        path=path,
        text=text,
        message=f"Update {path}",
        last_commit=last[0].id if last else "",
    )


@page("/{project}/-/update/(?P<where>.+)", "POST")
def update_file(page: Page) -> Response:
    """Commit what the form says."""
    if page.user is None:
        page.missing()
    project, repository = opened(page)
    found = split_ref(repository, page.variables["where"])
    if found is None or not access.can_push_branch(page.session, page.user, project, found[0]):
        return page.missing()
    ref, path = found
    user = page.user
    head = repository.refs().get(ref)
    if user is None or head is None:
        return page.missing()
    # Browsers send CRLF line ends; files here have LF.
    content = page.form.get("content", "").replace("\r\n", "\n").encode()
    person = Person(user.name, user.profile.get("commit_email") or user.email)
    try:
        with page.site.database.write() as session:
            current = find_project(session, project.full_path)
            commit_actions(
                repository,
                branch=ref,
                base=head,
                old=head,
                actions=[
                    Action("update", path, content, last_commit_id=page.form.get("last_commit_sha"))
                ],
                message=page.form.get("commit_message") or f"Update {path}",
                author=person,
                committer=person,
            )
            if current is not None:
                after_change(page.site, session, current)
    except ChangeError as error:
        page.visit.flash("alert", str(error))
        return page.redirect(f"/{project.full_path}/-/edit/{ref}/{path}")
    page.visit.flash("notice", "Your changes have been successfully committed.")
    return page.redirect(f"/{project.full_path}/-/blob/{ref}/{path}")
