"""Files, and commits of several files."""

import base64
import binascii
import hashlib
from typing import Any

from gitlab_standin import access
from gitlab_standin.api import git_entities
from gitlab_standin.api.core import Call, Reply, fail, forbidden, invalid, not_found, route
from gitlab_standin.api.repository import opened
from gitlab_standin.git.repository import Entry, Repository
from gitlab_standin.git.writing import Action, ChangeError, Person, commit_actions
from gitlab_standin.models import Project
from gitlab_standin.pushes import after_change
from gitlab_standin.site import find_project

_WRITE: dict[str, Any] = {
    "branch": "str!",
    "commit_message": "str!",
    "start_branch": "str",
    "author_email": "str",
    "author_name": "str",
}


def _found(call: Call) -> tuple[Project, Repository, Entry, str]:
    project, repository = opened(call)
    ref = call["ref"] or "HEAD"
    sha = repository.resolve(ref)
    if sha is None:
        not_found("Commit")
    entry = repository.entry(sha, call.route["file_path"])
    if entry is None or entry.type != "blob":
        not_found("File")
    return project, repository, entry, sha


def _facts(call: Call) -> tuple[dict[str, Any], bytes]:
    project, repository, entry, sha = _found(call)
    content = repository.blob(entry.id)
    last = repository.log(sha, path=entry.path, limit=1)
    facts = {
        "file_name": entry.name,
        "file_path": entry.path,
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": call["ref"] or project.default_branch,
        "blob_id": entry.id,
        "commit_id": sha,
        "last_commit_id": last[0].id if last else sha,
        "execute_filemode": entry.mode == "100755",
    }
    return facts, content


def _headers(facts: dict[str, Any]) -> dict[str, str]:
    return {
        "X-Gitlab-" + "-".join(part.capitalize() for part in name.split("_")): (
            str(value).lower() if isinstance(value, bool) else str(value)
        )
        for name, value in facts.items()
        if str(value).isascii()
    }


@route(
    "GET",
    "/projects/:id/repository/files/*file_path/raw",
    {"ref": "str", "lfs": "bool"},
    anonymous=True,
)
def raw_file(call: Call) -> Any:
    """GET /projects/:id/repository/files/:file_path/raw."""
    facts, content = _facts(call)
    headers = {**_headers(facts), "Content-Disposition": "inline"}
    return Reply(200, content, headers, "text/plain; charset=utf-8")


@route("GET", "/projects/:id/repository/files/*file_path", {"ref": "str!"}, anonymous=True)
def get_file(call: Call) -> Any:
    """GET and HEAD /projects/:id/repository/files/:file_path."""
    facts, content = _facts(call)
    return Reply(200, {**facts, "content": base64.b64encode(content).decode()}, _headers(facts))


def _content(text: Any, encoding: str | None) -> bytes:
    if encoding != "base64":
        return str(text or "").encode()
    try:
        return base64.b64decode(str(text or ""), validate=False)
    except binascii.Error:
        fail(400, "Invalid base64 content")


def _base(call: Call, project: Project, repository: Repository) -> tuple[str | None, str | None]:
    """Where the change starts, and where the branch is now."""
    branch = call["branch"]
    old = repository.refs().get(branch)
    if not call["start_branch"] and not call["start_sha"]:
        if old is None and repository.refs():
            fail(400, "You can only create or edit files when you are on a branch")
        return old, old
    if old is not None and not call["force"] and call["start_branch"] != branch:
        fail(
            400,
            f"A branch called '{branch}' already exists. Switch to that branch in order to make "
            "changes",
        )
    source = repository
    if call["start_project"]:
        other = find_project(call.session, str(call["start_project"]))
        if other is None or not access.can_read_code(call.session, call.user, other):
            not_found("Project")
        source = call.site.repository(other.id)
        start = source.resolve(call["start_sha"] or call["start_branch"])
        if start is not None:
            repository.git("fetch", "--quiet", "--no-write-fetch-head", str(source.path), start)
    else:
        start = repository.resolve(call["start_sha"] or call["start_branch"])
    if start is None:
        fail(400, "You can only create or edit files when you are on a branch")
    if project.archived:
        forbidden()
    return start, old


def _commit(call: Call, actions: list[Action], *, refused: int) -> tuple[Project, Repository, str]:
    project = call.code_project()
    if not access.can_push(call.session, call.me, project):
        forbidden()
    if not access.can_push_branch(call.session, call.me, project, call["branch"]):
        reason = "You are not allowed to push into this branch"
        forbidden(reason) if refused == 403 else fail(400, reason)
    repository = call.site.repository(project.id)
    base, old = _base(call, project, repository)
    committer = Person(call.me.name, call.me.profile.get("commit_email") or call.me.email)
    author = Person(call["author_name"] or committer.name, call["author_email"] or committer.email)
    try:
        sha = commit_actions(
            repository,
            branch=call["branch"],
            base=base,
            old=old,
            actions=actions,
            message=call["commit_message"],
            author=author,
            committer=committer,
        )
    except ChangeError as error:
        fail(400, str(error))
    after_change(call.site, call.session, project)
    return project, repository, sha


def _write_file(call: Call, action: str) -> Any:
    path = call.route["file_path"]
    content = _content(call["content"], call["encoding"])
    _commit(
        call, [Action(action, path, content, last_commit_id=call["last_commit_id"])], refused=400
    )
    return {"file_path": path, "branch": call["branch"]}


_CONTENT = {
    **_WRITE,
    "content": "any!",
    "encoding": "str",
    "last_commit_id": "str",
    "execute_filemode": "bool",
}


@route("POST", "/projects/:id/repository/files/*file_path", _CONTENT)
def create_file(call: Call) -> Any:
    """POST /projects/:id/repository/files/:file_path."""
    return _write_file(call, "create")


@route("PUT", "/projects/:id/repository/files/*file_path", _CONTENT)
def update_file(call: Call) -> Any:
    """PUT /projects/:id/repository/files/:file_path."""
    return _write_file(call, "update")


@route("DELETE", "/projects/:id/repository/files/*file_path", {**_WRITE, "last_commit_id": "str"})
def delete_file(call: Call) -> Any:
    """DELETE /projects/:id/repository/files/:file_path."""
    action = Action("delete", call.route["file_path"], last_commit_id=call["last_commit_id"])
    _commit(call, [action], refused=400)


@route(
    "POST",
    "/projects/:id/repository/commits",
    {
        **_WRITE,
        "actions": "list!",
        "start_sha": "str",
        "start_project": "str",
        "force": "bool",
        "stats": "bool",
    },
)
def create_commit(call: Call) -> Any:
    """POST /projects/:id/repository/commits."""
    actions = []
    for given in call["actions"]:
        if not isinstance(given, dict) or given.get("action") not in {
            "create",
            "update",
            "delete",
            "move",
            "chmod",
        }:
            invalid("actions[0][action] does not have a valid value")
        if not given.get("file_path"):
            invalid("actions[0][file_path] is missing")
        actions.append(
            Action(
                given["action"],
                str(given["file_path"]),
                _content(given.get("content"), given.get("encoding")),
                previous_path=given.get("previous_path"),
                last_commit_id=given.get("last_commit_id"),
                executable=given.get("execute_filemode"),
            )
        )
    project, repository, sha = _commit(call, actions, refused=403)
    row = repository.commit(sha)
    if row is None:
        not_found("Commit")
    stats = None if call["stats"] is False else repository.stats(row)
    return git_entities.commit_detail(call.site, project, row, stats)
