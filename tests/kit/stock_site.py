"""A stock JupyterHub whose door is jupyterhub-ltiauthenticator as it comes."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from kit.site import free_port, proxy_command, until

CONFIG = """
c = get_config()
c.JupyterHub.bind_url = {hub_url!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{api_port}"
c.JupyterHub.db_url = "sqlite:///{root}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{root}/cookie_secret"
c.JupyterHub.pid_file = "{root}/pid"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_api}"
c.ConfigurableHTTPProxy.pid_file = "{root}/proxy-pid"
c.JupyterHub.authenticator_class = "ltiauthenticator.lti11.auth.LTI11Authenticator"
c.LTI11Authenticator.consumers = {consumers!r}
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
"""


class StockHub:
    """Its address, its consumers' secrets, and its process."""

    def __init__(self, root: Path, **consumers: str) -> None:
        """Write its configuration.

        Args:
            root: an empty folder.
            consumers: secrets by consumer key; without any, one ``campus``.
        """
        self.root = root
        self.hub_url = f"http://127.0.0.1:{free_port()}"
        self.consumers = consumers or {"campus": secrets.token_hex(32)}
        self._process: subprocess.Popen[bytes] | None = None
        config = CONFIG.format(
            hub_url=self.hub_url,
            api_port=free_port(),
            proxy_api=free_port(),
            root=root,
            proxy=proxy_command(),
            consumers=self.consumers,
        )
        (root / "config.py").write_text(config)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", "config.py"],
                cwd=self.root, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._answers, "the stock hub answers", 60)

    def _answers(self) -> bool:
        return httpx.get(f"{self.hub_url}/hub/api/", trust_env=False).status_code == 200

    def stop(self) -> None:
        """Stop it, its proxy too."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)
            self._process = None
