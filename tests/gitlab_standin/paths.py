"""Where things are: the same folders as in the real image, below a root of one's choice."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Folders and files below ``root`` (``/`` in the image, a temporary folder in tests)."""

    root: Path

    @property
    def etc(self) -> Path:
        """Configuration: what Omnibus keeps in /etc/gitlab."""
        return self.root / "etc/gitlab"

    @property
    def gitlab_rb(self) -> Path:
        """The configuration file."""
        return self.etc / "gitlab.rb"

    @property
    def secrets(self) -> Path:
        """Keys generated at the first reconfigure."""
        return self.etc / "gitlab-secrets.json"

    @property
    def data(self) -> Path:
        """What must survive: /var/opt/gitlab."""
        return self.root / "var/opt/gitlab"

    @property
    def log(self) -> Path:
        """Logs: /var/log/gitlab."""
        return self.root / "var/log/gitlab"

    @property
    def database(self) -> Path:
        """SQLite, where GitLab has PostgreSQL."""
        return self.data / "postgresql/standin.sqlite"

    @property
    def repositories(self) -> Path:
        """Bare repositories, in GitLab's hashed layout."""
        return self.data / "git-data/repositories"

    @property
    def settings(self) -> Path:
        """What reconfigure made of gitlab.rb."""
        return self.data / "gitlab-rails/etc/gitlab.json"

    @property
    def ca_bundle(self) -> Path:
        """Authorities trusted in outgoing requests: the system's and /etc/gitlab/trusted-certs."""
        return self.data / "ssl/cacert.pem"

    @property
    def sidekiq_down(self) -> Path:
        """While this file exists background work waits (``gitlab-ctl stop sidekiq``)."""
        return self.data / "sidekiq/down"

    @property
    def run(self) -> Path:
        """Sockets and process ids."""
        return self.data / "run"
