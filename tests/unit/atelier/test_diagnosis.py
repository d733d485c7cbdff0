"""Why a signature is wrong: each usual cause is found, and nothing is told to who has no secret."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from atelier.cli import diagnose as diagnose_command
from atelier.config.models import Consumers
from atelier.lti.diagnosis11 import cause_of
from atelier.lti.launch11 import expected_signature
from atelier.lti.roles import has_teacher_role

URL = "https://hub.mooc.example:8443/hub/lti/launch"
SECRET, OTHER, FORMER = "a-secret" * 5, "another-" * 5, "former-1" * 5
CONSUMERS = Consumers.model_validate(
    {
        "consumers": [
            {
                "key": "campus",
                "secret": SECRET,
                "platform": "campus",
                "previous": [{"secret": FORMER, "until": "2020-01-01T00:00:00Z"}],
            },
            {"key": "other", "secret": OTHER, "platform": "other"},
        ]
    }
)
PARAMS = {
    "oauth_consumer_key": "campus",
    "oauth_nonce": "n",
    "oauth_timestamp": "1800000000",
    "oauth_signature_method": "HMAC-SHA1",
    "user_id": "42",
    "custom_text": "two lines\r\nand é & more",
}
Pairs = list[tuple[str, str]]


def found(
    *,
    url: str = URL,
    query: str = "",
    secret: str = SECRET,
    seen_host: str = "127.0.0.1:8000",
    signed: Callable[[Pairs], Pairs] = lambda pairs: pairs,
    sent_query: str = "",
) -> tuple[str, dict[str, str]] | None:
    """The cause found for a launch signed that way."""
    pairs = list(PARAMS.items())
    signature = expected_signature(url, query, signed(pairs), "campus", secret)
    body = urlencode([*pairs, ("oauth_signature", signature)]).encode()
    cause = cause_of(body, url=URL, query=sent_query, seen_host=seen_host, consumers=CONSUMERS)
    if cause is None:
        return None
    assert not {SECRET, OTHER, FORMER} & set(cause.in_english().split())
    return cause.key, cause.fields


@pytest.mark.parametrize(
    "address",
    [
        "http://hub.mooc.example:8443/hub/lti/launch",
        "http://hub.mooc.example/hub/lti/launch",
        "https://hub.mooc.example/hub/lti/launch",
        "https://hub.mooc.example:8443/hub/lti/launch/",
        "http://127.0.0.1:8000/hub/lti/launch",
    ],
)
def test_another_address_is_named(address: str) -> None:
    cause = found(url=address)
    assert cause is not None
    assert cause[0] == "cause_address"
    assert cause[1]["right"] == URL
    assert cause[1]["signed"] in (address, address.replace("example/", "example:80/"))


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (FORMER, "cause_former_secret"),
        (OTHER, "cause_other_secret"),
        (SECRET + " ", "cause_space_in_secret"),
        (SECRET + "\n", "cause_space_in_secret"),
    ],
)
def test_another_secret_is_named_and_not_shown(secret: str, key: str) -> None:
    cause = found(secret=secret)
    assert cause is not None
    assert cause[0] == key


def test_values_written_otherwise_after_signing_are_told() -> None:
    for change in (
        lambda value: value.replace("\r\n", "\n"),
        lambda value: value.replace("&", "&amp;"),
    ):
        cause = found(signed=lambda pairs, c=change: [(name, c(value)) for name, value in pairs])
        assert cause == ("cause_encoding", {})


def test_a_parameter_added_later_is_named() -> None:
    cause = found(signed=lambda pairs: [pair for pair in pairs if pair[0] != "custom_text"])
    assert cause == ("cause_unsigned", {"name": "'custom_text'"})


def test_an_unsigned_query_is_told() -> None:
    assert found(sent_query="course=demo") == ("cause_query", {})


def test_who_has_no_secret_learns_nothing() -> None:
    assert found(secret="guess" * 10) is None
    assert cause_of(b"\xff", url=URL, query="", seen_host="x", consumers=CONSUMERS) is None
    assert cause_of(b"a=1", url=URL, query="", seen_host="x", consumers=CONSUMERS) is None


LOG = """\
launch refused [aaaaaaaa] launch_replay: consumer 'x': replay
[W 2026 JupyterHub] launch refused [0123abcd] launch_consumer: no consumer 'y'
"""


def test_a_reference_leads_to_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnose_command.main(["0123ABCD"], lambda _: LOG) == 0
    said = capsys.readouterr().out
    assert "no consumer 'y'" in said
    assert "atelier_consumers" in said
    assert "replay" not in said


@pytest.mark.parametrize("reference", ["deadbeef", "x", "--help-me", "0123abcd; rm"])
def test_a_wrong_reference_is_told(reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    if reference.startswith("--"):
        with pytest.raises(SystemExit):
            diagnose_command.main([reference], lambda _: LOG)
    else:
        assert diagnose_command.main([reference], lambda _: LOG) == 1
        assert capsys.readouterr().err


@pytest.mark.parametrize(
    ("roles", "staff"),
    [
        ("Instructor", True),
        ("Student,Administrator", True),
        ("urn:lti:role:ims/lis/Instructor", True),
        ("Learner", False),
        ("", False),
        ("NotInstructor", False),
        ("urn:lti:sysrole:ims/lis/Administrator", False),
    ],
)
def test_roles_of_a_team(roles: str, staff: bool) -> None:
    assert has_teacher_role(roles) is staff
