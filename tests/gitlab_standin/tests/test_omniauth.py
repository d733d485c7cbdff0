"""Sign-in through a real JupyterHub, with what goes wrong when it is set up wrong."""

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import gitlab
import pytest
from gitlab.v4.objects import Project
from gitlab_standin.testing import Standin, running_standin, start
from kit.gitlab_hub import Browser, Hub, running_hub

from .conftest import NewUser, fork_of

Reconfigure = Callable[[str], None]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with running_hub(tmp_path_factory.mktemp("hub") / "hub") as running:
        yield running


@pytest.fixture(scope="module")
def standin(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    folder = tmp_path_factory.mktemp("standin")
    with running_standin(folder, hub.gitlab_rb(), port=hub.gitlab_port) as running:
        yield running


@pytest.fixture
def browser(hub: Hub) -> Iterator[Browser]:
    opened = Browser(hub.gitlab_url)
    yield opened
    opened.client.close()


def _reconfigure(standin: Standin, text: str) -> None:
    standin.process.terminate()
    standin.process.wait(15)
    standin.process = start(standin.root, standin.port, text).process


@pytest.fixture
def reconfigured(standin: Standin, hub: Hub) -> Iterator[Reconfigure]:
    """Change gitlab.rb for one test."""
    yield lambda text: _reconfigure(standin, hub.gitlab_rb() + text)
    _reconfigure(standin, hub.gitlab_rb())


def test_a_known_learner_comes_to_the_page_asked_for_without_a_click(
    hub: Hub, standin: Standin, browser: Browser, new_user: NewUser, template: Project
) -> None:
    user = new_user()
    fork = fork_of(standin, template, user)
    browser.sign_in_to_hub(hub, user.username)
    page = browser.open(f"/{fork.path_with_namespace}/-/blob/main/README.md")
    assert page.status_code == 200
    assert page.url.path == f"/{user.username}/course/-/blob/main/README.md"
    assert "<h1>template</h1>" in page.text
    assert browser.who() == user.username
    again = standin.gitlab.users.get(user.id)
    assert again.current_sign_in_at
    assert len(again.identities) == 1


@pytest.mark.usefixtures("standin")
def test_the_request_to_the_hub_is_oauth2_generics(hub: Hub, browser: Browser) -> None:
    page = browser.client.get(f"{hub.gitlab_url}/users/sign_in")
    assert page.status_code == 200
    browser.client.follow_redirects = False
    sent = browser.submit(page, "auto-sign-in")
    assert sent.status_code == 302
    target = urlsplit(sent.headers["location"])
    assert (
        f"{target.scheme}://{target.netloc}{target.path}" == f"{hub.url}/hub/api/oauth2/authorize"
    )
    query = {k: v[0] for k, v in parse_qs(target.query).items()}
    assert query["client_id"] == "service-gitlab"
    assert query["redirect_uri"] == f"{hub.gitlab_url}/users/auth/oauth2_generic/callback"
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert "scope" not in query


@pytest.mark.usefixtures("standin")
def test_the_request_phase_wants_the_pages_token(hub: Hub, browser: Browser) -> None:
    url = f"{hub.gitlab_url}/users/auth/oauth2_generic"
    assert browser.client.get(url).status_code in {302, 404, 200}
    assert browser.client.post(url, data={"authenticity_token": "wrong"}).status_code == 422
    assert browser.who() is None


@pytest.mark.usefixtures("standin")
def test_a_callback_with_a_wrong_state_signs_nobody_in(browser: Browser) -> None:
    page = browser.open("/users/auth/oauth2_generic/callback?code=x&state=y")
    assert "Could not authenticate you from the course because" in page.text
    assert "auto-sign-in" not in page.text  # no endless round
    assert browser.who() is None


def test_the_trap_whoever_is_signed_in_gets_the_newcomers_identity(
    hub: Hub, standin: Standin, browser: Browser, new_user: NewUser
) -> None:
    first = new_user()
    browser.sign_in_to_hub(hub, first.username)
    browser.open("/")
    assert browser.who() == first.username
    # Somebody new launches from the same browser: GitLab's session is still the first one's.
    first.identityproviders.delete("oauth2_generic")
    browser.sign_out_of_hub(hub)
    browser.sign_in_to_hub(hub, "newcomer")
    token = browser.csrf_token()
    url = f"{hub.gitlab_url}/users/auth/oauth2_generic"
    browser.client.post(url, data={"authenticity_token": token})
    assert browser.who() == first.username
    linked = standin.gitlab.users.get(first.id).identities
    assert [i["extern_uid"] for i in linked] == ["newcomer"]
    # With the cookie cleared, as the launch does, the right account answers.
    first.identityproviders.delete("oauth2_generic")
    browser.forget_gitlab()
    browser.open("/")
    assert browser.who() == "newcomer"


def test_an_identity_of_somebody_else_is_not_taken_but_the_session_stays(
    hub: Hub, standin: Standin, browser: Browser, new_user: NewUser
) -> None:
    first, second = new_user(), new_user()
    browser.sign_in_to_hub(hub, first.username)
    browser.open("/")
    browser.sign_out_of_hub(hub)
    browser.sign_in_to_hub(hub, second.username)
    token = browser.csrf_token()
    page = browser.client.post(
        f"{hub.gitlab_url}/users/auth/oauth2_generic", data={"authenticity_token": token}
    )
    assert "Extern uid has already been taken" in page.text
    assert browser.who() == first.username
    assert standin.gitlab.users.get(second.id).identities[0]["extern_uid"] == second.username


@pytest.mark.usefixtures("template")
def test_a_just_created_account_loses_the_page_asked_for(
    hub: Hub, standin: Standin, browser: Browser
) -> None:
    browser.sign_in_to_hub(hub, "fresh")
    page = browser.open("/course/template/-/blob/main/README.md")
    assert page.url.path == "/"
    user = standin.gitlab.users.list(username="fresh")[0]
    assert (user.name, user.email, user.state) == ("Learner fresh", "fresh@example.org", "active")
    assert [i["extern_uid"] for i in user.identities] == ["fresh"]
    browser.forget_gitlab()
    page = browser.open("/course/template/-/blob/main/README.md")
    assert page.url.path == "/course/template/-/blob/main/README.md"


def test_a_taken_name_becomes_a_second_account(
    hub: Hub, standin: Standin, browser: Browser, new_user: NewUser
) -> None:
    new_user(username="alice", email="another@example.org", provider=None, extern_uid=None)
    browser.sign_in_to_hub(hub, "alice")
    browser.open("/")
    assert browser.who() == "alice1"
    assert standin.gitlab.users.list(username="alice1")[0].identities[0]["extern_uid"] == "alice"


@pytest.mark.usefixtures("standin")
def test_an_address_in_use_is_a_422_page(hub: Hub, browser: Browser, new_user: NewUser) -> None:
    new_user(email="bob@example.org")
    browser.sign_in_to_hub(hub, "bob")
    page = browser.open("/")
    assert page.status_code == 422
    assert "Email has already been taken" in page.text
    assert browser.who() is None


@pytest.mark.usefixtures("standin")
def test_sign_out_leads_straight_back_in(hub: Hub, browser: Browser, new_user: NewUser) -> None:
    user = new_user()
    browser.sign_in_to_hub(hub, user.username)
    browser.open("/")
    token = browser.csrf_token()
    page = browser.client.post(
        f"{hub.gitlab_url}/users/sign_out", data={"authenticity_token": token}
    )
    assert 'id="auto-sign-in"' in page.text
    assert browser.who() is None
    assert (
        "auto-sign-in"
        not in browser.client.get(f"{hub.gitlab_url}/users/sign_in?auto_sign_in=false").text
    )


@pytest.mark.usefixtures("standin")
def test_blocked_people_are_told_and_do_not_go_round(
    hub: Hub, browser: Browser, new_user: NewUser
) -> None:
    user = new_user()
    user.block()
    browser.sign_in_to_hub(hub, user.username)
    page = browser.open("/")
    assert "Your account has been blocked" in page.text
    assert browser.who() is None


def test_a_wrong_id_path_gives_everybody_one_account(
    hub: Hub, standin: Standin, reconfigured: Reconfigure
) -> None:
    # The uid is empty for all: the first learner's account answers the second one too.
    reconfigured(
        "args = gitlab_rails['omniauth_providers'][0][:args]\n"
        "args[:user_response_structure][:id_path] = ['nom']\n"
    )
    seen = []
    for name in ("carol", "dave"):
        browser = Browser(hub.gitlab_url)
        browser.sign_in_to_hub(hub, name)
        browser.open("/")
        seen.append(browser.who())
    assert seen == ["carol", "carol"]
    carol = standin.gitlab.users.list(username="carol")[0]
    assert carol.identities[0]["extern_uid"] == ""
    standin.gitlab.users.delete(carol.id)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gitlab_rails['omniauth_allow_single_sign_on'] = ['saml']\n", "is not allowed"),
        ("gitlab_rails['omniauth_block_auto_created_users'] = true\n", "pending approval"),
        (
            "gitlab_rails['omniauth_providers'][0][:args][:client_options].delete(:auth_scheme)\n",
            "Invalid credentials",
        ),
        ("gitlab_rails['omniauth_providers'][0][:app_secret] = 'wrong'\n", "Invalid credentials"),
        (
            "options = gitlab_rails['omniauth_providers'][0][:args][:client_options]\n"
            "options[:site] = 'http://localhost:1'\n"
            "options[:authorize_url] = '{hub}/hub/api/oauth2/authorize'\n",
            "Failed to connect",
        ),
    ],
)
@pytest.mark.usefixtures("standin")
def test_wrong_settings_keep_newcomers_out_and_say_why(
    hub: Hub, browser: Browser, reconfigured: Reconfigure, text: str, words: str
) -> None:
    reconfigured(text.replace("{hub}", hub.url))
    browser.sign_in_to_hub(hub, f"erin{len(text)}")
    page = browser.open("/")
    assert words in page.text
    assert browser.who() is None


@pytest.mark.usefixtures("standin")
def test_a_scope_that_the_hub_does_not_know_fails(
    hub: Hub, browser: Browser, reconfigured: Reconfigure
) -> None:
    reconfigured("gitlab_rails['omniauth_providers'][0][:args][:scope] = 'openid'\n")
    browser.sign_in_to_hub(hub, "frank")
    page = browser.open("/")
    assert browser.who() is None
    assert page.status_code in {400, 200}


def test_the_profile_follows_the_hub_where_told_to(
    hub: Hub, standin: Standin, browser: Browser, reconfigured: Reconfigure, new_user: NewUser
) -> None:
    user = new_user(name="Old Name")
    reconfigured(
        "gitlab_rails['omniauth_sync_profile_from_provider'] = ['oauth2_generic']\n"
        "gitlab_rails['omniauth_sync_profile_attributes'] = ['name']\n"
    )
    browser.sign_in_to_hub(hub, user.username)
    browser.open("/")
    assert standin.gitlab.users.get(user.id).name == f"Learner {user.username}"


def test_gitlab_client_library_still_works_beside(gl: gitlab.Gitlab) -> None:
    gl.auth()
    assert gl.user is not None
    assert gl.user.username == "root"
