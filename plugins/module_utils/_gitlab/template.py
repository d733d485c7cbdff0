# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Manages a course's group in GitLab, its template project, and its staff.

This file is shared: module ``gitlab_template`` uses it as ``module_utils``, the server's command
``atelier-course`` as ``atelier.gitlab.template``. It depends on python-gitlab but not on Ansible.
"""

from __future__ import annotations

import contextlib
from typing import Any

with contextlib.suppress(ImportError):  # reported by connection.library_problem()
    from gitlab import exceptions as gle

from .calls import Calls, as_object, path_of

ACCESS = {"reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
VISIBILITY = ("private", "internal", "public")


class TemplateError(Exception):
    """The course's projects cannot be set up as wanted; the text says what to do."""


class CourseProjects:
    """Brings a course's group, projects and members to the wanted state.

    Args:
        calls: requests with an administrator's connection.
        params: the options of module ``gitlab_template``.
        check_mode: change nothing.
    """

    def __init__(self, calls: Calls, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.calls = calls
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Bring group, project and members to the wanted state; return the module's result."""
        name, path = self.params["group"], f"{self.params['group']}/{self.params['project']}"
        group = self.find("groups", name, with_projects=False)
        project = self.find("projects", path)
        wanted = {
            "description": self.params["description"],
            "visibility": self.params["visibility"],
        }
        of_group = {**wanted, "visibility": self.group_visibility}
        if group and self.lowers(group):
            # A group cannot be less visible than its projects: change the project first.
            project = self.ensure("project", "projects", path, project, wanted, {})
        group = self.ensure("group", "groups", name, group, of_group, {"name": name, "path": name})
        new = self.new_project(self.params["project"], group)
        project = self.ensure("project", "projects", path, project, wanted, new)
        projects = {self.params["project"]: project}
        for private in self.params["private_projects"]:
            projects[private] = self.ensure_private(private, group)
        missing = self.ensure_staff(group)
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

    def ensure_private(self, name: str, group: dict[str, Any]) -> dict[str, Any]:
        """Create or update a project that only the group's members can see."""
        path = f"{self.params['group']}/{name}"
        wanted = {"description": self.params["description"], "visibility": "private"}
        found = self.find("projects", path)
        new = self.new_project(name, group)
        return self.ensure(f"project {name}", "projects", path, found, wanted, new)

    @property
    def group_visibility(self) -> str:
        """Visibility of the group."""
        return str(self.params["group_visibility"] or self.params["visibility"])

    def lowers(self, group: dict[str, Any]) -> bool:
        """Return whether the group is to become less visible."""
        return VISIBILITY.index(group["visibility"]) > VISIBILITY.index(self.group_visibility)

    def find(self, kind: str, path: str, **query: Any) -> dict[str, Any]:
        """Return a group or project; empty if it does not exist.

        Args:
            kind: ``groups`` or ``projects``.
            path: its full path.

        Raises:
            TemplateError: its deletion is scheduled.
        """
        try:
            found = as_object(self.calls.get(path_of(kind, path), **query))
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

    def ensure(
        self,
        what: str,
        kind: str,
        path: str,
        present: dict[str, Any],
        wanted: dict[str, Any],
        new: dict[str, Any],
    ) -> dict[str, Any]:
        """Create a missing group or project, or update its differing attributes.

        Args:
            what: its name in the result.
            kind: ``groups`` or ``projects``.
            path: its full path.
            present: the object in GitLab; empty if it does not exist.
            wanted: attributes to set.
            new: attributes that only a new object gets.

        Returns:
            The object.
        """
        if not present:
            self.note(what, None, wanted)
            if self.check_mode:
                return dict(wanted)
            made, _new = self.calls.make(
                path_of(kind), {**new, **wanted}, lambda: self.find(kind, path) or None
            )
            return as_object(made)
        differing = {
            key: value for key, value in wanted.items() if (present.get(key) or "") != value
        }
        if not differing:
            return present
        self.note(what, {key: present.get(key) for key in differing}, differing)
        if self.check_mode:
            return {**present, **differing}
        return as_object(self.calls.put(path_of(kind, present["id"]), differing))

    def ensure_staff(self, group: dict[str, Any]) -> list[str]:
        """Make the listed accounts members; return those that GitLab does not have."""
        if not self.params["staff"]:
            return []
        members = {}
        if "id" in group:
            listed = self.calls.every(path_of("groups", group["id"], "members"))
            members = {member["username"].lower(): member for member in listed}
        missing = []
        for item in self.params["staff"]:
            name, level = item["username"], ACCESS[item["access"]]
            member = members.get(name.lower())
            if member and member["access_level"] == level:
                continue
            user = next(iter(self.calls.every("/users", username=name)), None)
            if user is None:
                missing.append(name)
                continue
            self.note(f"member {name}", member["access_level"] if member else None, level)
            if not self.check_mode:
                self.set_access(group["id"], user["id"], level, new=member is None)
        return missing

    def set_access(self, group_id: int, user_id: int, level: int, *, new: bool) -> None:
        """Make an account a member of the group, or change the member's access level."""
        members = path_of("groups", group_id, "members")
        member = members + path_of(user_id)
        if new:
            data = {"user_id": user_id, "access_level": level}
            self.calls.make(members, data, lambda: self.calls.find(member))
        else:
            self.calls.put(member, {"access_level": level})

    def note(self, what: str, before: Any, after: Any) -> None:
        """Record a difference for the result."""
        self.before[what] = before
        self.after[what] = after


def is_empty(project: dict[str, Any]) -> bool:
    """Return whether a project's repository has no commit yet."""
    return bool(project.get("empty_repo", True))
