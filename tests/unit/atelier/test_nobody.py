"""Launches that are about nobody make no account."""

from __future__ import annotations

import pytest
from atelier.config.models import Consumer
from atelier.i18n.translate import LANGUAGES, say
from atelier.lti.anonymous_users import is_anonymous, refuse_anonymous
from atelier.lti.launch11 import Launch, LaunchError

CAMPUS = Consumer.model_validate({"key": "fun", "platform": "fun", "secret": "a-secret" * 4})


@pytest.mark.parametrize(
    "user_id",
    [
        "student", "Student", " student ", "None", "none", "null", "undefined", "anonymous",
        "AnonymousUser", "guest", "", " ", "0", "-1", "$User.id", "${user_id}", "{{ user_id }}",
        "%%USER_ID%%", "<user>",
    ],
)  # fmt: skip
def test_a_placeholder_is_nobody(user_id: str) -> None:
    assert is_anonymous(user_id)
    with pytest.raises(LaunchError) as refused:
        refuse_anonymous(Launch(CAMPUS, {"user_id": user_id}))
    assert (refused.value.key, refused.value.status) == ("launch_nobody", 403)


@pytest.mark.parametrize(
    "user_id",
    [
        "1", "42", "00", "students", "student1", "student-42", "nonetheless", "nulls", "ada",
        "d41d8cd98f00b204e9800998ecf8427e", "59f9a3b6-3d0e-4d0c-9d0e-0f6f2c1f4b1a", "guest-7",
        "ada@campus.example",
    ],
)  # fmt: skip
def test_a_person_is_somebody(user_id: str) -> None:
    assert not is_anonymous(user_id)
    refuse_anonymous(Launch(CAMPUS, {"user_id": user_id}))
    refuse_anonymous(Launch(CAMPUS, {"user_id": user_id}, {"sub": user_id}))


def test_a_migrated_learner_is_asked_for_in_both_versions() -> None:
    with pytest.raises(LaunchError):
        refuse_anonymous(Launch(CAMPUS, {"user_id": "42"}, {"sub": "None"}))
    with pytest.raises(LaunchError):
        refuse_anonymous(Launch(CAMPUS, {"user_id": "student"}, {"sub": "42"}))


def test_the_sentence_says_how_to_try_a_link() -> None:
    assert all("View live" in say("launch_nobody", lang) for lang in LANGUAGES)
