"""GitLab's own mail for a password: how learners come to one without an administrator."""

import re
from collections.abc import Iterator
from pathlib import Path

import gitlab
import pytest
from gitlab_standin.mailbox import Mailbox, mailbox
from gitlab_standin.testing import (
    Standin,
    default_gitlab_rb,
    free_port,
    running_standin,
)
from kit.gitlab_hub import Browser

from .conftest import NewUser, git, token_of

CHOSEN = "chosen-Myself-22"


@pytest.fixture(scope="module")
def box() -> Iterator[Mailbox]:
    with mailbox() as running:
        yield running


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory, box: Mailbox) -> Iterator[Standin]:
    port = free_port()
    text = default_gitlab_rb(f"http://127.0.0.1:{port}") + box.gitlab_rb
    with running_standin(tmp_path_factory.mktemp("standin"), gitlab_rb_text=text, port=port) as one:
        yield one


def ask(standin: Standin, address: str) -> str:
    """Fill in the form; what the next page says."""
    browser = Browser(standin.url)
    page = browser.open("/users/sign_in")
    assert "/users/password/new" in page.text
    page = browser.open("/users/password/new")
    page = browser.submit(page, **{"user[email]": address})
    assert page.url.path == "/users/sign_in"
    return page.text


def link(box: Mailbox, address: str) -> str:
    """The link in the mail that this address gets."""
    mail = box.next()
    assert (mail["To"], mail["Subject"]) == (address, "Reset password instructions")
    found = re.search(r"http\S+reset_password_token=\S+", mail.get_content())
    assert found
    return found[0]


def choose(standin: Standin, address: str, again: str = CHOSEN) -> str:
    """Follow the mail's link and choose a password; what the next page says."""
    browser = Browser(standin.url)
    page = browser.open(address.removeprefix(standin.url))
    new = {"user[password]": CHOSEN, "user[password_confirmation]": again}
    return browser.submit(page, **new).text


def enters(standin: Standin, username: str) -> bool:
    browser = Browser(standin.url)
    page = browser.open("/users/sign_in")
    page = browser.submit(page, **{"user[login]": username, "user[password]": CHOSEN})
    return page.url.path == "/"


def test_the_mail_leads_to_a_password_of_ones_own(
    standin: Standin, box: Mailbox, new_user: NewUser
) -> None:
    user = new_user()
    assert "you will receive a password recovery link" in ask(standin, user.email.upper())
    address = link(box, user.email)
    assert "match Password" in choose(standin, address, again="something-Else-22")
    assert not enters(standin, user.username)
    assert "changed successfully" in choose(standin, address)
    assert enters(standin, user.username)
    used = Browser(standin.url).open(address.removeprefix(standin.url))
    assert used.url.path == "/users/password/new"
    assert "token has expired" in used.text


def test_who_asks_for_a_stranger_or_twice_reads_the_same_and_gets_no_mail(
    standin: Standin, box: Mailbox, new_user: NewUser
) -> None:
    user = new_user()
    known = ask(standin, user.email)
    link(box, user.email)
    said = "you will receive a password recovery link"
    assert said in known
    assert said in ask(standin, user.email)
    assert said in ask(standin, "nobody@example.org")
    later = new_user()
    ask(standin, later.email)
    link(box, later.email)  # the next mail after the first is this one
    assert box.empty


def test_an_administrators_password_stops_tokens_until_the_learner_has_chosen_one(
    standin: Standin, gl: gitlab.Gitlab, box: Mailbox, new_user: NewUser
) -> None:
    user = new_user()
    token = token_of(user, "write_repository")
    url = standin.git_url(f"{user.username}/mine", token)
    project = gl.users.get(user.id).projects.create({"name": "mine"})
    assert project.id
    assert git("ls-remote", url, check=False).returncode == 0
    gl.users.update(user.id, {"password": "given-by-Somebody-1"})
    assert git("ls-remote", url, check=False).returncode != 0
    ask(standin, user.email)
    choose(standin, link(box, user.email))
    assert git("ls-remote", url, check=False).returncode == 0


def test_who_is_signed_in_is_shown_no_form(standin: Standin) -> None:
    browser = Browser(standin.url)
    page = browser.open("/users/sign_in")
    browser.submit(page, **{"user[login]": "root", "user[password]": standin.root_password})
    assert browser.open("/users/password/new").url.path == "/"


def test_without_a_mail_server_nothing_breaks(tmp_path: Path) -> None:
    with running_standin(tmp_path) as silent:
        assert "password recovery link" in ask(silent, "admin@example.com")
