"""The image, used as an operator uses gitlab/gitlab-ce."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gitlab_standin.testing import free_port
from world import images

pytestmark = pytest.mark.docker

NAME = f"standin-test-{free_port()}"
VOLUMES = {
    f"{NAME}-etc": "/etc/gitlab",
    f"{NAME}-log": "/var/log/gitlab",
    f"{NAME}-data": "/var/opt/gitlab",
}


def docker(
    *arguments: str, check: bool = True, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments], check=check, text=True, capture_output=True, input=stdin
    )


def _logs() -> str:
    done = docker("logs", NAME)
    return done.stdout + done.stderr


def _wait(what: str, times: int = 1) -> None:
    deadline = time.monotonic() + 60
    while _logs().count(what) < times:
        assert time.monotonic() < deadline, _logs()
        time.sleep(0.2)


def _ready() -> None:
    """The role's own way: readiness, asked inside the container."""
    deadline = time.monotonic() + 60
    while docker(
        "exec", NAME, "curl", "-fsS", "http://127.0.0.1/-/readiness", check=False
    ).returncode:
        assert time.monotonic() < deadline, _logs()
        time.sleep(0.3)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    images.ensure_standin()
    gitlab_rb = tmp_path_factory.mktemp("etc") / "gitlab.rb"
    gitlab_rb.write_text("gitlab_rails['gitlab_email_from'] = 'x@example.org'\n")
    port = free_port()
    settings = (
        f"external_url 'http://127.0.0.1:{port}'; nginx['listen_port'] = 80; "
        "gitlab_rails['initial_root_password'] = 'overruled-by-the-variable'"
    )
    mounts = [w for volume, where in VOLUMES.items() for w in ("--volume", f"{volume}:{where}")]
    docker(
        "run", "--detach", "--name", NAME, "--publish", f"127.0.0.1:{port}:80", *mounts,
        "--env", f"GITLAB_OMNIBUS_CONFIG={settings}",
        "--env", "GITLAB_ROOT_PASSWORD=given-to-the-container", images.STANDIN,
    )  # fmt: skip
    try:
        _wait("gitlab Reconfigured!")
        _ready()
        yield f"http://127.0.0.1:{port}"
    finally:
        docker("rm", "--force", NAME, check=False)
        docker("volume", "rm", *VOLUMES, check=False)


def test_it_answers_inside_and_hides_its_health_outside(url: str) -> None:
    assert httpx.get(f"{url}/users/sign_in").status_code == 200
    assert httpx.get(f"{url}/-/readiness").status_code in {302, 404}
    assert docker("exec", NAME, "gitlab-healthcheck").returncode == 0
    status = docker("exec", NAME, "gitlab-ctl", "status")
    assert [line.split(":")[0] for line in status.stdout.splitlines()] == ["run", "run"]
    manifest = docker("exec", NAME, "head", "-1", "/opt/gitlab/version-manifest.txt").stdout
    version = docker(
        "exec", NAME, "cat", "/opt/gitlab/embedded/service/gitlab-rails/VERSION"
    ).stdout
    assert manifest == f"gitlab-ce {version}"
    image = json.loads(docker("image", "inspect", images.STANDIN).stdout)[0]
    assert set(image["Config"]["Volumes"]) == set(VOLUMES.values())
    assert "80/tcp" in image["Config"]["ExposedPorts"]


def test_the_password_of_the_variable_counts_and_is_not_kept(url: str) -> None:
    page = f"{url}/x/y.git/info/refs?service=git-upload-pack"
    assert httpx.get(page, auth=("root", "given-to-the-container")).status_code == 404
    assert httpx.get(page, auth=("root", "overruled-by-the-variable")).status_code == 401
    found = docker(
        "exec", NAME, "grep", "-rl", "given-to-the-container", "/etc/gitlab", "/var", check=False
    )
    assert found.stdout == ""


def test_a_first_token_and_a_second_run(url: str) -> None:
    script = (
        "user = User.find_by_username('root')\n"
        "token = user.personal_access_tokens.create(name: 'first', scopes: ['api'], "
        "expires_at: 300.days.from_now)\n"
        "token.set_token('glpat-twentycharacters0000')\n"
        "token.save!\n"
    )
    docker("exec", "--interactive", NAME, "gitlab-rails", "runner", "-", stdin=script)
    headers = {"PRIVATE-TOKEN": "glpat-twentycharacters0000"}
    assert httpx.get(f"{url}/api/v4/user", headers=headers).json()["username"] == "root"
    asked = "print User.first.personal_access_tokens.find_by(name: 'first')&.active?"
    assert docker("exec", NAME, "gitlab-rails", "runner", asked).stdout == "true"


def test_reconfigure_takes_effect_and_a_mistake_changes_nothing(url: str, tmp_path: Path) -> None:
    original = docker("exec", NAME, "cat", "/etc/gitlab/gitlab.rb").stdout
    file = tmp_path / "gitlab.rb"
    for text, code in (
        ("grafana['enable'] = true\n", 1),
        (original + "\nexternal_url 'http://other.example'\n", 0),
    ):
        file.write_text(text)
        docker("cp", str(file), f"{NAME}:/etc/gitlab/gitlab.rb")
        done = docker("exec", NAME, "gitlab-ctl", "reconfigure", check=False)
        assert done.returncode == code, done.stderr
    _ready()
    assert httpx.get(url).headers["location"] == "http://other.example/users/sign_in"
    file.write_text(original)
    docker("cp", str(file), f"{NAME}:/etc/gitlab/gitlab.rb")
    docker("exec", NAME, "gitlab-ctl", "reconfigure")
    _ready()
    assert httpx.get(url).headers["location"] == f"{url}/users/sign_in"


def test_restore_with_puma_and_sidekiq_stopped(url: str) -> None:
    docker("exec", NAME, "gitlab-backup", "create", "BACKUP=one")
    for service in ("puma", "sidekiq"):
        docker("exec", NAME, "gitlab-ctl", "stop", service)
    assert docker("exec", NAME, "gitlab-ctl", "status", check=False).returncode != 0
    docker("exec", "--env", "GITLAB_ASSUME_YES=1", NAME, "gitlab-backup", "restore", "BACKUP=one")
    docker("restart", NAME)
    _ready()
    assert docker("exec", NAME, "gitlab-ctl", "status").returncode == 0
    assert httpx.get(f"{url}/users/sign_in").status_code == 200


def test_stop_is_clean_and_quick_and_kill_harmless(url: str) -> None:
    docker("stop", NAME)  # which kills it after 10 s: then its code is 137
    assert docker("inspect", "--format", "{{.State.ExitCode}}", NAME).stdout.strip() == "0"
    docker("start", NAME)
    _ready()
    docker("kill", NAME)
    docker("start", NAME)
    _ready()
    headers = {"PRIVATE-TOKEN": "glpat-twentycharacters0000"}
    assert httpx.get(f"{url}/api/v4/version", headers=headers).status_code == 200


def test_a_mistake_at_the_start_stops_the_container_with_its_reason() -> None:
    done = docker(
        "run", "--rm", "--env", "GITLAB_ROOT_PASSWORD=short", images.STANDIN, check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert "at least 8 characters" in done.stderr
