"""Pages as a browser gets them."""

import json
import re
from collections.abc import Iterator

import gitlab
import httpx
import pytest
from gitlab.v4.objects import Project
from gitlab_standin.testing import Standin
from kit.gitlab_hub import Browser

from .conftest import NewUser

NASTY = "<script>alert(1)</script>"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def project(standin: Standin) -> Project:
    made = standin.gitlab.projects.create(
        {"name": "Pages", "path": "pages", "visibility": "private", "initialize_with_readme": True}
    )
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": ["# Title ", NASTY], "metadata": {}},
            {
                "cell_type": "code",
                "execution_count": 3,
                "source": "print(1 < 2)",
                "metadata": {},
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": ["True\n"]},
                    {"output_type": "display_data", "data": {"image/png": PIXEL}},
                    {"output_type": "execute_result", "data": {"text/html": NASTY}},
                    {"output_type": "display_data", "data": {"image/png": '"><script>'}},
                ],
            },
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    files = {
        "README.md": (
            f"# Hello\n\n[notes](docs/notes.md) ![p](img/p.png) {NASTY}\n\n"
            "[x](javascript:alert(1))\n"
        ),
        "docs/notes.md": "---\ntitle: T\n---\n[up](../README.md)\n\n|a|b|\n|-|-|\n|1|2|\n",
        "work.ipynb": json.dumps(notebook),
        "broken.ipynb": "{not json",
        "plain.txt": f"one\n{NASTY}\n",
        "page.html": NASTY,
        "été & co.txt": "x\n",
    }
    actions = [
        {
            "action": "update" if name == "README.md" else "create",
            "file_path": name,
            "content": text,
        }
        for name, text in files.items()
    ]
    made.commits.create({"branch": "main", "commit_message": f"Files {NASTY}", "actions": actions})
    assert isinstance(made, Project)
    return made


@pytest.fixture
def browser(standin: Standin) -> Iterator[Browser]:
    """Root, signed in with the password."""
    opened = Browser(standin.url)
    page = opened.client.get(f"{standin.url}/users/sign_in")
    answer = opened.submit(page, **{"user[login]": "root", "user[password]": standin.root_password})
    assert answer.status_code == 200
    assert opened.who() == "root"
    yield opened
    opened.client.close()


def test_every_page_says_what_this_is(standin: Standin, browser: Browser, project: Project) -> None:
    del project
    for path in ("/", "/root/pages", "/users/sign_in", "/explore", "/root", "/nothing/there"):
        assert "stand-in for GitLab" in browser.open(path).text, path
    assert "stand-in for GitLab" in httpx.get(f"{standin.url}/users/sign_in").text


def test_anonymous_visitors_are_asked_to_sign_in_and_come_back(
    standin: Standin, project: Project
) -> None:
    del project
    for path in ("/root/pages", "/no/such/project", "/root/pages/-/blob/main/plain.txt", "/"):
        answer = httpx.get(standin.url + path)
        assert (answer.status_code, answer.headers["location"]) == (
            302,
            f"{standin.url}/users/sign_in",
        )
    browser = Browser(standin.url)
    page = browser.open("/root/pages/-/blob/main/plain.txt?plain=1")
    assert "You need to sign in" in page.text
    page = browser.submit(page, **{"user[login]": "root", "user[password]": "wrong"})
    assert "Invalid login or password." in page.text
    page = browser.submit(page, **{"user[login]": "ROOT", "user[password]": standin.root_password})
    assert str(page.url).endswith("/root/pages/-/blob/main/plain.txt?plain=1")


def test_what_a_page_loads_besides_is_not_returned_to(standin: Standin, project: Project) -> None:
    del project
    browser = Browser(standin.url)
    page = browser.open("/root/pages/-/blob/main/plain.txt")
    assert browser.open("/favicon.ico").headers["content-type"] == "image/svg+xml"
    image = {"Accept": "image/avif,image/webp,*/*;q=0.8"}
    browser.client.get(f"{standin.url}/root/pages/-/raw/main/img/p.png", headers=image)
    page = browser.submit(page, **{"user[login]": "root", "user[password]": standin.root_password})
    assert page.url.path == "/root/pages/-/blob/main/plain.txt"


def test_who_has_no_access_sees_nothing(
    standin: Standin, project: Project, new_user: NewUser
) -> None:
    del project
    user = new_user(password="quite-Long-enough-7", force_random_password=False)
    browser = Browser(standin.url)
    page = browser.open("/users/sign_in")
    browser.submit(page, **{"user[login]": user.username, "user[password]": "quite-Long-enough-7"})
    for path in (
        "/root/pages",
        "/no/such",
        "/root/pages/-/raw/main/plain.txt",
        "/root/pages/-/edit/main/plain.txt",
    ):
        assert browser.open(path).status_code == 404, path


def test_session_cookie_and_frame_headers(standin: Standin) -> None:
    answer = httpx.get(f"{standin.url}/users/sign_in")
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(r"_gitlab_session=[\w-]+; Path=/; HttpOnly", cookie)
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "content-security-policy" not in answer.headers


def test_signing_in_renews_the_session(standin: Standin) -> None:
    browser = Browser(standin.url)
    page = browser.open("/users/sign_in")
    before = browser.client.cookies["_gitlab_session"]
    browser.submit(page, **{"user[login]": "root", "user[password]": standin.root_password})
    assert browser.client.cookies["_gitlab_session"] != before
    stale = httpx.get(f"{standin.url}/", cookies={"_gitlab_session": before})
    assert stale.status_code == 302


def test_the_project_page_shows_tree_and_readme(browser: Browser, project: Project) -> None:
    page = browser.open("/root/pages").text
    for name in ("README.md", "docs/", "work.ipynb", "été &amp; co.txt"):
        assert name in page
    assert "<h1>Hello</h1>" in page
    assert 'href="/root/pages/-/blob/main/docs/notes.md"' in page
    assert 'src="/root/pages/-/raw/main/img/p.png"' in page
    assert project.http_url_to_repo in page


def test_nothing_of_a_file_runs(browser: Browser, project: Project) -> None:
    del project
    pages = ["/root/pages", "/root/pages/-/commits/main", "/root/pages/-/blob/main/page.html"]
    pages += [f"/root/pages/-/blob/main/{n}" for n in ("README.md", "work.ipynb", "plain.txt")]
    for path in pages:
        text = browser.open(path).text
        assert "<script>alert" not in text, path
        assert 'href="javascript:' not in text, path
        assert '"><script>' not in text, path
    raw = browser.open("/root/pages/-/raw/main/page.html")
    assert raw.headers["content-type"].startswith("text/plain")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.text == NASTY


def test_a_notebook_is_rendered(browser: Browser, project: Project) -> None:
    del project
    page = browser.open("/root/pages/-/blob/main/work.ipynb").text
    assert "<h1>Title" in page
    assert "print(1 &lt; 2)" in page
    assert "[3]:" in page
    assert f"data:image/png;base64,{PIXEL}" in page
    source = browser.open("/root/pages/-/blob/main/work.ipynb?plain=1").text
    assert "&#34;cells&#34;" in source
    assert "{not json" in browser.open("/root/pages/-/blob/main/broken.ipynb").text


def test_history_commit_and_comparison(browser: Browser, project: Project) -> None:
    history = browser.open("/root/pages/-/commits/main/plain.txt").text
    assert "Files &lt;script&gt;" in history
    assert "Initial commit" not in history
    head, first = (project.commits.list()[n].id for n in (0, -1))
    commit = browser.open(f"/root/pages/-/commit/{head}").text
    assert "+one" in commit
    assert "plain.txt" in browser.open(f"/root/pages/-/compare/{first}...main").text
    assert browser.open("/root/pages/-/commit/" + "0" * 40).status_code == 404


def test_a_file_is_edited_in_the_browser(browser: Browser, project: Project) -> None:
    page = browser.open("/root/pages/-/edit/main/été & co.txt")
    assert page.status_code == 200
    other = browser.open("/root/pages/-/edit/main/été & co.txt")
    done = browser.submit(page, content="new\r\nlines\r\n", commit_message="Edit it")
    assert "successfully committed" in done.text
    assert project.files.raw("été & co.txt", ref="main") == b"new\nlines\n"
    last = project.commits.list()[0]
    assert (last.title, last.author_name) == ("Edit it", "Administrator")
    late = browser.submit(other, content="lost?", commit_message="Late")
    assert "has changed since you started editing" in late.text
    assert project.files.raw("été & co.txt", ref="main") == b"new\nlines\n"


def test_forms_of_other_sites_do_nothing(
    standin: Standin, browser: Browser, project: Project
) -> None:
    answer = browser.client.post(
        f"{standin.url}/root/pages/-/update/main/plain.txt",
        data={"content": "x", "authenticity_token": "guessed"},
    )
    assert answer.status_code == 422
    assert project.files.raw("plain.txt", ref="main").startswith(b"one")


@pytest.mark.parametrize("target", ["//evil.example/x", "https://evil.example/", "/\\evil.example"])
def test_no_page_leads_off_the_site(standin: Standin, target: str) -> None:
    browser = Browser(standin.url)
    page = browser.client.get(standin.url + "/" + target.lstrip("/"))
    page = browser.client.get(f"{standin.url}/users/sign_in")
    browser.client.follow_redirects = False
    answer = browser.submit(
        page, **{"user[login]": "root", "user[password]": standin.root_password}
    )
    assert answer.headers["location"].startswith(standin.url)


def test_branches_with_slashes_have_pages(browser: Browser, project: Project) -> None:
    project.branches.create({"branch": "feature/x", "ref": "main"})
    assert browser.open("/root/pages/-/blob/feature/x/plain.txt").status_code == 200
    assert browser.open("/root/pages/-/tree/feature/x/docs").status_code == 200
    assert browser.open("/root/pages/-/tree/nowhere").status_code == 404


def test_monitoring_answers_only_to_those_on_its_list(standin: Standin) -> None:
    base = standin.url
    assert httpx.get(f"{base}/-/health").text == "GitLab OK"
    assert httpx.get(f"{base}/-/liveness").json() == {"status": "ok"}
    assert httpx.get(f"{base}/-/readiness").json() == {
        "status": "ok",
        "master_check": [{"status": "ok"}],
    }
    outside = {"X-Forwarded-For": "203.0.113.9"}
    assert httpx.get(f"{base}/-/readiness", headers=outside).status_code in {302, 404}


def test_an_expired_password_must_be_changed(
    standin: Standin, gl: gitlab.Gitlab, new_user: NewUser
) -> None:
    user = new_user()
    gl.users.update(user.id, {"password": "given-by-Somebody-1"})
    browser = Browser(standin.url)
    page = browser.open("/users/sign_in")
    page = browser.submit(
        page, **{"user[login]": user.username, "user[password]": "given-by-Somebody-1"}
    )
    assert page.url.path == "/-/user_settings/password/new"
    new = {
        "user[new_password]": "chosen-Myself-22",
        "user[password_confirmation]": "chosen-Myself-22",
    }
    page = browser.submit(page, **{"user[password]": "given-by-Somebody-1"}, **new)
    assert "successfully updated" in page.text
    page = browser.submit(
        page, **{"user[login]": user.username, "user[password]": "chosen-Myself-22"}
    )
    assert page.url.path == "/"
