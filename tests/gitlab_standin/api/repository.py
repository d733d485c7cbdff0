"""Trees, comparisons and archives."""

from typing import Any

from gitlab_standin import access
from gitlab_standin.api import git_entities, pagination
from gitlab_standin.api.core import Call, Reply, invalid, not_found, route
from gitlab_standin.git.command import GitError
from gitlab_standin.git.repository import Entry, Repository
from gitlab_standin.models import Project
from gitlab_standin.site import find_project


def opened(call: Call) -> tuple[Project, Repository]:
    """The project whose code the caller may read, and its repository."""
    project = call.code_project()
    repository = call.site.repository(project.id)
    if not (repository.path / "HEAD").exists():
        not_found("Repository")
    return project, repository


@route(
    "GET",
    "/projects/:id/repository/tree",
    {"ref": "str", "path": "str", "recursive": "bool", "page_token": "str"},
    anonymous=True,
)
def tree(call: Call) -> Any:
    """GET /projects/:id/repository/tree."""
    project, repository = opened(call)
    ref = call["ref"] or project.default_branch
    if ref is None or repository.resolve(ref) is None:
        not_found("Tree")
    entries = repository.tree(ref, call["path"] or "", recursive=bool(call["recursive"]))
    if entries is None:
        not_found("Tree")
    if call["pagination"] == "keyset":
        return _tree_keyset(call, entries)
    return pagination.of_list(call, entries, git_entities.tree_entry)


def _tree_keyset(call: Call, entries: list[Entry]) -> Reply:
    start = 0
    if call["page_token"]:
        ids = [entry.id for entry in entries]
        if call["page_token"] not in ids:
            invalid("page_token is invalid")
        start = ids.index(call["page_token"]) + 1
    per_page = min(int(call["per_page"] or 20), pagination.MAX_PER_PAGE)
    shown = entries[start : start + per_page]
    headers = {}
    if start + per_page < len(entries):
        headers["Link"] = pagination.next_link(
            call, {"page_token": shown[-1].id, "per_page": per_page}
        )
    return Reply(200, [git_entities.tree_entry(entry) for entry in shown], headers)


@route(
    "GET",
    "/projects/:id/repository/compare",
    {"from": "str!", "to": "str!", "from_project_id": "int", "straight": "bool", "unidiff": "bool"},
    anonymous=True,
)
def compare(call: Call) -> Any:
    """GET /projects/:id/repository/compare."""
    project, repository = opened(call)
    source = repository
    if call["from_project_id"] is not None:
        other = find_project(call.session, str(call["from_project_id"]))
        if other is None or not access.can_read_code(call.session, call.user, other):
            not_found("Project")
        source = call.site.repository(other.id)
    old, new = source.resolve(call["from"]), repository.resolve(call["to"])
    if old is None or new is None:
        not_found("Ref")
    env = (
        {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(source.path / "objects")}
        if source is not repository
        else None
    )
    base: str | None = old
    if not call["straight"]:
        base = (
            repository.git("merge-base", old, new, env=env, accept=(0, 1)).decode().strip() or None
        )
    commits = repository.log(f"{old}..{new}", env=env)
    commits.reverse()
    changes = repository.diff(base, new, env=env) if base else []
    dots = ".." if call["straight"] else "..."
    return {
        "commit": git_entities.commit(call.site, project, commits[-1]) if commits else None,
        "commits": [git_entities.commit(call.site, project, row) for row in commits],
        "diffs": [git_entities.diff(change, unidiff=bool(call["unidiff"])) for change in changes],
        "compare_timeout": False,
        "compare_same_ref": old == new,
        "web_url": call.site.url(f"/{project.full_path}/-/compare/{old}{dots}{new}"),
    }


@route("GET", "/projects/:id/repository/merge_base", {"refs": "list!"}, anonymous=True)
def merge_base(call: Call) -> Any:
    """GET /projects/:id/repository/merge_base."""
    project, repository = opened(call)
    if len(call["refs"]) < 2:
        invalid("Provide at least 2 refs")
    ids = [repository.resolve(ref) for ref in call["refs"]]
    if None in ids:
        not_found("Ref")
    try:
        found = repository.git("merge-base", "--octopus", *[i for i in ids if i]).decode().strip()
    except GitError:
        not_found("Merge Base")
    row = repository.commit(found)
    return git_entities.commit(call.site, project, row) if row else None


def _archive(call: Call, kind: str) -> Any:
    project, repository = opened(call)
    ref = call["sha"] or project.default_branch
    sha = repository.resolve(ref) if ref else None
    if sha is None:
        not_found("File")
    name = f"{project.path}-{ref}-{sha}".replace("/", "-")
    tail = [call["path"]] if call["path"] else []
    content = repository.git("archive", f"--format={kind}", f"--prefix={name}/", sha, "--", *tail)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Reply(200, content, headers, "application/octet-stream")


@route(
    "GET",
    "/projects/:id/repository/archive",
    {"sha": "str", "path": "str", "format": "str"},
    anonymous=True,
)
def archive(call: Call) -> Any:
    """GET /projects/:id/repository/archive."""
    return _archive(call, "tar.gz")


@route("GET", "/projects/:id/repository/archive.zip", {"sha": "str", "path": "str"}, anonymous=True)
def archive_zip(call: Call) -> Any:
    """GET /projects/:id/repository/archive.zip."""
    return _archive(call, "zip")


@route(
    "GET", "/projects/:id/repository/archive.tar.gz", {"sha": "str", "path": "str"}, anonymous=True
)
def archive_tar(call: Call) -> Any:
    """GET /projects/:id/repository/archive.tar.gz."""
    return _archive(call, "tar.gz")
