"""Files of an earlier release, which took more: they are read as before, and the log says so."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from atelier.cli.settings import main
from atelier.config.invitations import Invitation, InvitationError, Invitations
from atelier.config.live import Courses, LiveConsumers, LiveRegistrations
from atelier.config.models import Consumers, Course, SettingsError, parse
from atelier.config.registrations import Registration, Registrations

WEAK = "s" * 40
COURSE = {
    "slug": "demo",
    "title": {"fr": "Démo", "en": "Demo"},
    "template": "demo/template",
    "image": "atelier/course-demo:abc",
}
CONSUMER = {"key": "fun", "platform": "fun", "secret": "a-secret" * 4}
REGISTRATION = {
    "key": "lms-13",
    "platform": "lms",
    "issuer": "https://lms.example",
    "client_ids": ["a"],
    "deployment_ids": ["1"],
    "auth_login_url": "https://lms.example/auth",
    "jwks_url": "https://lms.example/keys",
}
EARLIER_COURSES: list[dict[str, Any]] = [
    {"memory": "64M"}, {"cpu": 2000.0}, {"pids": 16}, {"max_file_mb": 10**12},
    {"consumers": ["my lms", "clé"]},
]  # fmt: skip
EARLIER_CONSUMERS: list[dict[str, Any]] = [
    {"key": "my lms"}, {"key": "fun:1"}, {"secret": WEAK}, {"secret": "é with spaces " * 4},
    {"key": "a-secret" * 4}, {"rotation": "two words"},
]  # fmt: skip
EARLIER_REGISTRATIONS: list[dict[str, Any]] = [
    {"key": "my lms"}, {"auth_audience": "a" * 2000},
    {"jwks_url": None, "jwks": {"keys": [{"kty": "RSA", "kid": "a", "n": "uuuw", "e": "AQAB"}]}},
]  # fmt: skip


def write(path: Path, data: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return path


def said(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(one.getMessage() for one in caplog.records if one.levelno == logging.WARNING)


@pytest.mark.parametrize("changes", EARLIER_COURSES)
def test_a_course_is_read_as_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    path = write(tmp_path / "demo.yml", {**COURSE, **changes})
    found = Courses(tmp_path).get("demo")
    assert found is not None
    key, value = next(iter(changes.items()))
    assert getattr(found, key) == (tuple(value) if isinstance(value, list) else value)
    assert f"{path}: {key}" in said(caplog)
    with pytest.raises(SettingsError, match=key):
        parse(Course, path.read_text(encoding="utf-8"), "new.yml")


@pytest.mark.parametrize("changes", EARLIER_CONSUMERS)
def test_a_consumer_is_read_as_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    entry = {**CONSUMER, **changes}
    path = write(tmp_path / "consumers.yml", {"consumers": [entry]})
    found = LiveConsumers(path).get().by_key(entry["key"])
    assert found is not None
    assert found.secret.get_secret_value() == entry["secret"]
    assert entry["secret"] not in said(caplog)
    with pytest.raises(SettingsError):
        parse(Consumers, path.read_text(encoding="utf-8"), "new.yml")


def test_a_former_secret_may_be_weak_as_another_takes_its_place() -> None:
    former = {"secret": WEAK, "until": "2030-01-01T00:00:00Z"}
    listed = yaml.safe_dump({"consumers": [{**CONSUMER, "previous": [former]}]})
    assert parse(Consumers, listed, "new.yml").consumers[0].previous


@pytest.mark.parametrize("changes", EARLIER_REGISTRATIONS)
def test_a_registration_is_read_as_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, Any]
) -> None:
    entry = {**REGISTRATION, **changes}
    path = write(tmp_path / "registrations.yml", {"registrations": [entry]})
    found = LiveRegistrations(path, tmp_path / "none.yml").get().by_key(entry["key"])
    assert found is not None
    assert str(path) in said(caplog)
    with pytest.raises(SettingsError):
        parse(Registrations, path.read_text(encoding="utf-8"), "new.yml")


def test_a_platform_that_joined_under_an_odd_key_stays_and_others_may_join(tmp_path: Path) -> None:
    write(tmp_path / "registrations.yml", {"registrations": [{**REGISTRATION, "key": "my lms"}]})
    invitations = Invitations(tmp_path)
    invitations.add(Registration.model_validate({**REGISTRATION, "client_ids": ["b"]}))
    assert [one.key for one in invitations.known().registrations] == ["my lms", "lms-13"]
    assert invitations.remove("my lms")


def test_an_invitation_made_before_is_read(tmp_path: Path) -> None:
    invitations = Invitations(tmp_path)
    code = invitations.invite(Invitation(key="lms", platform="lms", expires=2000))
    (file,) = tmp_path.glob("*.invitation")
    file.write_text(file.read_text().replace('"key":"lms"', '"key":"my lms"'))
    assert invitations.use(code, 1000).key == "my lms"
    with pytest.raises(InvitationError):
        invitations.use(code, 1000)


def test_the_whole_site_s_check_remarks_what_would_be_refused_in_a_new_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {
        "courses": str(tmp_path / "courses.d"),
        "consumers": str(tmp_path / "consumers.yml"),
        "registrations": str(tmp_path / "registrations.yml"),
    }
    site = {"hub_url": "https://hub.example", "gitlab_url": "https://gitlab.example"}
    path = write(tmp_path / "atelier.yml", {"site": site, "paths": paths})
    write(tmp_path / "courses.d/demo.yml", {**COURSE, "memory": "64M"})
    write(tmp_path / "consumers.yml", {"consumers": [{**CONSUMER, "secret": WEAK}]})
    plain = {**REGISTRATION, "jwks_url": "http://lms.example/keys"}
    write(tmp_path / "registrations.yml", {"registrations": [plain]})
    assert main(["check", str(path)]) == 0
    notes = capsys.readouterr().out
    assert "demo.yml: memory '64M' is too little" in notes
    assert "consumers.yml: secret is too easy to guess" in notes
    assert "jwks_url 'http://lms.example/keys' is not an https:// address" in notes
    assert WEAK not in notes
