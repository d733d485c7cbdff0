"""GitLab beside the small site: the stand-in, its settings, the template of a course."""

from __future__ import annotations

from pathlib import Path

import gitlab
from gitlab_standin import testing

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


OAUTH = """
external_url '{url}'
gitlab_rails['omniauth_enabled'] = true
gitlab_rails['omniauth_allow_single_sign_on'] = ['oauth2_generic']
gitlab_rails['omniauth_block_auto_created_users'] = false
gitlab_rails['omniauth_auto_sign_in_with_provider'] = 'oauth2_generic'
gitlab_rails['omniauth_providers'] = [{{
  name: 'oauth2_generic',
  label: 'Atelier',
  app_id: 'service-gitlab',
  app_secret: '{secret}',
  args: {{
    client_options: {{
      site: '{hub}',
      authorize_url: '/hub/api/oauth2/authorize',
      token_url: '/hub/api/oauth2/token',
      user_info_url: '/hub/api/user',
      auth_scheme: 'request_body'
    }},
    user_response_structure: {{
      root_path: [],
      id_path: ['name'],
      attributes: {{ nickname: 'name', name: ['user_info', 'name'], email: ['user_info', 'email'] }}
    }},
    pkce: true
  }}
}}]
"""


def gitlab_rb(site: Site) -> str:
    """GitLab's settings beside a site: its address, and the hub that signs people in."""
    return OAUTH.format(
        url=site.gitlab_url, hub=site.hub_url, secret=site.secrets["oauth_client_secret"]
    )


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
