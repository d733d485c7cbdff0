"""Commits and branches."""

import re
from typing import Any

from gitlab_standin import access
from gitlab_standin.api import git_entities, pagination
from gitlab_standin.api.core import Call, Reply, fail, forbidden, not_found, route
from gitlab_standin.api.repository import opened
from gitlab_standin.git.command import GitError
from gitlab_standin.git.repository import EMPTY_TREE, Commit, Repository
from gitlab_standin.git.writing import ChangeError, update_ref
from gitlab_standin.models import Project
from gitlab_standin.pushes import after_change


@route(
    "GET",
    "/projects/:id/repository/commits",
    {
        "ref_name": "str",
        "since": "datetime",
        "until": "datetime",
        "path": "str",
        "author": "str",
        "all": "bool",
        "with_stats": "bool",
        "first_parent": "bool",
        "follow": "bool",
        "order": ("default", "topo"),
        "trailers": "bool",
    },
    anonymous=True,
)
def list_commits(call: Call) -> Any:
    """GET /projects/:id/repository/commits."""
    project, repository = opened(call)
    ref = call["ref_name"] or project.default_branch
    if ref is None:
        not_found("Repository")
    start, _, end = ref.partition("..")
    if any(repository.resolve(part) is None for part in (start, end.lstrip(".")) if part):
        return []
    wanted = ref if end else repository.resolve(ref) or ref
    options = []
    for name, flag in (("since", "--since"), ("until", "--until")):
        if call[name]:
            options.append(f"{flag}={call[name].isoformat()}")
    if call["author"]:
        options.append(f"--author={call['author']}")
    for name, flag in (("all", "--all"), ("first_parent", "--first-parent")):
        if call[name]:
            options.append(flag)
    if call["order"] == "topo":
        options.append("--topo-order")

    def render(row: Commit) -> dict[str, Any]:
        shown = git_entities.commit(call.site, project, row)
        if call["with_stats"]:
            shown["stats"] = git_entities.commit_stats(*repository.stats(row))
        return shown

    def fetch(skip: int, limit: int) -> list[Commit]:
        return repository.log(wanted, path=call["path"], skip=skip, limit=limit, options=options)

    return pagination.of_stream(call, fetch, render)


def _commit(call: Call) -> tuple[Project, Repository, Commit]:
    project, repository = opened(call)
    row = repository.commit(call.route["sha"])
    if row is None:
        not_found("Commit")
    return project, repository, row


@route("GET", "/projects/:id/repository/commits/:sha/diff", {"unidiff": "bool"}, anonymous=True)
def commit_diff(call: Call) -> Any:
    """GET /projects/:id/repository/commits/:sha/diff."""
    _, repository, row = _commit(call)
    changes = repository.diff(row.parents[0] if row.parents else EMPTY_TREE, row.id)
    return pagination.of_list(
        call, changes, lambda c: git_entities.diff(c, unidiff=bool(call["unidiff"]))
    )


@route("GET", "/projects/:id/repository/commits/:sha", {"stats": "bool"}, anonymous=True)
def get_commit(call: Call) -> Any:
    """GET /projects/:id/repository/commits/:sha."""
    project, repository, row = _commit(call)
    stats = None if call["stats"] is False else repository.stats(row)
    return git_entities.commit_detail(call.site, project, row, stats)


class _Branches:
    """Renders branches, looking the rules up once."""

    def __init__(self, call: Call, project: Project, repository: Repository) -> None:
        self._call = call
        self._project = project
        self._repository = repository
        default = project.default_branch
        merged = []
        if default and repository.resolve(default):
            head = f"refs/heads/{default}"
            listing = repository.git(
                "for-each-ref", "--format=%(refname:short)", f"--merged={head}", "refs/heads/"
            )
            merged = listing.decode().splitlines()
        self._merged = set(merged)

    def render(self, name: str) -> dict[str, Any]:
        """Branch."""
        call, project = self._call, self._project
        row = self._repository.commit(f"refs/heads/{name}")
        rules = access.rules_for(call.session, project, name)
        return {
            "name": name,
            "commit": git_entities.commit(call.site, project, row) if row else None,
            "merged": name in self._merged and name != project.default_branch,
            "protected": bool(rules),
            "developers_can_push": any(0 < rule.push_level <= access.DEVELOPER for rule in rules),
            "developers_can_merge": any(0 < rule.merge_level <= access.DEVELOPER for rule in rules),
            "can_push": access.can_push_branch(call.session, call.user, project, name),
            "default": name == project.default_branch,
            "web_url": call.site.url(f"/{project.full_path}/-/tree/{name}"),
        }


def _matches(name: str, search: str) -> bool:
    text = search.lower()
    if text.startswith("^"):
        return name.lower().startswith(text[1:])
    if text.endswith("$"):
        return name.lower().endswith(text[:-1])
    return text in name.lower()


@route(
    "GET",
    "/projects/:id/repository/branches",
    {"search": "str", "regex": "str", "sort": ("name_asc", "updated_asc", "updated_desc")},
    anonymous=True,
)
def list_branches(call: Call) -> Any:
    """GET /projects/:id/repository/branches."""
    project, repository = opened(call)
    names = list(repository.refs())
    if call["search"]:
        names = [n for n in names if _matches(n, call["search"])]
    if call["regex"]:
        try:
            names = [n for n in names if re.search(call["regex"], n)]
        except re.error:
            fail(400, "400 Bad request - regex is invalid")
    return pagination.of_list(call, names, _Branches(call, project, repository).render)


@route("GET", "/projects/:id/repository/branches/*branch", anonymous=True)
def get_branch(call: Call) -> Any:
    """GET and HEAD /projects/:id/repository/branches/:branch."""
    project, repository = opened(call)
    if call.route["branch"] not in repository.refs():
        not_found("Branch")
    return _Branches(call, project, repository).render(call.route["branch"])


@route("POST", "/projects/:id/repository/branches", {"branch": "str!", "ref": "str!"})
def create_branch(call: Call) -> Any:
    """POST /projects/:id/repository/branches."""
    project, repository = opened(call)
    if not access.can_push(call.session, call.me, project):
        forbidden()
    name = call["branch"]
    if name in repository.refs():
        fail(400, "Branch already exists")
    sha = repository.resolve(call["ref"])
    if sha is None:
        fail(400, f"Invalid reference name: {call['ref']}")
    if not access.can_push_branch(call.session, call.me, project, name):
        forbidden()
    try:
        repository.git("check-ref-format", "--branch", name)
        update_ref(repository, name, sha, None)
    except (ChangeError, GitError):
        fail(400, "Branch name is invalid")
    after_change(call.site, call.session, project)
    return _Branches(call, project, repository).render(name)


@route("DELETE", "/projects/:id/repository/branches/*branch")
def delete_branch(call: Call) -> Any:
    """DELETE /projects/:id/repository/branches/:branch."""
    project, repository = opened(call)
    name = call.route["branch"]
    if not access.can_push(call.session, call.me, project):
        forbidden()
    sha = repository.refs().get(name)
    if sha is None:
        not_found("Branch")
    if name == project.default_branch:
        fail(400, "The default branch of a project cannot be deleted.")
    if access.rules_for(call.session, project, name) and not access.administers(
        call.session, call.me, project
    ):
        forbidden("Protected branch cannot be deleted")
    repository.git("update-ref", "-d", f"refs/heads/{name}", sha)
    return Reply(204)
