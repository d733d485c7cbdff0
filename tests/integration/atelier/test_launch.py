"""A click in a course page: what it opens, for whom, and what it refuses."""

from __future__ import annotations

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from kit.modules import run
from kit.platform11 import Visitor
from kit.site import Site, until


def test_a_click_opens_the_file_named_in_the_learner_s_own_server(visitor: Visitor) -> None:
    page = visitor.launch(path="notebooks/pi & python.ipynb")
    assert page.status_code == 200
    assert page.json()["visitor"] == visitor.username
    assert page.json()["path"] == (
        f"/user/{visitor.username}/demo/lab/tree/demo/notebooks/pi%20%26%20python.ipynb"
    )


def test_the_server_is_told_what_the_image_needs_and_nothing_secret(
    site: Site, visitor: Visitor
) -> None:
    visitor.launch(locale="fr-FR")
    told = visitor.get(f"/user/{visitor.username}/demo/environment").json()
    assert told["ATELIER_COURSE"] == "demo"
    assert (told["ATELIER_TOOLBAR_OUTPUTS"], told["ATELIER_TOOLBAR_MAX_FILE_MB"]) == ("keep", "10")
    assert told["ATELIER_PROJECT_URL"] == f"{site.gitlab_url}/{visitor.username}/demo.git"
    assert told["ATELIER_DESK_URL"] == f"http://127.0.0.1:{site.desk_port}/services/desk"
    assert told["ATELIER_LEARNER_NAME"] == "Ada Lovelace"
    assert told["ATELIER_LEARNER_EMAIL"] == f"{visitor.username}@users.noreply.campus.example"
    assert told["LANG"] == "fr_FR.UTF-8"
    for name, secret in site.secrets.items():
        assert secret not in json.dumps(told), name


def test_ten_clicks_at_once_make_one_user_and_one_server(site: Site, learner: str) -> None:
    visitors = [Visitor(site.hub_url, site.consumer_secret, learner) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(lambda one: one.launch(path="journal.md"), visitors))
    assert {page.status_code for page in pages} == {200}
    assert len({page.json()["pid"] for page in pages}) == 1
    assert site.starts().count(f"{visitors[0].username}/demo") == 1
    with sqlite3.connect(site.root / "hub" / "jupyterhub.sqlite") as database:
        rows = database.execute("select name from users where name = ?", [visitors[0].username])
        assert len(rows.fetchall()) == 1


def test_a_second_click_goes_straight_to_the_running_server(visitor: Visitor) -> None:
    first = visitor.launch().json()
    answer = visitor.post(visitor.form(path="notes.org"))
    go = visitor.get(answer.headers["location"])
    expected = f"/user/{visitor.username}/demo/lab/tree/demo/notes.org"
    assert (go.status_code, go.headers["location"]) == (302, expected)
    assert visitor.follow(go).json()["pid"] == first["pid"]


def test_another_course_is_another_server(site: Site, visitor: Visitor) -> None:
    site.write_course("second", start_file="start.md")
    first = visitor.launch(course="demo").json()
    second = visitor.launch(course="second").json()
    assert second["path"] == f"/user/{visitor.username}/second/lab/tree/second/start.md"
    assert second["pid"] != first["pid"]
    home = visitor.get("/hub/home").text
    assert "Le cours demo" in home
    assert "Le cours second" in home
    (site.root / "courses.d" / "second.yml").unlink()


def test_a_new_consumer_and_a_new_course_need_no_restart(site: Site, learner: str) -> None:
    old = {"key": "campus", "secret": site.consumer_secret, "platform": "campus"}
    new = {"key": "other", "secret": "x" * 40, "platform": "other", "courses": ["third"]}
    site.write_course("third")
    site.write_consumers([old, new])
    with Visitor(site.hub_url, "x" * 40, learner) as visitor:
        page = visitor.launch(key="other")  # its only course: none has to be named
        assert "/third/lab/tree/third" in page.json()["path"]
        assert page.json()["visitor"] != visitor.username, "the same user_id elsewhere"
        assert "vers un cours" not in page.text
        refused = visitor.post(visitor.form(key="other", course="demo"))
        assert refused.status_code == 400
        assert "n’ouvre pas depuis votre plateforme" in refused.text
    site.write_consumers([old])
    (site.root / "courses.d" / "third.yml").unlink()


def test_a_broken_courses_file_changes_nothing(site: Site, visitor: Visitor) -> None:
    path = site.root / "courses.d" / "demo.yml"
    good = path.read_text()
    visitor.launch()  # the hub has read the good one
    path.write_text("slug: [")
    try:
        assert visitor.launch().status_code == 200
        until(lambda: "demo.yml" in site.log("hub"), "the hub says which file is wrong")
    finally:
        path.write_text(good)


def test_a_launch_is_accepted_once_also_after_a_restart(site: Site, visitor: Visitor) -> None:
    form = visitor.form()
    assert visitor.post(form).status_code == 302
    with Visitor(site.hub_url, site.consumer_secret, visitor.user_id) as thief:
        assert thief.post(form).status_code == 401
        site.stop("hub")
        site.start_hub()
        page = thief.post(form)
        assert page.status_code == 401
        assert "Ce lien a déjà servi" in page.text
        assert not any(name.startswith("jupyterhub-hub-login") for name in thief.browser.cookies)


def test_a_double_click_offers_to_go_on(visitor: Visitor) -> None:
    form = visitor.form()
    visitor.post(form)
    page = visitor.post(form)
    assert page.status_code == 401
    assert f'href="/hub/atelier/go?who={visitor.username}"' in page.text
    assert visitor.follow(visitor.get("/hub/atelier/go")).json()["visitor"] == visitor.username


def test_a_request_without_signature_does_not_use_up_a_learner_s_nonce(visitor: Visitor) -> None:
    form = visitor.form()
    for _ in range(60):
        junk = {**form, "oauth_signature": "AAAA", "oauth_timestamp": str(int(time.time()))}
        assert visitor.post(junk).status_code == 401
    assert visitor.post(form).status_code == 302


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"oauth_timestamp": "yesterday"}, 400),
        ({"oauth_timestamp": "1" * 400}, 400),
        ({"oauth_timestamp": "1000000000"}, 401),
        ({"oauth_consumer_key": "nobody"}, 401),
        ({"user_id": "somebody-else"}, 401),
        ({"custom_path": "../../etc/passwd"}, 401),
        ({"lti_message_type": "ContentItemSelectionRequest"}, 400),
        ({"oauth_signature_method": "PLAINTEXT"}, 400),
        ({"oauth_signature": "é" * 20}, 401),
    ],
)
def test_a_tampered_launch_gets_a_sentence_and_a_reference(
    site: Site, visitor: Visitor, change: dict[str, str], status: int
) -> None:
    page = visitor.post({**visitor.form(), **change})
    assert page.status_code == status
    reference = page.text.split("<code>")[1].split("</code>")[0]
    assert "Revenez à la page du cours" in page.text
    until(lambda: f"[{reference}]" in site.log("hub"), "the reference is in the log")


def test_host_and_scheme_headers_play_no_part_in_the_signature(
    site: Site, visitor: Visitor
) -> None:
    form = visitor.form()
    spoofed = {"Host": "evil.example", "X-Forwarded-Proto": "https", "X-Scheme": "gopher"}
    answer = visitor.browser.post(visitor.launch_url, data=form, headers=spoofed)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{site.gitlab_url}/-/atelier/leave?course=demo")


def test_a_form_at_the_hub_s_own_login_is_no_launch(visitor: Visitor) -> None:
    visitor.launch()
    form = {"username": "x", "password": "y", "_xsrf": visitor.xsrf()}
    answer = visitor.browser.post(f"{visitor.hub_url}/hub/login", data=form)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "next_url",
    [
        "https://evil.example/",
        "//evil.example/hub/user-redirect/x",
        "/\\evil.example",
        "/hub/user-redirect/../../logout",
        "/hub/user-redirect/%2e%2e/%2e%2e/logout",
        "/hub/logout",
        "javascript:alert(1)",
    ],
)
def test_custom_next_never_leads_elsewhere(visitor: Visitor, next_url: str) -> None:
    page = visitor.launch(next=next_url)
    assert page.json()["path"] == f"/user/{visitor.username}/demo/lab/tree/demo"


def test_custom_next_may_name_a_page_of_the_learner_s_server(visitor: Visitor) -> None:
    page = visitor.launch(next="/hub/user-redirect/lab/tree/demo/journal.md")
    assert page.json()["path"] == f"/user/{visitor.username}/demo/lab/tree/demo/journal.md"


@pytest.mark.parametrize(
    ("custom", "sentence"),
    [
        ({"course": "nowhere"}, "un cours que ce site n’ouvre pas"),
        ({"target": "moon"}, "une destination qui n’existe pas"),
        ({"path": "/etc/passwd"}, "désigne un fichier d’une façon"),
        ({"path": "a/../../b"}, "désigne un fichier d’une façon"),
        ({"path": ".git/config"}, "désigne un fichier d’une façon"),
    ],
)
def test_a_link_that_leads_nowhere_tells_learner_and_author(
    site: Site, visitor: Visitor, custom: dict[str, str], sentence: str
) -> None:
    page = visitor.post(visitor.form(**custom))
    assert page.status_code == 400
    assert sentence in page.text
    name, value = next(iter(custom.items()))
    until(lambda: f"custom_{name}={value!r}" in site.log("hub"), "the log names the parameter")


def test_the_launch_address_opened_by_hand_is_a_friendly_page(site: Site) -> None:
    for header, title in (("fr", "Passez par la page de votre cours"), ("de, en", "Start from")):
        page = httpx.get(
            f"{site.hub_url}/hub/lti/launch",
            headers={"Accept-Language": header},
            trust_env=False,
        )
        assert page.status_code == 200
        assert title in page.text
        assert f'<html lang="{header[-2:]}">' in page.text


def test_a_second_learner_in_the_same_browser_takes_nothing_over(site: Site, learner: str) -> None:
    with (
        Visitor(site.hub_url, site.consumer_secret, learner + "-a") as first,
        Visitor(site.hub_url, site.consumer_secret, learner + "-b") as second,
    ):
        assert first.launch().json()["visitor"] == first.username
        second.browser.cookies = first.browser.cookies  # the same browser
        assert second.launch().json()["visitor"] == second.username
        page = second.follow(second.get(f"/user/{first.username}/demo/lab"))
        assert page.status_code in (403, 404)
        assert first.username not in page.text
        token = second.browser.get(f"{site.hub_url}/hub/home")
        assert token.status_code == 200
        # The first learner comes back to this browser and finds their own server again.
        first.browser.cookies = second.browser.cookies
        assert first.launch().json()["visitor"] == first.username


def test_a_newcomer_s_notebook_ends_the_gitlab_session_left_in_the_browser(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write_settings(site={"gitlab_session_paths": True})
    first = Visitor(site.hub_url, site.consumer_secret, "leave-a")
    second = Visitor(site.hub_url, site.consumer_secret, "leave-b")

    def leads_to(visitor: Visitor, target: str = "notebook") -> str:
        return visitor.agree(visitor.post(visitor.form(target=target))).headers["location"]

    leave = f"{site.gitlab_url}/-/atelier/leave?course=demo&target=notebook"
    try:
        site.start_proxy()
        site.start_hub()
        with first, second:
            assert leads_to(first) == leave
            second.browser.cookies = first.browser.cookies  # the same browser
            assert leads_to(second) == leave
            # Who is here already keeps their session; a launch to GitLab has a door of its own.
            assert "/-/atelier/" not in leads_to(second)
            assert "/-/atelier/" not in leads_to(first, "gitlab")
    finally:
        site.close()


def test_a_server_only_starts_for_a_course_one_was_let_into(site: Site, visitor: Visitor) -> None:
    site.write_course("closed", consumers=["other"])
    visitor.launch()
    page = visitor.get(f"/hub/spawn/{visitor.username}/closed")
    page = visitor.follow(page)
    assert page.status_code == 404
    asked = visitor.browser.post(
        f"{site.hub_url}/hub/api/users/{visitor.username}/servers/closed",
        headers={"X-XSRFToken": visitor.xsrf()},
    )
    assert asked.status_code == 403
    assert "vous ne l’avez pas encore ouvert" in asked.json()["message"]
    assert f"{visitor.username}/closed" not in site.starts()
    go = visitor.get("/hub/atelier/go?course=closed")
    assert go.status_code == 404
    (site.root / "courses.d" / "closed.yml").unlink()


def test_gitlab_being_away_is_said_while_the_notebook_opens(visitor: Visitor) -> None:
    page = visitor.launch(target="gitlab")
    assert page.status_code == 503
    assert "GitLab ne répond pas" in page.text
    notebook = page.text.split('class="button second" href="')[1].split('"')[0]
    opened = visitor.follow(visitor.get(notebook.replace("&amp;", "&")))
    assert opened.json()["visitor"] == visitor.username


def test_servers_outlive_the_hub(site: Site, visitor: Visitor) -> None:
    before = visitor.launch().json()
    address = f"{site.hub_url}/user/{visitor.username}/demo/api"
    site.stop("hub")
    assert visitor.browser.get(address).status_code == 200
    site.start_hub()
    assert visitor.launch().json()["pid"] == before["pid"]


def test_gitlab_s_sign_in_receives_name_and_address(site: Site, visitor: Visitor) -> None:
    """What GitLab's oauth2_generic strategy does, request by request."""
    visitor.post(visitor.form(full_name="Émilie <b>du</b> Châtelet"))
    callback = f"{site.gitlab_url}/users/auth/oauth2_generic/callback"
    client = {"client_id": "service-gitlab", "redirect_uri": callback}
    asked = {**client, "response_type": "code", "state": "s1"}
    answer = visitor.browser.get(f"{site.hub_url}/hub/api/oauth2/authorize", params=asked)
    assert answer.status_code == 302, "no confirmation page"
    assert answer.headers["location"].startswith(callback)
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    token = httpx.post(
        f"{site.hub_url}/hub/api/oauth2/token",
        data={
            **client,
            "client_secret": site.secrets["oauth_client_secret"],
            "grant_type": "authorization_code",
            "code": code,
        },
        trust_env=False,
    ).json()["access_token"]
    user = httpx.get(
        f"{site.hub_url}/hub/api/user",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    ).json()
    assert user["name"] == visitor.username
    assert user["user_info"] == {
        "name": "Émilie b du /b Châtelet",
        "email": f"{visitor.username}@users.noreply.campus.example",
        "locale": "fr",
    }
    elsewhere = {**asked, "redirect_uri": "https://evil.example/"}
    refused = visitor.browser.get(f"{site.hub_url}/hub/api/oauth2/authorize", params=elsewhere)
    assert refused.status_code == 400


def test_the_platform_s_address_is_used_where_it_is_trusted(site: Site, learner: str) -> None:
    old = {"key": "campus", "secret": site.consumer_secret, "platform": "campus"}
    site.write_consumers([{**old, "trust_email": True}])
    try:
        with Visitor(site.hub_url, site.consumer_secret, learner) as visitor:
            visitor.launch(email="ada@campus.example")
            told = visitor.get(f"/user/{visitor.username}/demo/environment").json()
            assert told["ATELIER_LEARNER_EMAIL"] == "ada@campus.example"
    finally:
        site.write_consumers([old])


def test_a_key_in_rotation_opens_with_both_secrets_and_then_with_the_new_one(
    site: Site, learner: str
) -> None:
    """The hub runs on all the while; the file is changed as the playbook does it."""
    old, new = site.consumer_secret, "renewed-" * 5
    key = {"key": "campus", "platform": "campus"}
    file = site.root / "consumers.yml"

    def launch(secret: str) -> int:
        with Visitor(site.hub_url, secret, learner) as visitor:
            return visitor.post(visitor.form()).status_code

    try:
        assert [launch(old), launch(new)] == [302, 401]
        rotation = [{**key, "secret": new, "grace": "14d"}]
        assert run("lti_consumers", path=str(file), consumers=rotation).changed
        assert [launch(old), launch(new)] == [302, 302]
        assert "being replaced" in site.log("hub")
        ended = [{"secret": old, "until": "2026-01-01T00:00:00Z"}]
        site.write_consumers([{**key, "secret": new, "previous": ended}])
        assert [launch(old), launch(new)] == [401, 302]
    finally:
        site.write_consumers([{**key, "secret": old}])


def test_no_secret_is_in_the_logs(site: Site, visitor: Visitor) -> None:
    visitor.launch()
    said = site.log("hub") + site.log("desk") + site.log("proxy")
    for name, secret in {**site.secrets, "consumer": site.consumer_secret}.items():
        assert secret not in said, name
