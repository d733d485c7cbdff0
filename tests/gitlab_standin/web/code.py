"""A project's files and history."""

from typing import Any

from sqlalchemy import select
from starlette.responses import PlainTextResponse, Response

from gitlab_standin import access
from gitlab_standin.git.repository import EMPTY_TREE, Repository
from gitlab_standin.models import MergeRequest, Project, User
from gitlab_standin.site import find_user
from gitlab_standin.web import render
from gitlab_standin.web.core import Page, page

HISTORY_PAGE = 40
_INLINE = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".pdf": "application/pdf",
}


def opened(page: Page) -> tuple[Project, Repository]:
    """The project of the address, whose files the visitor may read."""
    project = page.project()
    if not access.can_read_code(page.session, page.user, project):
        page.missing()
    return project, page.site.repository(project.id)


def split_ref(repository: Repository, text: str) -> tuple[str, str] | None:
    """Branch, tag or commit, and path, of a glued ``ref/path``; names may hold slashes."""
    names = sorted({*repository.refs(), *repository.refs("refs/tags/")}, key=len, reverse=True)
    for name in names:
        if text == name or text.startswith(name + "/"):
            return name, text[len(name) + 1 :]
    ref, _, path = text.partition("/")
    return (ref, path) if repository.resolve(ref) else None


def _parts(page: Page, repository: Repository) -> tuple[str, str, str]:
    found = split_ref(repository, page.variables["where"])
    if found is None:
        return page.missing()
    commit = repository.resolve(found[0])
    if commit is None:
        return page.missing()
    return found[0], found[1].strip("/"), commit


def _common(page: Page, project: Project, ref: str | None, path: str = "") -> dict[str, Any]:
    crumbs = []
    steps = path.split("/") if path else []
    for number, step in enumerate(steps, 1):
        crumbs.append((step, "/".join(steps[:number])))
    upstream = page.session.get(Project, project.forked_from_id) if project.forked_from_id else None
    if upstream is not None and not access.visible(page.session, page.user, upstream):
        upstream = None
    return {
        "project": project,
        "base": f"/{project.full_path}",
        "upstream": upstream,
        "ref": ref,
        "path": path,
        "crumbs": crumbs,
        "can_edit": ref is not None
        and access.can_push_branch(page.session, page.user, project, ref),
    }


def _tree(page: Page, project: Project, repository: Repository, ref: str, path: str) -> Response:
    entries = repository.tree(ref, path)
    if entries is None:
        return page.missing()
    commit = repository.resolve(ref) or ref
    last = repository.log(commit, path=path or None, limit=1)
    readme = next(
        (e for e in entries if e.type == "blob" and e.name.lower().startswith("readme")), None
    )
    shown = None
    if readme is not None:
        text = render.text_of(repository.blob(readme.id)[: render.MAX_SHOWN]) or ""
        root = page.url(f"/{project.full_path}")
        html = None
        if render.is_markdown(readme.name):
            html = render.markdown(
                text, blob=f"{root}/-/blob/{ref}", raw=f"{root}/-/raw/{ref}", folder=path
            )
        shown = {"name": readme.name, "html": html, "text": text}
    return page.render(
        "tree.html",
        title=project.full_name,
        entries=entries,
        last=last[0] if last else None,
        readme=shown,
        branches=list(repository.refs()),
        clone_url=page.site.url(f"/{project.full_path}.git"),
        **_common(page, project, ref, path),
    )


@page("/{project}/-/tree/(?P<where>.+)")
def tree_page(page: Page) -> Response:
    """A folder."""
    project, repository = opened(page)
    ref, path, _ = _parts(page, repository)
    return _tree(page, project, repository, ref, path)


@page("/{project}/-/blob/(?P<where>.+)")
def blob_page(page: Page) -> Response:
    """A file."""
    project, repository = opened(page)
    ref, path, commit = _parts(page, repository)
    entry = repository.entry(commit, path)
    if entry is None:
        return page.missing()
    if entry.type == "tree":
        return page.redirect(f"/{project.full_path}/-/tree/{ref}/{path}")
    content = repository.blob(entry.id)
    last = repository.log(commit, path=path, limit=1)
    text = render.text_of(content[: render.MAX_SHOWN])
    plain = page.query.get("plain") == "1"
    root = page.url(f"/{project.full_path}")
    folder = path.rpartition("/")[0]
    html = cells = None
    if text is not None and not plain and render.is_markdown(entry.name):
        html = render.markdown(
            text, blob=f"{root}/-/blob/{ref}", raw=f"{root}/-/raw/{ref}", folder=folder
        )
    if not plain and entry.name.lower().endswith(".ipynb") and len(content) <= render.MAX_SHOWN:
        cells = render.notebook(content)
    ending = "." + entry.name.rpartition(".")[2].lower()
    return page.render(
        "blob.html",
        title=f"{path} · {project.full_name}",
        entry=entry,
        size=len(content),
        text=text,
        html=html,
        cells=cells,
        image=_INLINE.get(ending, "").startswith("image/"),
        cut=len(content) > render.MAX_SHOWN,
        last=last[0] if last else None,
        **_common(page, project, ref, path),
    )


@page("/{project}/-/raw/(?P<where>.+)")
def raw_page(page: Page) -> Response:
    """A file's bytes, never as something a browser would run."""
    project, repository = opened(page)
    _, path, commit = _parts(page, repository)
    entry = repository.entry(commit, path)
    if entry is None or entry.type != "blob":
        return page.missing()
    content = repository.blob(entry.id)
    ending = "." + entry.name.rpartition(".")[2].lower()
    headers = {
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline",
    }
    if ending in _INLINE:
        return Response(content, headers=headers, media_type=_INLINE[ending])
    if render.text_of(content) is None:
        headers["Content-Disposition"] = "attachment"
        return Response(content, headers=headers, media_type="application/octet-stream")
    del project
    return PlainTextResponse(content, headers=headers)


@page("/{project}/-/commits(?:/(?P<where>.+))?")
def commits_page(page: Page) -> Response:
    """History of a branch, or of one file."""
    project, repository = opened(page)
    page.variables.setdefault("where", project.default_branch or "")
    ref, path, commit = _parts(page, repository)
    number = page.query.get("page", "1")
    current = max(1, int(number)) if number.isdigit() else 1
    rows = repository.log(
        commit, path=path or None, skip=(current - 1) * HISTORY_PAGE, limit=HISTORY_PAGE + 1
    )
    return page.render(
        "commits.html",
        title=f"Commits · {project.full_name}",
        commits=rows[:HISTORY_PAGE],
        current=current,
        more=len(rows) > HISTORY_PAGE,
        **_common(page, project, ref, path),
    )


@page("/{project}/-/commit/(?P<sha>[0-9a-f]{7,40})")
def commit_page(page: Page) -> Response:
    """What one commit changed."""
    project, repository = opened(page)
    commit = repository.commit(page.variables["sha"])
    if commit is None:
        return page.missing()
    changes = repository.diff(commit.parents[0] if commit.parents else EMPTY_TREE, commit.id)
    return page.render(
        "commit.html",
        title=f"{commit.title} · {project.full_name}",
        commit=commit,
        heading=commit.title,
        changes=[(change, render.diff_lines(change.patch)) for change in changes],
        **_common(page, project, project.default_branch),
    )


@page(r"/{project}/-/compare/(?P<old>.+?)(?P<dots>\.{2,3})(?P<new>.+)")
def compare_page(page: Page) -> Response:
    """Two revisions side by side: ``a...b`` from where they parted, ``a..b`` straight."""
    project, repository = opened(page)
    old, new = (repository.resolve(page.variables[n]) for n in ("old", "new"))
    if old is None or new is None:
        return page.missing()
    base = old if page.variables["dots"] == ".." else repository.merge_base(old, new)
    changes = repository.diff(base or old, new)
    return page.render(
        "commit.html",
        title=f"Comparing · {project.full_name}",
        commit=None,
        heading=f"Comparing {page.variables['old']} with {page.variables['new']}",
        changes=[(change, render.diff_lines(change.patch)) for change in changes],
        **_common(page, project, project.default_branch),
    )


@page("/{project}/-/merge_requests")
def merge_requests_page(page: Page) -> Response:
    """The project's merge requests."""
    project, _ = opened(page)
    query = select(MergeRequest).where(MergeRequest.project_id == project.id)
    rows = list(page.session.scalars(query.order_by(MergeRequest.iid.desc())))
    return page.render(
        "merge_requests.html",
        title="Merge requests",
        requests=rows,
        **_common(page, project, project.default_branch),
    )


@page("/{project}/-/merge_requests/(?P<iid>[0-9]+)")
def merge_request_page(page: Page) -> Response:
    """One merge request."""
    project, repository = opened(page)
    row = page.session.scalar(
        select(MergeRequest).where(
            MergeRequest.project_id == project.id, MergeRequest.iid == int(page.variables["iid"])
        )
    )
    if row is None:
        return page.missing()
    changes = repository.diff(row.base_sha, row.sha) if row.base_sha and row.sha else []
    return page.render(
        "merge_request.html",
        title=f"{row.title} (!{row.iid})",
        request=row,
        author=page.session.get(User, row.author_id),
        description=render.markdown(row.description or ""),
        changes=[(change, render.diff_lines(change.patch)) for change in changes],
        **_common(page, project, project.default_branch),
    )


@page("/{project}")
def project_page(page: Page) -> Response:
    """A project: its files and README."""
    project, repository = opened(page)
    if project.import_status in {"scheduled", "started"}:
        return page.render(
            "importing.html", title=project.full_name, **_common(page, project, None)
        )
    if project.default_branch is None:
        owner = find_user(page.session, project.namespace.path)
        return page.render(
            "empty.html",
            title=project.full_name,
            owner=owner,
            clone_url=page.site.url(f"/{project.full_path}.git"),
            **_common(page, project, None),
        )
    return _tree(page, project, repository, project.default_branch, "")
