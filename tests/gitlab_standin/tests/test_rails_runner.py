"""``gitlab-rails runner``: the documented recipes work against the running site."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from gitlab_standin.testing import Standin, process_environment

RECIPE = """
user = User.find_by_username('root')
token = user.personal_access_tokens.find_by(name: 'automation')
unless token&.active?
  token = user.personal_access_tokens.create(
    name: 'automation', scopes: %w[api sudo], expires_at: 365.days.from_now
  )
  token.set_token('glpat-abcdefghij0123456789')
  token.save!
  puts 'made'
end
"""


def _runner(standin: Standin, script: str, *, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "gitlab_standin.rails",
            "--root",
            str(standin.root),
            "runner",
            script,
        ],
        input=stdin,
        text=True,
        capture_output=True,
        env=process_environment(),
        check=False,
    )


def test_the_first_token_is_made_once(standin: Standin) -> None:
    assert standin.runner(RECIPE) == "made\n"
    assert standin.runner(RECIPE) == ""
    answer = httpx.get(
        f"{standin.url}/api/v4/user", headers={"PRIVATE-TOKEN": "glpat-abcdefghij0123456789"}
    )
    assert answer.json()["username"] == "root"
    standin.runner("PersonalAccessToken.find_by_token('glpat-abcdefghij0123456789').revoke!")
    again = _runner(standin, RECIPE)  # that token is dead, and its value cannot come back
    assert again.returncode == 1
    assert "RecordNotUnique" in again.stderr


def test_scripts_come_as_text_as_file_and_by_stdin(standin: Standin, tmp_path: Path) -> None:
    file = tmp_path / "script.rb"
    file.write_text("puts User.count\n")
    for script, stdin in (("puts User.count", ""), (str(file), ""), ("-", "puts User.count")):
        done = _runner(standin, script, stdin=stdin)
        assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("User.find(99)", "RecordNotFound"),
        ("raise 'no'", "no (RuntimeError)"),
        ("def x(", "SyntaxError"),
        (
            "User.first.personal_access_tokens.create!(name: 'x', scopes: [:all])",
            "available scopes",
        ),
        ("User.first.undefined_thing", "undefined method"),
    ],
)
def test_failures_end_with_an_error(standin: Standin, script: str, words: str) -> None:
    done = _runner(standin, script)
    assert done.returncode == 1
    assert words in done.stderr


def test_root_gets_another_password(standin: Standin) -> None:
    standin.runner(
        "u = User.find_by(username: 'root')\n"
        "u.password = u.password_confirmation = 'A-brand-new-1'\n"
        "u.save!\n"
    )
    url = f"{standin.url}/explore.git/info/refs?service=git-upload-pack"
    assert httpx.get(url, auth=("root", "A-brand-new-1")).status_code == 404
    assert httpx.get(url, auth=("root", standin.root_password)).status_code == 401


def test_create_that_is_refused_says_so(standin: Standin) -> None:
    script = (
        "t = User.first.personal_access_tokens.create(name: '', scopes: [:api])\n"
        "puts t.persisted?, t.errors\n"
    )
    assert standin.runner(script) == "false\nName can't be blank\n"
