"""GitLab beside the small site: the stand-in, its settings, the template of a course."""

from __future__ import annotations

from pathlib import Path

import gitlab
from gitlab_standin import testing

from kit.gitlab_settings import sign_in_by_hub
from kit.site import Site


def make_template(gl: gitlab.Gitlab, course: str = "demo") -> None:
    """Make a course's group and template project as the role does; readable by all who sign in."""
    group = gl.groups.create({"name": course, "path": course, "visibility": "internal"})
    gl.projects.create(
        {
            "name": "template",
            "namespace_id": group.id,
            "initialize_with_readme": True,
            "visibility": "internal",
        }
    )


def gitlab_rb(site: Site) -> str:
    """GitLab's settings beside a site: its address, and the hub that signs people in."""
    secret = site.secrets["oauth_client_secret"]
    return sign_in_by_hub(site.gitlab_url, site.hub_url, secret, "Atelier")


class GitLabBeside:
    """The stand-in beside a site: can be stopped and started again on the same port."""

    def __init__(self, root: Path, site: Site) -> None:
        self.root = root
        self.site = site
        self.port = int(site.gitlab_url.rsplit(":", 1)[1])
        self.running: testing.Standin | None = None
        self.token = ""
        self.more_rb = ""
        """Lines of gitlab.rb for the next start."""

    @property
    def api(self) -> gitlab.Gitlab:
        """A python-gitlab client of root."""
        assert self.running is not None
        return self.running.client(self.token)

    def settings(self) -> str:
        """Its ``gitlab.rb``."""
        return gitlab_rb(self.site)

    def start(self) -> None:
        """Start it; the first time with a root token for the desk and the course's template."""
        self.running = testing.start(self.root, self.port, self.settings() + self.more_rb)
        if not self.token:
            self.token = testing.make_root_token(self.running)
            (self.site.root / "secrets" / "gitlab_admin_token").write_text(self.token)
            make_template(self.api)

    def stop(self) -> None:
        """Stop it, as a machine that goes down."""
        if self.running is not None:
            self.running.kill()
            self.running = None

    def forks_of(self, username: str) -> list[str]:
        """Paths of a learner's projects."""
        users = self.api.users.list(username=username, get_all=True)
        assert len(users) <= 1
        found = [user.projects.list(get_all=True) for user in users]
        return [project.path_with_namespace for projects in found for project in projects]

    def live_tokens(self, username: str) -> list[str]:
        """Names of a learner's impersonation tokens that still work."""
        (user,) = self.api.users.list(username=username, get_all=True)
        user = self.api.users.get(user.id)
        tokens = user.impersonationtokens.list(state="active", get_all=True)
        return [token.name for token in tokens]
