"""The demo's course page: what its reader sees, and launches that the hub's own code accepts."""

from __future__ import annotations

import argparse
import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from atelier.lti import outcomes11
from lms import pages, settings, unit
from lms.__main__ import bind
from lms.app import create
from ltiauthenticator.lti11.validator import LTI11LaunchValidator
from starlette.testclient import TestClient
from tornado.web import HTTPError

SECRET = "s" * 12 + "0123456789abcdef0123456789abcdef"
DEMO = settings.Settings(
    hub_url="https://hub.atelier.localhost:8443",
    lms_url="https://lms.atelier.localhost:8443",
    course="demo",
    consumer_key="demo",
    consumer_secret=SECRET,
    ca_file="/etc/ssl/certs/ca-certificates.crt",
)
LAUNCH_URL = "https://hub.atelier.localhost:8443/hub/lti/launch"


class Form(HTMLParser):
    """The first form of a page: its address and hidden fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found["action"]
        elif tag == "input" and found.get("type") == "hidden":
            self.fields[found["name"]] = found["value"]


@pytest.fixture
def client() -> TestClient:
    headers = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"}
    return TestClient(create(DEMO), base_url=DEMO.lms_url, headers=headers)


def launch(client: TestClient, link: str) -> Form:
    answer = client.get(f"/launch/{link}")
    assert answer.status_code == 200
    return Form(answer.text)


def accepted(form: Form) -> bool:
    validator = LTI11LaunchValidator({DEMO.consumer_key: DEMO.consumer_secret})
    return bool(validator.validate_launch_request(form.action, {}, form.fields))


@pytest.mark.parametrize("link", ["notebook-python", "notebook-r", "gitlab"])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_link_is_a_launch_that_the_hub_accepts(
    client: TestClient, link: str, lang: str
) -> None:
    client.get("/", params={"lang": lang})
    form = launch(client, link)
    assert form.action == LAUNCH_URL
    assert accepted(form)
    assert form.fields["launch_presentation_locale"] == lang
    assert form.fields["custom_course"] == "demo"


@pytest.mark.parametrize(
    ("link", "target", "path"),
    [
        ("notebook-python", "notebook", "notebooks/pi_python.ipynb"),
        ("notebook-r", "notebook", "notebooks/pi_r.ipynb"),
        ("gitlab", "gitlab", None),
    ],
)
def test_links_lead_where_they_say(
    client: TestClient, link: str, target: str, path: str | None
) -> None:
    fields = launch(client, link).fields
    assert (fields["custom_target"], fields.get("custom_path")) == (target, path)
    files = Path(__file__).resolve().parents[3] / "files/example-course"
    assert path is None or (files / path).is_file()


def test_each_launch_is_a_new_one(client: TestClient) -> None:
    first, second = launch(client, "gitlab"), launch(client, "gitlab")
    assert first.fields["oauth_nonce"] != second.fields["oauth_nonce"]


def test_a_changed_field_breaks_the_signature(client: TestClient) -> None:
    form = launch(client, "gitlab")
    form.fields["user_id"] = "somebody else"
    with pytest.raises(HTTPError):
        accepted(form)


def test_a_learner_is_chosen_and_remembered(client: TestClient) -> None:
    seen = {}
    for who in unit.LEARNERS:
        page = client.post("/learner", data={"learner": who.slug})
        assert f'<strong id="learner">{who.name}</strong>' in page.text
        fields = launch(client, "notebook-r").fields
        assert fields["lis_person_name_full"] == who.name
        assert fields["lis_person_contact_email_primary"] == who.email
        seen[who.slug] = fields["user_id"]
    assert len(set(seen.values())) == len(unit.LEARNERS) == 2


def test_a_name_that_nobody_has_is_the_first_learner(client: TestClient) -> None:
    client.post("/learner", data={"learner": "<script>"})
    assert unit.LEARNERS[0].name in client.get("/").text


@pytest.mark.parametrize(
    ("asked", "language"),
    [("fr-FR,en;q=0.5", "fr"), ("en-GB,en", "en"), ("de", "fr"), ("de,en;q=0.4", "en"), ("", "fr")],
)
def test_the_page_speaks_the_reader_s_language(
    client: TestClient, asked: str, language: str
) -> None:
    page = client.get("/", headers={"Accept-Language": asked}).text
    assert f'<html lang="{language}">' in page
    assert pages.WORDS[language]["intro"].split(":")[0] in page


def test_both_languages_have_the_same_words() -> None:
    assert pages.WORDS["fr"].keys() == pages.WORDS["en"].keys()


def test_the_secret_is_on_no_page_and_in_no_header(client: TestClient) -> None:
    for path in ("/", "/launch/notebook-python", "/launch/gitlab", "/launch/none", "/style.css"):
        answer = client.get(path)
        assert SECRET not in answer.text
        assert SECRET not in str(answer.headers)
        assert answer.headers["cache-control"] == "no-store"


def test_it_works_without_javascript(client: TestClient) -> None:
    page = client.get("/").text
    assert "<script" not in page
    assert page.count('target="_blank"') == len(unit.LINKS)
    assert '<button class="go">Continuer</button>' in client.get("/launch/gitlab").text


def test_the_launch_page_lets_redirects_lead_to_gitlab(client: TestClient) -> None:
    """Browsers apply form-action to every redirect after the form."""
    policy = client.get("/launch/gitlab").headers["content-security-policy"]
    assert "script-src 'nonce-" in policy
    assert "form-action" not in policy


def test_an_unknown_link_is_said_in_words(client: TestClient) -> None:
    answer = client.get("/launch/none")
    assert answer.status_code == 404
    assert "Cette page n'existe pas." in answer.text


def test_the_page_says_that_it_is_a_demonstration(client: TestClient) -> None:
    assert "Page de démonstration" in client.get("/").text


def test_settings_are_read_from_demo_json(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    known = {name: getattr(DEMO, name) for name in DEMO.__dataclass_fields__}
    path.write_text(json.dumps({**known, "gitlab_admin_token": "unused"}))
    assert settings.read(path) == DEMO
    path.write_text(json.dumps({**known, "course": "", "consumer_secret": 3}))
    with pytest.raises(settings.SettingsError, match="missing course, consumer_secret"):
        settings.read(path)
    with pytest.raises(settings.SettingsError, match="absent"):
        settings.read(tmp_path / "absent.json")


def test_where_to_listen() -> None:
    assert bind("172.18.0.1:8800") == ("172.18.0.1", 8800)
    assert bind("[::1]:80") == ("::1", 80)
    for wrong in ("8800", ":8800", "host:", "host:x", "host:70000"):
        with pytest.raises(argparse.ArgumentTypeError):
            bind(wrong)


def test_a_grade_that_the_tool_sends_is_shown_to_its_learner_alone(client: TestClient) -> None:
    form = launch(client, "exercise").fields
    assert "pas encore" in client.get("/").text
    address = form["lis_outcome_service_url"]
    body = outcomes11.replace_result(form["lis_result_sourcedid"], 0.75)
    signed = outcomes11.signed_headers(address, body, DEMO.consumer_key, SECRET)
    answer = client.post(address, content=body, headers=signed)
    assert outcomes11.refusal(answer.content) is None
    assert '<strong id="exercise-grade">75%</strong>' in client.get("/").text
    client.post("/learner", data={"learner": "basile"})
    assert "75%" not in client.get("/").text


def test_a_grade_that_is_not_signed_changes_nothing(client: TestClient) -> None:
    form = launch(client, "exercise").fields
    address = form["lis_outcome_service_url"]
    body = outcomes11.replace_result(form["lis_result_sourcedid"], 1)
    signed = outcomes11.signed_headers(address, body, DEMO.consumer_key, "x" * 40)
    client.post(address, content=body, headers=signed)
    assert "pas encore" in client.get("/").text
    assert client.post("/outcomes/gitlab", content=body).status_code == 404


def test_the_1_3_link_is_a_launch_that_the_hub_accepts(client: TestClient) -> None:
    begun = client.get("/launch/notebook-13", follow_redirects=False)
    assert begun.status_code == 302
    login = urlsplit(begun.headers["location"])
    assert login.geturl().startswith(f"{DEMO.hub_url}/hub/lti13/login?")
    asked = dict(parse_qsl(login.query))
    assert asked["login_hint"] == unit.LEARNERS[0].user_id
    answer = {
        "client_id": asked["client_id"],
        "redirect_uri": f"{DEMO.hub_url}/hub/lti13/launch",
        "login_hint": asked["login_hint"],
        "lti_message_hint": asked["lti_message_hint"],
        "state": "the state",
        "nonce": "the nonce",
    }
    form = Form(client.get("/lti13/auth", params=answer).text)
    assert form.action == f"{DEMO.hub_url}/hub/lti13/launch"
    assert form.fields["state"] == "the state"
    (key,) = client.get("/lti13/keys").json()["keys"]
    claims = jwt.decode(
        form.fields["id_token"], jwt.PyJWK(key), algorithms=["RS256"], audience=asked["client_id"]
    )
    assert claims["nonce"] == "the nonce"
    assert claims["https://purl.imsglobal.org/spec/lti/claim/custom"]["course"] == "demo"
    assert client.get("/lti13/auth", params={**answer, "lti_message_hint": "?"}).status_code == 404


def test_the_platform_s_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "lms_key.pem"
    made = settings.platform_key(path)
    assert settings.platform_key(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
