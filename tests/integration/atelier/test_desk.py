"""The desk at work between hub and GitLab: spaces, git credentials, and GitLab's bad days."""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from atelier.identity import username
from kit.gitlab_beside import GitLabBeside
from kit.platform11 import Visitor
from kit.site import Site, until


@pytest.fixture
def site(gitlab: GitLabBeside) -> Site:
    return gitlab.site


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as one:
        yield one


def ask_space(site: Site, user_id: str, **values: Any) -> httpx.Response:
    """Ask the desk for a space as the hub does."""
    name = username("campus", user_id)
    body = {"username": name, "name": "Ada", "email": f"{name}@users.noreply.campus.example"}
    wait = values.pop("wait", 0)
    token = values.pop("token", site.secrets["desk_api_token"])
    return httpx.post(
        f"{site.desk_api}/spaces",
        params={"wait": wait},
        json={**body, "course": "demo", **values},
        headers={"Authorization": f"token {token}"} if token else {},
        trust_env=False,
        timeout=60,
    )


def server_token(visitor: Visitor) -> str:
    """The token the hub gave to a learner's server, as that server sees it."""
    told = visitor.get(f"/user/{visitor.username}/demo/environment").json()
    token: str = told["JUPYTERHUB_API_TOKEN"]
    return token


def ask_credential(site: Site, token: str, wait: float = 0, **values: Any) -> httpx.Response:
    return httpx.post(
        f"{site.desk_api}/git-credential",
        params={"wait": wait},
        json={"course": "demo", **values},
        headers={"Authorization": f"token {token}"},
        trust_env=False,
        timeout=30,
    )


def git(*arguments: str, credential: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Git with a credential, as the helper in the course image gives it."""
    answer = f"echo username={credential['username']}; echo password={credential['password']}"
    helper = f"!f() {{ {answer}; }}; f"
    return subprocess.run(
        ["git", "-c", "credential.helper=", "-c", f"credential.helper={helper}", *arguments],
        cwd=cwd,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(cwd),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@campus.example",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@campus.example",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def stop_server(site: Site, visitor: Visitor) -> None:
    """The learner stops their server from a page."""
    token = visitor.browser.cookies.get("_xsrf", path="/hub/")
    answer = visitor.browser.delete(
        f"{site.hub_url}/hub/api/users/{visitor.username}/servers/demo",
        headers={"X-XSRFToken": str(token)},
    )
    assert answer.status_code in (202, 204), answer.text


def test_a_click_leads_to_the_fork(gitlab: GitLabBeside, site: Site, visitor: Visitor) -> None:
    answer = visitor.launch(target="gitlab", path="notebooks/pi & co.ipynb")
    entry = f"{site.gitlab_url}/-/atelier/enter?to=/{visitor.username}/demo"
    assert answer.headers["location"] == f"{entry}/-/blob/main/notebooks/pi%20%26%20co.ipynb"
    assert gitlab.forks_of(visitor.username) == [f"{visitor.username}/demo"]
    again = visitor.launch(target="gitlab")
    assert again.headers["location"] == entry


def test_the_waiting_page_says_what_happens(site: Site, visitor: Visitor) -> None:
    answer = visitor.post(visitor.form(target="gitlab"))
    poll = visitor.get(answer.headers["location"] + "&format=json").json()
    assert poll["state"] in ("preparing", "ready")
    assert poll["step"]
    location = until(
        lambda: visitor.get(answer.headers["location"] + "&format=json").json()["location"],
        "there is somewhere to go",
    )
    assert location.startswith(f"{site.gitlab_url}/-/atelier/enter?to=/{visitor.username}/demo")


def test_ten_clicks_at_once_make_one_account_one_fork_one_server(
    gitlab: GitLabBeside, site: Site
) -> None:
    user_id = secrets.token_hex(8)
    visitors = [Visitor(site.hub_url, site.consumer_secret, user_id) for _ in range(10)]
    targets = ["notebook", "gitlab"] * 5
    with ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(lambda v, t: v.launch(target=t), visitors, targets))
    assert {page.status_code for page in pages[0::2]} == {200}
    assert {page.status_code for page in pages[1::2]} == {302}
    name = visitors[0].username
    assert gitlab.forks_of(name) == [f"{name}/demo"]
    assert site.starts().count(f"{name}/demo") == 1


def test_a_learner_s_server_clones_and_pushes_and_reaches_nobody_else_s_work(
    site: Site, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.launch()
    other = username("campus", "somebody else")
    assert ask_space(site, "somebody else", wait=30).status_code == 200
    answer = ask_credential(site, server_token(visitor))
    assert answer.status_code == 200
    credential = answer.json()
    dies = datetime.fromisoformat(credential["expires_at"])
    assert timedelta(hours=24) <= dies - datetime.now(UTC) <= timedelta(hours=48)
    project = f"{site.gitlab_url}/{visitor.username}/demo.git"
    done = git("clone", project, "demo", credential=credential, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    clone = tmp_path / "demo"
    (clone / "mine.txt").write_text("mine\n")
    for command in (["add", "mine.txt"], ["commit", "-m", "Mine"], ["push", "origin", "main"]):
        done = git(*command, credential=credential, cwd=clone)
        assert done.returncode == 0, done.stderr
    stranger = f"{site.gitlab_url}/{other}/demo.git"
    assert git("ls-remote", stranger, credential=credential, cwd=tmp_path).returncode != 0
    api = httpx.get(
        f"{site.gitlab_url}/api/v4/user",
        headers={"PRIVATE-TOKEN": credential["password"]},
        trust_env=False,
    )
    assert api.status_code in (401, 403), "good for git only"


def test_a_credential_is_kept_while_the_server_runs_and_dies_with_it(
    gitlab: GitLabBeside, site: Site, visitor: Visitor, tmp_path: Path
) -> None:
    visitor.launch()
    token = server_token(visitor)
    first, second = (ask_credential(site, token).json() for _ in range(2))
    assert first == second
    fresh = ask_credential(site, token, fresh=True).json()
    assert fresh["password"] != first["password"]
    assert gitlab.live_tokens(visitor.username) == ["atelier demo notebook"]
    stop_server(site, visitor)
    until(lambda: not gitlab.live_tokens(visitor.username), "the credential is revoked")
    project = f"{site.gitlab_url}/{visitor.username}/demo.git"
    assert git("ls-remote", project, credential=fresh, cwd=tmp_path).returncode != 0
    assert ask_credential(site, token).status_code == 403, "the server's token is dead too"


def test_a_restarted_desk_leaves_no_credential_behind(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    visitor.launch()
    token = server_token(visitor)
    first = ask_credential(site, token).json()
    site.stop("desk", signal.SIGKILL)
    site.start_desk()
    second = ask_credential(site, token).json()
    assert second["password"] != first["password"]
    assert len(gitlab.live_tokens(visitor.username)) == 1
    site.stop("desk", signal.SIGKILL)
    site.start_desk()
    stop_server(site, visitor)
    until(lambda: not gitlab.live_tokens(visitor.username), "revoked by a desk that forgot it")


def test_a_server_stopped_while_there_is_no_desk_leaves_no_credential(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    visitor.launch()
    assert ask_credential(site, server_token(visitor)).status_code == 200
    site.stop("desk", signal.SIGKILL)
    stop_server(site, visitor)
    site.start_desk()
    until(lambda: not gitlab.live_tokens(visitor.username), "the next desk takes it back")


def test_a_server_s_token_gets_nothing_from_elsewhere(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    visitor.launch()
    token = server_token(visitor)

    def from_elsewhere() -> httpx.Response:
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(transport=elsewhere, timeout=30) as thief:
            return thief.post(
                f"{site.desk_api}/git-credential",
                json={"course": "demo", "fresh": True},
                headers={"Authorization": f"token {token}"},
            )

    for when in ("before the server itself asked", "after it"):
        refused = from_elsewhere()
        assert refused.status_code == 403, when
        assert "elsewhere" in refused.json()["reason"]
        assert ask_credential(site, token).status_code == 200
    site.stop("hub")  # the next one knows where the server is
    site.start_hub()
    assert from_elsewhere().status_code == 403
    assert ask_credential(site, token).status_code == 200
    assert len(gitlab.live_tokens(visitor.username)) == 1


def test_only_a_server_s_own_token_gets_a_credential(site: Site, visitor: Visitor) -> None:
    visitor.launch()
    token = server_token(visitor)
    assert ask_credential(site, token, course="other").status_code == 403
    assert ask_credential(site, "nonsense").status_code == 403
    assert ask_credential(site, site.secrets["desk_api_token"]).status_code == 403
    xsrf = visitor.browser.cookies.get("_xsrf", path="/hub/")
    made = visitor.browser.post(
        f"{site.hub_url}/hub/api/users/{visitor.username}/tokens",
        json={"note": "made by the learner"},
        headers={"X-XSRFToken": str(xsrf)},
    )
    assert made.status_code == 403, made.text


def test_no_credential_leaves_by_the_hub_s_proxy(site: Site, visitor: Visitor) -> None:
    """A server's token that was carried elsewhere: what it got would outlive the server."""
    visitor.launch()
    token = server_token(visitor)
    assert ask_credential(site, token).status_code == 200
    answer = httpx.post(
        f"{site.hub_url}/services/desk/api/git-credential",
        json={"course": "demo"},
        headers={"Authorization": f"token {token}"},
        trust_env=False,
    )
    assert answer.status_code == 403
    assert "password" not in answer.json()


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"token": ""}, 401),
        ({"token": "nonsense"}, 403),
        ({"username": "root"}, 400),
        ({"course": "nowhere"}, 404),
        ({"name": ""}, 400),
        ({"name": "x\ny"}, 400),
        ({"email": 3}, 400),
        ({"name": "x" * 20_000}, 413),
        ({"wait": "soon"}, 400),
        ({"wait": "nan"}, 202),
    ],
)
def test_the_api_answers_nonsense_with_a_reason(
    site: Site, values: dict[str, Any], status: int
) -> None:
    answer = ask_space(site, secrets.token_hex(8), **values)
    assert answer.status_code == status
    assert answer.json().get("reason") or status == 202


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 15_000])
def test_what_is_not_an_object_is_told(site: Site, body: bytes) -> None:
    answer = httpx.post(
        f"{site.desk_api}/git-credential",
        content=body,
        headers={"Authorization": "token nonsense"},
        trust_env=False,
    )
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith("not ")


def test_health_is_seen_through_the_hub_s_proxy(site: Site) -> None:
    answer = httpx.get(f"{site.hub_url}/services/desk/api/health", trust_env=False)
    assert answer.json() == {"status": "ok", "gitlab": True}


def test_gitlab_goes_away_and_comes_back(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    gitlab.stop()
    try:
        began = time.monotonic()
        assert visitor.launch().json()["visitor"] == visitor.username
        assert time.monotonic() - began < 20, "nobody waits for a GitLab that is not there"
        token = server_token(visitor)
        answer = ask_credential(site, token)
        assert answer.status_code == 503
        assert "GitLab" in answer.json()["reason"]
        page = visitor.launch(target="gitlab")
        assert page.status_code == 503
        assert "GitLab ne répond pas" in page.text
        began = time.monotonic()
        assert ask_space(site, visitor.user_id, wait=20).status_code == 503
        assert time.monotonic() - began < 15, "nobody waits for a GitLab that is not there"
        # The wish outlives the desk.
        site.stop("desk", signal.SIGKILL)
        site.start_desk()
    finally:
        gitlab.start()
    until(lambda: gitlab.forks_of(visitor.username), "the space is made with nobody asking again")
    assert visitor.launch(target="gitlab").status_code == 302


def test_a_server_starts_while_the_space_is_made_and_its_credential_waits_for_it(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    assert gitlab.running is not None
    gitlab.running.process.send_signal(signal.SIGSTOP)
    try:
        assert visitor.launch().json()["visitor"] == visitor.username
        told = visitor.get(f"/user/{visitor.username}/demo/environment").json()
        assert told["ATELIER_SPACE"] == "preparing"
        token = told["JUPYTERHUB_API_TOKEN"]
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask_credential, site, token, wait=20)
            time.sleep(0.5)
            assert not asked.done()
            gitlab.running.process.send_signal(signal.SIGCONT)
            credential = asked.result()
    finally:
        gitlab.running.process.send_signal(signal.SIGCONT)
    assert credential.status_code == 200, credential.text
    assert gitlab.forks_of(visitor.username) == [f"{visitor.username}/demo"]


def test_a_server_stopped_while_gitlab_is_away_leaves_no_credential(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    visitor.launch()
    assert ask_credential(site, server_token(visitor)).status_code == 200
    gitlab.stop()
    try:
        stop_server(site, visitor)
        until(lambda: f"revocation user={visitor.username}" in site.log("desk"), "it was tried")
        site.stop("desk", signal.SIGKILL)
        site.start_desk()
    finally:
        gitlab.start()
    until(lambda: not gitlab.live_tokens(visitor.username), "revoked once GitLab is back")


def test_without_a_token_the_desk_says_so(site: Site, visitor: Visitor) -> None:
    path = site.root / "secrets" / "gitlab_admin_token"
    token = path.read_text()
    path.unlink()
    try:
        answer = ask_space(site, visitor.user_id, wait=5)
        assert answer.status_code == 503
        assert answer.json()["state"] == "unavailable"
    finally:
        path.write_text(token)
    until(lambda: ask_space(site, visitor.user_id, wait=5).status_code == 200, "it is made now")


def test_no_token_is_in_the_logs(gitlab: GitLabBeside, site: Site, visitor: Visitor) -> None:
    visitor.launch()
    credential = ask_credential(site, server_token(visitor)).json()
    said = site.log("hub") + site.log("desk") + site.log("proxy")
    for secret in (*site.secrets.values(), gitlab.token, credential["password"]):
        assert secret not in said
    assert "glpat-" not in said.replace("glpat-[hidden]", "")
