"""The page *My GitLab access*, behind the hub's OAuth, with the stand-in and real git."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from gitlab_standin.mailbox import Mailbox, mailbox
from integration.atelier.test_desk import git
from kit.gitlab_beside import GitLabBeside
from kit.gitlab_hub import Browser
from kit.platform11 import Visitor
from kit.site import Site

PAGE = "/services/desk/"


@pytest.fixture
def site(gitlab: GitLabBeside) -> Site:
    return gitlab.site


@pytest.fixture
def visitor(site: Site) -> Iterator[Visitor]:
    """A learner whose space is ready."""
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as one:
        answer = one.launch(target="gitlab")
        assert answer.status_code == 302, answer.text
        yield one


def see(visitor: Visitor, path: str = PAGE) -> httpx.Response:
    """Open a page of the desk as a browser does: through the hub when needed."""
    return visitor.follow(visitor.get(path))


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def send(visitor: Visitor, path: str, **fields: Any) -> httpx.Response:
    """Send a form of the page as it is now; redirects are followed."""
    fields = {"csrf": csrf(see(visitor)), **fields}
    headers = {"Sec-Fetch-Dest": "document", **fields.pop("headers", {})}
    answer = visitor.browser.post(f"{visitor.hub_url}{PAGE}{path}", data=fields, headers=headers)
    return visitor.follow(answer)


def make(visitor: Visitor, label: str = "my laptop", days: int = 30) -> str:
    """Make a token, and return it."""
    page = send(visitor, "tokens", label=label, days=days)
    found = re.search(r'<code id="token">([^<]+)</code>', page.text)
    assert found, page.text
    return html.unescape(found[1])


def tokens(gitlab: GitLabBeside, visitor: Visitor) -> list[Any]:
    (user,) = gitlab.api.users.list(username=visitor.username, get_all=True)
    return list(gitlab.api.personal_access_tokens.list(user_id=user.id, get_all=True))


def test_the_page_leads_into_gitlab_without_the_course(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    del gitlab
    home = visitor.get("/hub/home").text
    assert 'id="access" href="/services/desk/"' in home
    page = see(visitor)
    assert page.status_code == 200
    assert '<html lang="fr">' in page.text  # the launch's language, not the browser's
    for shown in (site.gitlab_url, visitor.username, "Le cours demo"):
        assert shown in page.text
    assert f"{visitor.username}@127.0.0.1" in page.text  # the clone command names who clones
    assert 'id="no-address"' in page.text
    assert "ada@campus.example" not in page.text
    english = see(visitor, f"{PAGE}?lang=en").text
    assert "My GitLab access" in english
    assert "My GitLab access" in see(visitor).text, "the choice is kept"


def test_a_token_clones_and_pushes_is_shown_once_and_can_be_revoked(
    gitlab: GitLabBeside, site: Site, visitor: Visitor, tmp_path: Path
) -> None:
    token = make(visitor, days=30)
    (made,) = tokens(gitlab, visitor)
    assert made.name == "Atelier: my laptop"
    assert set(made.scopes) == {"read_repository", "write_repository"}
    today = datetime.now(UTC).date()
    assert date.fromisoformat(made.expires_at) == today + timedelta(days=31)
    page = see(visitor).text
    assert token not in page
    assert "my laptop" in page
    assert (today + timedelta(days=30)).isoformat() in page
    command = re.search(r"git clone ([^\s<]+)", page)
    assert command
    credential = {"username": visitor.username, "password": token}
    done = git("clone", command[1], "mine", credential=credential, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    clone = tmp_path / "mine"
    for words in (["commit", "--allow-empty", "-m", "From home"], ["push"]):
        done = git(*words, credential=credential, cwd=clone)
        assert done.returncode == 0, done.stderr
    send(visitor, "tokens/revoke", id=made.id)
    assert git("ls-remote", command[1], credential=credential, cwd=tmp_path).returncode != 0
    assert "my laptop" not in see(visitor).text
    assert token not in site.log("desk") + site.log("hub") + site.log("proxy")


def test_what_cannot_be_made_is_said_and_not_made(gitlab: GitLabBeside, visitor: Visitor) -> None:
    see(visitor, f"{PAGE}?lang=en")
    make(visitor)
    for fields, said in (
        ({"label": "", "days": 30}, "a name of 1 to 60"),
        ({"label": "x" * 61, "days": 30}, "a name of 1 to 60"),
        ({"label": "other", "days": 365}, "one of the lifetimes"),
        ({"label": "other", "days": "9" * 40}, "one of the lifetimes"),
        ({"label": "my laptop", "days": 30}, "already has that name"),
    ):
        answer = send(visitor, "tokens", **fields)
        assert answer.status_code in (400, 409)
        assert said in answer.text
    for number in range(9):
        make(visitor, f"number {number}")
    answer = send(visitor, "tokens", label="one more", days=7)
    assert answer.status_code == 409
    assert "ten tokens" in answer.text
    assert len(tokens(gitlab, visitor)) == 10


def test_nobody_revokes_another_learner_s_token(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    make(visitor)
    (made,) = tokens(gitlab, visitor)
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as other:
        other.launch(target="gitlab")
        assert send(other, "tokens/revoke", id=made.id).status_code == 404
        assert send(other, "tokens/revoke", id="1 or 1").status_code == 400
    (still,) = tokens(gitlab, visitor)
    assert still.active


def test_a_form_comes_from_a_page_of_the_learner_s_own(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as other:
        other.launch(target="gitlab")
        stolen = csrf(see(other))
    for bad in (
        {"csrf": stolen},
        {"csrf": ""},
        {"csrf": "é"},
        {"headers": {"Origin": "https://elsewhere.example"}},
        {"headers": {"Origin": ""}},
        {"headers": {"Sec-Fetch-Site": "same-site"}},
        {"headers": {"Sec-Fetch-Dest": "empty"}},
    ):
        assert send(visitor, "tokens", label="x", days=7, **bad).status_code == 403
    with httpx.Client(trust_env=False) as stranger:
        answer = stranger.post(f"{site.hub_url}{PAGE}tokens", data={"label": "x", "days": "7"})
        assert answer.status_code == 403
    assert not tokens(gitlab, visitor)


def test_the_page_is_closed_to_scripts_and_strange_frames(visitor: Visitor) -> None:
    page = see(visitor)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors" in policy
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?! src=)|<style| on\w+=| style=", page.text)
    for asset in re.findall(r'(?:src|href)="(/services/desk/static/[^"]+)"', page.text):
        assert visitor.get(asset).status_code == 200
    assert visitor.get("/services/desk/static/..%2fsettings.py").status_code == 404


def test_the_sign_in_holds_with_the_hub_s_and_ends_with_it(site: Site, visitor: Visitor) -> None:
    assert visitor.username in see(visitor).text
    # Another learner launches in the same browser: the page is theirs, at once.
    with Visitor(site.hub_url, site.consumer_secret, secrets.token_hex(8)) as other:
        other.browser.cookies = visitor.browser.cookies
        other.launch(target="gitlab")
        page = see(other).text
        assert other.username in page
        assert visitor.username not in page
        other.browser.post(f"{site.hub_url}/hub/logout", data={"_xsrf": other.xsrf()})
        answer = other.browser.get(f"{site.hub_url}{PAGE}")
        assert answer.is_redirect
        assert other.username not in other.follow(answer).text


def test_a_code_or_state_of_somebody_else_s_signs_nobody_in(site: Site, visitor: Visitor) -> None:
    begun = visitor.get(PAGE)
    cookies = begun.headers.get_list("set-cookie")
    assert any("HttpOnly" in one and "atelier-desk" in one for one in cookies)
    asked = visitor.browser.get(f"{site.hub_url}{begun.headers['location']}")
    back = asked.headers["location"]
    assert "code=" in back
    with httpx.Client(trust_env=False) as attacker:
        assert attacker.get(back).status_code == 403
    assert visitor.browser.get(back).is_redirect
    assert visitor.browser.get(back).status_code == 403, "a state is good once"
    for query in ("", "?state=x&code=y", "?state=&code=y", "?state=%C3%A9&code=y"):
        answer = visitor.get(f"/services/desk/oauth_callback{query}")
        assert answer.status_code == 403
        assert "location" not in answer.headers


def test_learners_with_a_real_address_get_gitlab_s_mail_where_it_sends_any(
    gitlab: GitLabBeside, site: Site, visitor: Visitor
) -> None:
    (user,) = gitlab.api.users.list(username=visitor.username, get_all=True)
    user.email = f"{visitor.username}@campus.example.org"
    user.skip_reconfirmation = True
    user.save()
    page = see(visitor).text
    assert 'id="no-mail"' in page
    assert user.email in page
    site.write_settings(site={"gitlab_mail": True, "gitlab_session_paths": True})
    site.stop("desk")
    site.start_desk()
    try:
        page = see(visitor).text
    finally:
        site.write_settings()
        site.stop("desk")
        site.start_desk()
    assert f'href="{site.gitlab_url}/-/atelier/enter?to=/users/password/new"' in page
    assert f'href="{site.gitlab_url}/users/sign_in?auto_sign_in=false"' in page


@contextmanager
def sending_mail(gitlab: GitLabBeside, site: Site) -> Iterator[Mailbox]:
    """GitLab sends mail, and the desk knows."""

    def again(rb: str, **settings: Any) -> None:
        gitlab.stop()
        gitlab.more_rb = rb
        gitlab.start()
        site.write_settings(site=settings)
        site.stop("desk")
        site.start_desk()

    with mailbox() as box:
        again(box.gitlab_rb, gitlab_mail=True, gitlab_session_paths=False)
        try:
            yield box
        finally:
            again("")


def test_the_page_leads_to_gitlab_s_mail_and_the_mail_to_a_password(
    gitlab: GitLabBeside, site: Site, visitor: Visitor, tmp_path: Path
) -> None:
    (user,) = gitlab.api.users.list(username=visitor.username, get_all=True)
    user.email = f"{visitor.username}@campus.example.org"
    user.skip_reconfirmation = True
    user.save()
    chosen = "chosen-Myself-22"
    with sending_mail(gitlab, site) as box:
        page = see(visitor).text
        form = re.search(r'id="password-mail" href="([^"]+)"', page)
        sign_in = re.search(r'id="sign-in" href="([^"]+)"', page)
        assert form
        assert sign_in
        # At home, in a browser that neither the hub nor GitLab knows.
        home = Browser(site.gitlab_url)
        asked = home.open(html.unescape(form[1]).removeprefix(site.gitlab_url))
        home.submit(asked, **{"user[email]": user.email})
        mail = box.next()
        assert mail["To"] == user.email
        link = re.search(r"http\S+reset_password_token=\S+", mail.get_content())
        assert link
        choosing = home.open(link[0].removeprefix(site.gitlab_url))
        new = {"user[password]": chosen, "user[password_confirmation]": chosen}
        home.submit(choosing, **new)
        entering = home.open(html.unescape(sign_in[1]).removeprefix(site.gitlab_url))
        inside = home.submit(
            entering, **{"user[login]": visitor.username, "user[password]": chosen}
        )
        assert inside.url.path == "/"
        # The tokens of clones work beside a password of one's own.
        token = make(visitor)
        clone = re.search(r"git clone ([^\s<]+)", page)
        assert clone
        credential = {"username": visitor.username, "password": token}
        done = git("clone", clone[1], "mine", credential=credential, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_gitlab_that_is_away_is_said(gitlab: GitLabBeside, visitor: Visitor) -> None:
    see(visitor, f"{PAGE}?lang=en")
    gitlab.stop()
    try:
        page = see(visitor)
        assert page.status_code == 503
        assert "GitLab does not answer" in page.text
    finally:
        gitlab.start()
