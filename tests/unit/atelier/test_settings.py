"""Settings files: errors say key, value and file; changes are seen without a restart."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml
from atelier.cli.settings import main
from atelier.config.credentials import Credentials
from atelier.config.live import Courses, LiveConsumers
from atelier.config.models import Consumers, Settings, SettingsError, parse

SITE = {
    "site": {"hub_url": "https://hub.mooc.example", "gitlab_url": "https://gitlab.mooc.example"}
}
COURSE = {
    "slug": "demo",
    "title": {"fr": "Démo", "en": "Demo"},
    "template": "demo/template",
    "image": "atelier/course-demo:abc",
}
SECRET = "a-shared-secret-that-must-stay-out-of-messages"
CONSUMER = {"key": "campus", "secret": SECRET, "platform": "campus"}


def write(path: Path, data: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name("." + path.name)
    new.write_text(data if isinstance(data, str) else yaml.safe_dump(data))
    new.replace(path)
    return path


def test_two_addresses_are_enough() -> None:
    settings = parse(Settings, yaml.safe_dump(SITE), "atelier.yml")
    assert settings.site.mail_domain == "mooc.example"
    assert settings.site.noreply_email("u1") == "u1@users.noreply.mooc.example"
    assert settings.hub.concurrent_spawn_limit == 20


@pytest.mark.parametrize(
    ("hub_url", "origin"),
    [
        ("https://Hub.MOOC.example", "https://hub.mooc.example"),
        ("https://hub.mooc.example:443", "https://hub.mooc.example"),
        ("https://hub.mooc.example:8443/atelier", "https://hub.mooc.example:8443"),
        ("HTTP://hub.mooc.example:80/", "http://hub.mooc.example"),
        ("http://hub.mooc.example:443", "http://hub.mooc.example:443"),
    ],
)
def test_forms_are_taken_from_the_hub_s_pages_however_its_address_is_written(
    hub_url: str, origin: str
) -> None:
    text = yaml.safe_dump({"site": {**SITE["site"], "hub_url": hub_url}})
    assert parse(Settings, text, "atelier.yml").site.hub_origin == origin


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("settings", {}, "site: this key is missing"),
        ("settings", {**SITE, "hubb": {}}, "hubb: no such key"),
        (
            "settings",
            {**SITE, "hub": {"concurrent_spawn_limit": 0}},
            "hub.concurrent_spawn_limit = 0: Input should be greater than 0",
        ),
        (
            "settings",
            {"site": {**SITE["site"], "gitlab_url": "gitlab.mooc.example"}},
            "site.gitlab_url = 'gitlab.mooc.example': must be an http:// or https:// address",
        ),
        ("settings", "site: [", "(line 1): not valid YAML"),
        ("course", {**COURSE, "slug": "Démo"}, "slug = 'Démo': is not usable: Use 2 to 40"),
        ("course", {**COURSE, "start_file": "../x"}, "start_file = '../x': must be a relative"),
        ("course", {**COURSE, "memory": "1 Gigabyte"}, "memory = '1 Gigabyte'"),
        ("consumers", {"consumers": [CONSUMER, CONSUMER]}, "two consumers have the key 'campus'"),
        ("consumers", {"version": 2}, "version = 2: Input should be 1"),
    ],
)
def test_an_error_names_file_key_and_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, data: object, said: str
) -> None:
    path = write(tmp_path / "file.yml", data)
    assert main(["check", str(path), "--kind", kind]) == 1
    message = capsys.readouterr().err
    assert message.startswith(str(path))
    assert said in message


def test_a_short_secret_is_refused_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "c.yml", {"consumers": [{**CONSUMER, "secret": "hunter2"}]})
    assert main(["check", str(path), "--kind", "consumers"]) == 1
    message = capsys.readouterr().err
    assert "consumers.0.secret" in message
    assert "at least 32" in message
    assert "hunter2" not in message


def test_secrets_do_not_show(tmp_path: Path) -> None:
    del tmp_path
    consumers = parse(Consumers, yaml.safe_dump({"consumers": [CONSUMER]}), "consumers.yml")
    assert SECRET not in repr(consumers)
    with pytest.raises(SettingsError) as error:
        parse(Consumers, yaml.safe_dump({"consumers": [{**CONSUMER, "courses": 3}]}), "c.yml")
    assert SECRET not in str(error.value)


def test_yaml_errors_do_not_repeat_a_secret() -> None:
    with pytest.raises(SettingsError, match=r"line 1.*not repeated") as error:
        parse(Consumers, f"consumers: [{{key: campus, secret: *{SECRET}}}]", "consumers.yml")
    assert SECRET not in str(error.value)


def test_the_whole_site_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = {"courses": str(tmp_path / "courses.d"), "consumers": str(tmp_path / "consumers.yml")}
    path = write(tmp_path / "atelier.yml", {**SITE, "paths": paths})
    write(tmp_path / "courses.d" / "demo.yml", {**COURSE, "consumers": ["nobody"]})
    write(tmp_path / "consumers.yml", {"consumers": [{**CONSUMER, "courses": ["nothing"]}]})
    assert main(["check", str(path)]) == 0
    notes = capsys.readouterr().out
    assert "'nobody'" in notes
    assert "'nothing'" in notes
    write(tmp_path / "courses.d" / "other.yml", COURSE)
    assert main(["check", str(path)]) == 1
    assert "slug = 'demo': must be the file's name, 'other'" in capsys.readouterr().err


def test_courses_are_read_as_they_are_now(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    courses = Courses(tmp_path)
    assert courses.all() == {}
    path = write(tmp_path / "demo.yml", COURSE)
    assert courses.get("demo") is not None
    write(path, {**COURSE, "memory": "2G"})
    changed = courses.get("demo")
    assert changed is not None
    assert changed.memory == "2G"
    with caplog.at_level(logging.ERROR):
        write(path, "slug: [")
        for _ in range(5):
            kept = courses.get("demo")
    assert kept == changed
    assert len(caplog.records) == 1, "said once"
    path.unlink()
    assert courses.get("demo") is None


def test_consumers_are_read_as_they_are_now(tmp_path: Path) -> None:
    path = tmp_path / "consumers.yml"
    live = LiveConsumers(path)
    assert live.get().by_key("campus") is None
    write(path, {"version": 1, "consumers": [CONSUMER]})
    found = live.get().by_key("campus")
    assert found is not None
    assert found.secret.get_secret_value() == SECRET
    write(path, {"consumers": []})
    assert live.get().by_key("campus") is None


def test_a_missing_credential_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "present").write_text("value\n")
    assert Credentials(tmp_path).get("present") == "value"
    assert Credentials(tmp_path).optional("absent") is None
    with pytest.raises(SettingsError, match="'absent'"):
        Credentials(tmp_path).get("absent")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(SettingsError, match="not set"):
        Credentials().get("present")
