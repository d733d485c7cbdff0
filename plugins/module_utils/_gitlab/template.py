# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Manages a course's group in GitLab, its template project, and its staff.

This file is shared: module ``gitlab_template`` uses it as ``module_utils``, the server's command
``atelier-course`` as ``atelier.gitlab.template``. It depends on python-gitlab but not on Ansible.
"""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import quote

with contextlib.suppress(ImportError):  # reported by connection.library_problem()
    from gitlab import exceptions as gle

ACCESS = {"reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
VISIBILITY = ("private", "internal", "public")


class TemplateError(Exception):
    """The course's projects cannot be set up as wanted; the text says what to do."""


class CourseProjects:
    """Brings a course's group, projects and members to the wanted state.

    Args:
        gl: an administrator's connection.
        params: the options of module ``gitlab_template``.
        check_mode: change nothing.
    """

    def __init__(self, gl: Any, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.gl = gl
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Bring group, project and members to the wanted state; return the module's result."""
        name, path = self.params["group"], f"{self.params['group']}/{self.params['project']}"
        group = self.look(f"/groups/{quote(name, safe='')}", {"with_projects": False})
        project = self.look(f"/projects/{quote(path, safe='')}")
        wanted = {
            "description": self.params["description"],
            "visibility": self.params["visibility"],
        }
        of_group = {**wanted, "visibility": self.group_visibility}
        if group and self.lowers(group):
            # A group cannot be less visible than its projects: change the project first.
            project = self.keep("project", project, "/projects", wanted, {})
        group = self.keep("group", group, "/groups", of_group, {"name": name, "path": name})
        new = self.new_project(self.params["project"], group)
        project = self.keep("project", project, "/projects", wanted, new)
        projects = {self.params["project"]: project}
        for private in self.params["private_projects"]:
            projects[private] = self.keep_private(private, group)
        missing = self.keep_staff(group)
        return {
            "changed": self.before != self.after,
            "path": path,
            "web_url": project.get("web_url", ""),
            "empty": is_empty(project),
            "empty_projects": [one for one, known in projects.items() if is_empty(known)],
            "missing_staff": missing,
            "diff": {"before": self.before, "after": self.after},
        }

    def new_project(self, name: str, group: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes that only a new project gets."""
        return {
            "name": name,
            "path": name,
            "namespace_id": group.get("id"),
            "wiki_enabled": False,
            "snippets_enabled": False,
        }

    def keep_private(self, name: str, group: dict[str, Any]) -> dict[str, Any]:
        """Create or update a project that only the group's members can see."""
        path = quote(f"{self.params['group']}/{name}", safe="")
        wanted = {"description": self.params["description"], "visibility": "private"}
        found = self.look(f"/projects/{path}")
        new = self.new_project(name, group)
        return self.keep(f"project {name}", found, "/projects", wanted, new)

    @property
    def group_visibility(self) -> str:
        """Visibility of the group."""
        return str(self.params["group_visibility"] or self.params["visibility"])

    def lowers(self, group: dict[str, Any]) -> bool:
        """Return whether the group is to become less visible."""
        return VISIBILITY.index(group["visibility"]) > VISIBILITY.index(self.group_visibility)

    def look(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return an object of GitLab; empty if it does not exist.

        Raises:
            TemplateError: its deletion is scheduled.
        """
        try:
            found = _mapping(self.gl.http_get(path, query_data=query or {}))
        except gle.GitlabHttpError as error:
            if error.response_code == 404 and "not found" in str(error.error_message).lower():
                return {}
            raise
        if found.get("marked_for_deletion_on"):
            raise TemplateError(
                f"{found.get('web_url')} is to be deleted on {found['marked_for_deletion_on']}: "
                "restore it in GitLab, or choose another slug."
            )
        return found

    def keep(
        self,
        what: str,
        present: dict[str, Any],
        path: str,
        wanted: dict[str, Any],
        new: dict[str, Any],
    ) -> dict[str, Any]:
        """Create a missing object or update its differing attributes; return the object."""
        if not present:
            self.note(what, None, wanted)
            if self.check_mode:
                return dict(wanted)
            return _mapping(self.gl.http_post(path, post_data={**new, **wanted}))
        differing = {
            key: value for key, value in wanted.items() if (present.get(key) or "") != value
        }
        if not differing:
            return present
        self.note(what, {key: present.get(key) for key in differing}, differing)
        if self.check_mode:
            return {**present, **differing}
        return _mapping(self.gl.http_put(f"{path}/{present['id']}", post_data=differing))

    def keep_staff(self, group: dict[str, Any]) -> list[str]:
        """Make the listed accounts members; return those that GitLab does not have."""
        if not self.params["staff"]:
            return []
        members = {}
        if "id" in group:
            listed = self.gl.http_list(f"/groups/{group['id']}/members", iterator=True)
            members = {member["username"].lower(): member for member in listed}
        missing = []
        for item in self.params["staff"]:
            name, level = item["username"], ACCESS[item["access"]]
            member = members.get(name.lower())
            if member and member["access_level"] == level:
                continue
            users = self.gl.http_list("/users", query_data={"username": name}, get_all=True)
            user = next(iter(users), None)
            if user is None:
                missing.append(name)
                continue
            was = member["access_level"] if member else None
            self.note(f"member {name}", was, level)
            if self.check_mode:
                continue
            path = f"/groups/{group['id']}/members"
            if member:
                self.gl.http_put(f"{path}/{member['id']}", post_data={"access_level": level})
            else:
                data = {"user_id": user["id"], "access_level": level}
                self.gl.http_post(path, post_data=data)
        return missing

    def note(self, what: str, before: Any, after: Any) -> None:
        """Record a difference for the result."""
        self.before[what] = before
        self.after[what] = after


def is_empty(project: dict[str, Any]) -> bool:
    """Return whether a project's repository has no commit yet."""
    return bool(project.get("empty_repo", True))


def _mapping(answer: Any) -> dict[str, Any]:
    """Return an answer that must be a JSON object, unlike the page of another service."""
    if not isinstance(answer, dict):
        raise TemplateError("What answers is not GitLab's API: check the address (gitlab_api_url).")
    return answer
