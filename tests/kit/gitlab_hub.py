"""A real JupyterHub as the OAuth provider, and a browser that submits what a page would."""

import html
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from gitlab_standin.testing import free_port

from kit import fork_server
from kit.gitlab_settings import sign_in_by_hub
from kit.site import IMPORTED

STARTED_WITHIN_SECONDS = 60

CONFIG = """
from jupyterhub.auth import DummyAuthenticator
from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    # The hub is asked directly: only sign-in matters here.
    should_start = False

    async def add_route(self, routespec, target, data):
        pass

    async def delete_route(self, routespec):
        pass

    async def get_all_routes(self):
        return {{}}


def fill(authenticator, handler, authentication):
    name = authentication["name"]
    authentication["user_info"] = {{"name": f"Learner {{name}}", "email": f"{{name}}@example.org"}}
    return authentication


c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.authenticator_class = DummyAuthenticator
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.Authenticator.allow_all = True
c.Authenticator.post_auth_hook = fill
c.DummyAuthenticator.password = "a password of the hub"
c.JupyterHub.services = [
    {{
        "name": "gitlab",
        "oauth_client_id": "service-gitlab",
        "api_token": "{secret}",
        "oauth_redirect_uri": "{gitlab}/users/auth/oauth2_generic/callback",
        "oauth_no_confirm": True,
    }}
]
c.JupyterHub.load_roles = [{{"name": "user", "scopes": ["self", "access:services!service=gitlab"]}}]
"""


@dataclass
class Hub:
    """A running hub and what GitLab needs to know of it."""

    url: str
    secret: str
    gitlab_url: str
    gitlab_port: int

    def gitlab_rb(self) -> str:
        """The GitLab settings that fit this hub."""
        return sign_in_by_hub(self.gitlab_url, self.url, self.secret, "the course")


@contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """Start a hub; ports for it and for the GitLab to come are chosen here."""
    folder.mkdir(parents=True)
    port, gitlab_port, secret = free_port(), free_port(), secrets.token_hex(32)
    gitlab_url = f"http://127.0.0.1:{gitlab_port}"
    config = folder / "jupyterhub_config.py"
    config.write_text(CONFIG.format(port=port, secret=secret, gitlab=gitlab_url))
    with (folder / "output.log").open("wb") as log:
        process = fork_server.fork(
            fork_server.of(*IMPORTED),
            ["jupyterhub", "-f", str(config)],
            cwd=folder,
            env={k: v for k, v in os.environ.items() if not k.startswith("JUPYTERHUB_")},
            output=log,
        )
    # Another host name than GitLab's, so that cookies stay apart as they do on a real site.
    hub = Hub(f"http://localhost:{port}", secret, gitlab_url, gitlab_port)
    try:
        deadline = time.monotonic() + STARTED_WITHIN_SECONDS
        while True:
            assert process.poll() is None, (folder / "output.log").read_text()
            assert time.monotonic() < deadline, (folder / "output.log").read_text()
            try:
                if httpx.get(f"{hub.url}/hub/health", timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield hub
    finally:
        process.terminate()
        process.wait(20)


class Browser:
    """Follows redirects, keeps cookies, and submits the form of a page that submits itself."""

    def __init__(self, gitlab_url: str) -> None:
        self.gitlab_url = gitlab_url
        self.client = httpx.Client(follow_redirects=True, timeout=30, trust_env=False)

    def open(self, path: str) -> httpx.Response:
        """A page of GitLab, at the end of whatever sign-in comes between."""
        page = self.client.get(self.gitlab_url + path)
        while 'id="auto-sign-in"' in page.text:
            page = self.submit(page, "auto-sign-in")
        return page

    def submit(self, page: httpx.Response, form_id: str = "", **fields: str) -> httpx.Response:
        """Send a page's form: the one with this id, else the first in the main part."""
        main = page.text[page.text.index("<main") :]
        where = main.index(f'id="{form_id}"') if form_id else main.index("<form")
        form = main[main.rindex("<form", 0, where + 5) :]
        form = form[: form.index("</form>")]
        action = re.search(r'action="([^"]+)"', form)
        assert action is not None
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        return self.client.post(
            str(page.url.join(html.unescape(action[1]))), data={**hidden, **fields}
        )

    def sign_in_to_hub(self, hub: Hub, name: str) -> None:
        """Sign in where the launch would have done it."""
        page = self.client.get(f"{hub.url}/hub/login")
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert xsrf is not None
        data = {"username": name, "password": "a password of the hub", "_xsrf": xsrf[1]}
        answer = self.client.post(f"{hub.url}/hub/login", data=data, follow_redirects=False)
        assert answer.status_code == 302, answer.text

    def who(self) -> str | None:
        """Whose session this is, as GitLab's pages say."""
        page = self.client.get(f"{self.gitlab_url}/help")
        found = re.search(r'data-username="([^"]+)"', page.text)
        return found[1] if found else None

    def sign_out_of_hub(self, hub: Hub) -> None:
        """The next person takes the seat."""
        self.client.get(f"{hub.url}/hub/logout")

    def csrf_token(self) -> str:
        """The token that this session's forms carry."""
        page = self.client.get(f"{self.gitlab_url}/help")
        return page.text.split('name="csrf-token" content="')[1].split('"')[0]

    def forget_gitlab(self) -> None:
        """What the launch does before GitLab: its cookie is cleared."""
        for cookie in list(self.client.cookies.jar):
            if cookie.name == "_gitlab_session":
                self.client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
