"""GitLab's stand-in behind nginx, under a host name of its own."""

from __future__ import annotations

from kit.framed_site import FramedSite
from kit.gitlab_beside import GitLabBeside


class GitLabBehind(GitLabBeside):
    """The stand-in behind the same nginx: browsers see https and its own host name.

    It reaches the hub inside the machine, where these names lead nowhere.
    """

    site: FramedSite

    def settings(self) -> str:
        """Its ``gitlab.rb``: the role's own way of leaving TLS to nginx."""
        web = self.site.web
        return (
            super()
            .settings()
            .replace(
                f"external_url '{self.site.gitlab_url}'",
                f"external_url '{web.gitlab_url}'\n"
                "nginx['listen_https'] = false\n"
                f"nginx['listen_port'] = {self.port}\n",
            )
            .replace("authorize_url: '/hub", f"authorize_url: '{web.hub_url}/hub")
        )
