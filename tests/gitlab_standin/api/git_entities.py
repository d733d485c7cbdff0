"""What commits, branches, diffs and files look like in answers."""

import datetime as dt
from typing import Any

from gitlab_standin.git.repository import Change, Commit, Entry
from gitlab_standin.models import Project
from gitlab_standin.site import Site


def stamp(value: dt.datetime) -> str:
    """A commit's time, in its own zone."""
    return value.isoformat(timespec="milliseconds")


def commit(site: Site, project: Project, row: Commit) -> dict[str, Any]:
    """Commit."""
    return {
        "id": row.id,
        "short_id": row.id[:8],
        "created_at": stamp(row.committed),
        "parent_ids": row.parents,
        "title": row.title,
        "message": row.message,
        "author_name": row.author_name,
        "author_email": row.author_email,
        "authored_date": stamp(row.authored),
        "committer_name": row.committer_name,
        "committer_email": row.committer_email,
        "committed_date": stamp(row.committed),
        "trailers": {},
        "extended_trailers": {},
        "web_url": site.url(f"/{project.full_path}/-/commit/{row.id}"),
    }


def commit_stats(additions: int, deletions: int) -> dict[str, int]:
    """CommitStats."""
    return {"additions": additions, "deletions": deletions, "total": additions + deletions}


def commit_detail(
    site: Site, project: Project, row: Commit, stats: tuple[int, int] | None
) -> dict[str, Any]:
    """CommitDetail."""
    shown = {
        **commit(site, project, row),
        "status": None,
        "project_id": project.id,
        "last_pipeline": None,
    }
    if stats is not None:
        shown["stats"] = commit_stats(*stats)
    return shown


def diff(change: Change, *, unidiff: bool = False) -> dict[str, Any]:
    """Diff."""
    text = change.patch
    if unidiff and text:
        before = "/dev/null" if change.status == "A" else f"a/{change.old_path}"
        after = "/dev/null" if change.status == "D" else f"b/{change.new_path}"
        text = f"--- {before}\n+++ {after}\n{text}"
    return {
        "diff": text,
        "collapsed": False,
        "too_large": False,
        "new_path": change.new_path,
        "old_path": change.old_path,
        "a_mode": (change.old_mode.lstrip("0") and change.old_mode) or "0",
        "b_mode": (change.new_mode.lstrip("0") and change.new_mode) or "0",
        "new_file": change.status == "A",
        "renamed_file": change.status == "R",
        "deleted_file": change.status == "D",
        "generated_file": None,
    }


def tree_entry(row: Entry) -> dict[str, Any]:
    """TreeObject."""
    return {"id": row.id, "name": row.name, "type": row.type, "path": row.path, "mode": row.mode}
