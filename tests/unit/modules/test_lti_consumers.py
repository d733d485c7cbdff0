"""Keys of course platforms: made once, kept, changed on request, never shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from ansible_collections.mooc.atelier.plugins.module_utils import _consumers
from hypothesis import given
from hypothesis import strategies as st
from kit.modules import run

SECRET = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "consumers.yml"


def kept(file: Path) -> dict[str, dict[str, object]]:
    data = yaml.safe_load(file.read_text())
    assert data["version"] == 1
    return {item.pop("key"): item for item in data["consumers"]}


def test_a_secret_is_generated_once_and_never_again(file: Path) -> None:
    wanted = [{"key": "fun", "platform": "fun"}]
    assert run("lti_consumers", path=str(file), consumers=wanted).changed
    first = kept(file)["fun"]["secret"]
    assert len(str(first)) == 64
    assert not run("lti_consumers", path=str(file), consumers=wanted).changed
    assert kept(file)["fun"]["secret"] == first


def test_two_generated_secrets_differ(file: Path) -> None:
    wanted = [{"key": key, "platform": "fun"} for key in ("one", "two")]
    run("lti_consumers", path=str(file), consumers=wanted)
    assert kept(file)["one"]["secret"] != kept(file)["two"]["secret"]


def test_a_new_file_is_for_its_owner_alone(file: Path) -> None:
    run("lti_consumers", path=str(file), consumers=[{"key": "fun", "platform": "fun"}])
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_mode_given_is_kept(file: Path) -> None:
    wanted = [{"key": "fun", "platform": "fun"}]
    assert run("lti_consumers", path=str(file), consumers=wanted, mode="0640").changed
    assert file.stat().st_mode & 0o777 == 0o640
    assert not run("lti_consumers", path=str(file), consumers=wanted, mode="0640").changed


def test_what_differs_is_changed_and_what_is_not_listed_stays(file: Path) -> None:
    run("lti_consumers", path=str(file), consumers=[
        {"key": "fun", "platform": "fun", "secret": SECRET},
        {"key": "moodle", "platform": "moodle", "secret": SECRET, "courses": ["rr1"]},
    ])  # fmt: skip
    again = [{"key": "moodle", "platform": "moodle", "courses": ["rr1", "stats"]}]
    changed = run("lti_consumers", path=str(file), consumers=again)
    assert changed.changed
    assert changed.result["diff"]["before"]["moodle"]["courses"] == ["rr1"]
    assert changed.result["diff"]["after"]["moodle"]["courses"] == ["rr1", "stats"]
    assert set(kept(file)) == {"fun", "moodle"}
    assert kept(file)["moodle"]["secret"] == SECRET


def test_what_is_not_listed_goes_where_the_list_is_all_there_is(file: Path) -> None:
    """A key that leaked, and whose entry was deleted from the inventory, launches no more."""
    both = [{"key": key, "platform": "fun", "secret": SECRET} for key in ("fun", "leaked")]
    run("lti_consumers", path=str(file), consumers=both)
    dry = run("lti_consumers", path=str(file), consumers=both[:1], exclusive=True, check=True)
    assert dry.changed
    assert dry.result["diff"]["after"] == {"leaked": None}
    assert set(kept(file)) == {"fun", "leaked"}
    ran = run("lti_consumers", path=str(file), consumers=both[:1], exclusive=True)
    assert ran.changed
    assert SECRET not in ran.written
    assert set(kept(file)) == {"fun"}
    assert not run("lti_consumers", path=str(file), consumers=both[:1], exclusive=True).changed
    assert run("lti_consumers", path=str(file), consumers=[], exclusive=True).changed
    assert kept(file) == {}


def test_absent_removes_and_is_content_when_there_is_none(file: Path) -> None:
    run("lti_consumers", path=str(file), consumers=[{"key": "fun", "platform": "fun"}])
    gone = [{"key": "fun", "state": "absent"}]
    assert run("lti_consumers", path=str(file), consumers=gone).changed
    assert kept(file) == {}
    assert not run("lti_consumers", path=str(file), consumers=gone).changed


def test_check_mode_says_what_would_change_and_writes_nothing(file: Path) -> None:
    wanted = [{"key": "fun", "platform": "fun"}]
    ran = run("lti_consumers", path=str(file), consumers=wanted, check=True)
    assert ran.changed
    assert ran.result["diff"]["after"]["fun"]["secret"] == "generated"
    assert not file.exists()


def test_no_secret_in_anything_the_module_says(file: Path) -> None:
    first = [{"key": "fun", "platform": "fun", "secret": SECRET}, {"key": "m", "platform": "m"}]
    second = [{"key": "fun", "platform": "fun", "secret": OTHER}, {"key": "m", "state": "absent"}]
    said = run("lti_consumers", path=str(file), consumers=first).written
    generated = str(kept(file)["m"]["secret"])
    replaced = run("lti_consumers", path=str(file), consumers=second)
    assert replaced.result["diff"]["after"]["fun"]["secret"] == "replaced"
    for secret in (SECRET, OTHER, generated):
        assert secret not in said + replaced.written


def test_the_passport_is_returned_on_request_only(file: Path) -> None:
    wanted = [{"key": "fun", "platform": "fun", "secret": SECRET}, {"key": "m", "platform": "m"}]
    assert "passports" not in run("lti_consumers", path=str(file), consumers=wanted).result
    ran = run("lti_consumers", path=str(file), consumers=wanted, return_passports=True)
    assert ran.result["passports"] == {
        "fun": f"atelier:fun:{SECRET}",
        "m": f"atelier:m:{kept(file)['m']['secret']}",
    }


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"key": "fun", "platform": "fun", "secret": "short"}, "at least 32"),
        ({"key": "fun", "platform": "fun", "secret": "with:colon" * 5}, "colons"),
        ({"key": "fun"}, "platform"),
        ({"key": "fun", "platform": "FUN!"}, "platform 'FUN!'"),
        ({"key": "fun", "platform": "fun\n"}, "platform"),
        ({"key": "f:un", "platform": "fun"}, "spaces and colons"),
        ({"key": "fun", "platform": "fun", "courses": ["No Slug"]}, "'No Slug'"),
        ({"key": "fun", "platform": "fun", "courses": ["rr1\n"]}, "'rr1\\n'"),
        ({"key": "fun", "platform": "fun", "rotate": "spring\n"}, "rotate"),
        ({"key": "fun\n", "platform": "fun"}, "spaces and colons"),
        ({"key": "fun", "platform": "fun", "grace": "14"}, "grace '14' is no duration"),
        ({"key": "fun", "platform": "fun", "grace": "-1d"}, "grace '-1d' is no duration"),
        ({"key": "fun", "platform": "fun", "grace": "91d"}, "longer than 90 days"),
        ({"key": "fun", "platform": "fun", "grace": "999999w"}, "longer than 90 days"),
        ({"key": "fun", "platform": "fun", "rotate": "a\nb"}, "rotate 'a\\nb'"),
        ({"key": "fun", "platform": "fun", "rotate": "a", "secret": SECRET}, "given as well"),
        ({"key": "fun", "platform": "fun", "hosts": ["https://a.example/"]}, "a host name"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_written(
    file: Path, item: dict[str, object], said: str
) -> None:
    good = {"key": "good", "platform": "fun"}
    ran = run("lti_consumers", path=str(file), consumers=[good, item])
    assert said in ran.failure
    assert str(item.get("secret", SECRET)) not in ran.failure
    assert not file.exists()


def test_one_key_twice_is_refused(file: Path) -> None:
    twice = [{"key": "fun", "platform": "fun"}, {"key": "fun", "platform": "moodle"}]
    assert "'fun' is listed twice" in run("lti_consumers", path=str(file), consumers=twice).failure


@pytest.mark.parametrize(
    "content",
    ["version: 2\nconsumers: []\n", "consumers: 3\n", "consumers: [{key: a}]\n", "a: [\n",
     "consumers: [{key: a, secret: s, platform: p, until: 2030-01-01}]\n"],
)  # fmt: skip
def test_a_file_it_does_not_understand_is_left_alone(file: Path, content: str) -> None:
    file.write_text(content)
    ran = run("lti_consumers", path=str(file), consumers=[{"key": "fun", "platform": "fun"}])
    assert str(file) in ran.failure
    assert file.read_text() == content


def test_the_new_file_is_refused_when_its_check_says_so(file: Path) -> None:
    wanted = [{"key": "fun", "platform": "fun"}]
    ran = run("lti_consumers", path=str(file), consumers=wanted, validate="grep nothing-of-this %s")
    assert "refused" in ran.failure
    assert not file.exists()


def test_the_hub_reads_what_the_module_writes(file: Path) -> None:
    settings = pytest.importorskip(
        "atelier.config.models", reason="the server's package is not there"
    )
    wanted = [
        {"key": "fun", "platform": "fun", "secret": SECRET},
        {"key": 'q"uote', "platform": "moodle", "courses": ["rr1"], "trust_email": True},
        {"key": "tied", "platform": "fun", "secret": SECRET, "hosts": ["LMS.fun.example"]},
    ]
    run("lti_consumers", path=str(file), consumers=wanted)
    assert not run("lti_consumers", path=str(file), consumers=wanted).changed
    read = settings.load(settings.Consumers, file)
    assert read.by_key("fun").secret.get_secret_value() == SECRET
    assert read.by_key('q"uote').courses == ("rr1",)
    assert read.by_key('q"uote').trust_email is True
    assert read.by_key('q"uote').hosts == ()
    assert read.by_key("tied").hosts == ("lms.fun.example",)


@pytest.mark.long
@given(
    st.lists(
        st.builds(
            _consumers.Consumer,
            key=st.from_regex(r"[!-9;-~]{1,20}", fullmatch=True),
            secret=st.text("0123456789abcdef", min_size=32, max_size=64),
            platform=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,62}", fullmatch=True),
            courses=st.none() | st.lists(st.just("rr1"), max_size=2).map(tuple),
            trust_email=st.booleans(),
            trust_roles=st.booleans(),
            hosts=st.lists(st.sampled_from(["lms.example", "10.1.2.3"]), max_size=2).map(tuple),
            rotation=st.none() | st.from_regex(r"[A-Za-z0-9._:+-]{1,64}", fullmatch=True),
            previous=st.lists(
                st.builds(
                    _consumers.Previous,
                    secret=st.text("0123456789abcdef", min_size=32, max_size=64),
                    until=st.datetimes(datetime(2020, 1, 1), timezones=st.just(UTC)).map(
                        lambda end: end.replace(microsecond=0)
                    ),
                ),
                max_size=3,
            ).map(tuple),
        ),
        unique_by=lambda one: one.key,
    )
)
def test_reading_gives_back_what_was_written(consumers: list[_consumers.Consumer]) -> None:
    text = _consumers.dump(tuple(consumers))
    assert _consumers.load(text, "test") == tuple(consumers)
    json.dumps(yaml.safe_load(text))
