"""gitlab.rb: evaluated by Ruby, refused where Omnibus refuses; nothing else configures."""

import json
import stat
from pathlib import Path

import httpx
import pytest
from gitlab_standin import config, reconfigure
from gitlab_standin.paths import Paths
from gitlab_standin.testing import free_port, running_standin, start


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "root")


def _run(paths: Paths, text: str) -> config.Config:
    paths.etc.mkdir(parents=True, exist_ok=True)
    paths.gitlab_rb.write_text(text)
    return reconfigure.run(paths)


def test_a_first_start_writes_a_template_secrets_and_a_password(paths: Paths) -> None:
    settings = reconfigure.run(paths)
    assert settings.external_url == "http://localhost"
    assert all(
        line.startswith("#") or not line for line in paths.gitlab_rb.read_text().splitlines()
    )
    for name in ("gitlab-secrets.json", "initial_root_password"):
        assert stat.S_IMODE((paths.etc / name).stat().st_mode) == 0o600
    before = paths.secrets.read_text()
    reconfigure.run(paths)
    assert paths.secrets.read_text() == before


def test_ruby_decides(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_OMNIBUS_CONFIG", "external_url 'http://first.example'; $port = 8000")
    settings = _run(
        paths,
        """
        external_url "https://#{%w[gitlab example org].join('.')}/git"
        nginx['listen_port'] = $port + 81
        gitlab_rails['omniauth_providers'] = [
          { name: 'oauth2_generic', args: { client_options: { 'site' => 'x' } } }
        ]
        puma['worker_processes'] = 0
        gitlab_rails[:impersonation_enabled] = false
        gitlab_rails['default_theme'] = gitlab_rails['never_set']
        """,
    )
    assert settings.external_url == "https://gitlab.example.org/git"
    assert settings.relative_root == "/git"
    assert settings.listen_port == 8081
    assert settings.impersonation_enabled is False
    assert settings.omniauth.provider("oauth2_generic") is not None
    assert settings.omniauth.allow_single_sign_on == ("saml",)
    assert settings.omniauth.block_auto_created_users is True


def test_the_newer_place_of_nginx_keys_counts(paths: Paths) -> None:
    text = "external_url 'https://x.example'\ngitlab_rails['nginx']['listen_port'] = 80\n"
    assert _run(paths, text).listen_port == 80


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grafana['enable'] = false", "Reading unsupported config value grafana."),
        ("self.grafana = 1", "Cannot set unsupported config value grafana."),
        ("external_url 'gitlab.example.org'", "must include a schema and FQDN"),
        ("gitlab_rails['initial_root_password'] = 'short'", "at least 8 characters"),
        ("gitlab_rails['x' = 1", "SyntaxError"),
        ("gitlab_rails['monitoring_whitelist'] = ['nowhere']", "not a network address"),
        ("gitlab_rails['omniauth_providers'] = [{ label: 'x' }]", "needs a 'name'"),
        (
            '%w(enable tls enable_starttls_auto).each { |k| gitlab_rails["smtp_#{k}"] = true }',
            "mutually exclusive",
        ),
    ],
)
def test_mistakes_stop_it_with_their_reason(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.delenv("GITLAB_ROOT_PASSWORD", raising=False)
    with pytest.raises(reconfigure.ReconfigureError, match=words.replace(".", r"\.")):
        _run(paths, text)
    assert not paths.settings.exists()


def test_the_password_given_is_kept_nowhere(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_ROOT_PASSWORD", "canary-password-1")
    _run(paths, "gitlab_rails['initial_root_password'] = 'canary-password-2'\n")
    for file in paths.root.rglob("*"):
        if file.is_file() and file != paths.gitlab_rb:
            assert b"canary-password" not in file.read_bytes(), file
    assert not (paths.etc / "initial_root_password").exists()


def test_only_certificates_may_be_trusted(paths: Paths) -> None:
    (paths.etc / "trusted-certs").mkdir(parents=True)
    (paths.etc / "trusted-certs/bad.crt").write_text("not a certificate")
    with pytest.raises(reconfigure.ReconfigureError, match=r"bad\.crt is not a certificate"):
        _run(paths, "")


def test_impersonation_can_be_turned_off(tmp_path: Path) -> None:
    port = free_port()
    text = f"external_url 'http://127.0.0.1:{port}'\n"
    with running_standin(tmp_path, text, port=port) as standin:
        user = standin.gitlab.users.get(1)
        token = user.impersonationtokens.create({"name": "x", "scopes": ["api"]}).token
        assert isinstance(token, str)
        standin.process.terminate()
        standin.process.wait(15)
        again = start(standin.root, port, text + "gitlab_rails['impersonation_enabled'] = false\n")
        standin.process = again.process
        answer = httpx.get(f"{standin.url}/api/v4/user", headers={"PRIVATE-TOKEN": token})
        assert answer.status_code == 401
        assert "impersonation was disabled" in answer.text


def test_a_relative_url_prefixes_everything(tmp_path: Path) -> None:
    port = free_port()
    text = f"external_url 'http://127.0.0.1:{port}/git'\n"
    standin = start(tmp_path / "gitlab", port, text, prefix="/git")
    try:
        base = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{base}/users/sign_in").status_code == 404
        page = httpx.get(f"{base}/git/users/sign_in")
        assert page.status_code == 200
        assert 'action="/git/users/sign_in"' in page.text
        assert "Path=/git" in page.headers["set-cookie"]
        assert httpx.get(f"{base}/git/").headers["location"] == f"{base}/git/users/sign_in"
        assert httpx.get(f"{base}/git/api/v4/projects").json() == []
    finally:
        standin.kill()


def test_settings_hold_no_password(paths: Paths) -> None:
    _run(paths, "gitlab_rails['initial_root_password'] = 'long enough to pass'\n")
    assert "initial_root_password" not in json.loads(paths.settings.read_text())["gitlab_rails"]
