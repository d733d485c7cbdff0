"""A learner's username: stable, one for each (platform, user_id), fit for hub and GitLab."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.mooc.atelier.plugins.filter.learner_username import learner_username
from atelier.identity import is_username, username
from hypothesis import given
from hypothesis import strategies as st

platforms = st.text(min_size=1).filter(lambda text: "\0" not in text)
user_ids = st.text(min_size=1)


def test_known_names_never_change() -> None:
    # Accounts exist under these names: a change here would give every learner a new one.
    assert username("campus", "42") == "uk4xksxzgk3pdh6tm"
    assert username("fun", "42") != username("campus", "42")


@given(platforms, user_ids)
def test_a_name_has_one_shape(platform: str, user_id: str) -> None:
    name = username(platform, user_id)
    assert re.fullmatch("u[a-z2-7]{16}", name)
    assert is_username(name)
    assert name == username(platform, user_id)


@given(st.tuples(platforms, user_ids), st.tuples(platforms, user_ids))
def test_two_people_never_share_a_name(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (username(*one) == username(*other)) == (one == other)


@pytest.mark.parametrize(("platform", "user_id"), [("", "42"), ("campus", ""), ("a\0b", "42")])
def test_nobody_is_not_somebody(platform: str, user_id: str) -> None:
    with pytest.raises(ValueError, match="one character at least"):
        username(platform, user_id)


@pytest.mark.parametrize("name", ["", "root", "u" * 18, "uABCDEFGHIJKLMNOP", "u0123456789abcdef"])
def test_other_names_are_recognised_as_such(name: str) -> None:
    assert not is_username(name)


def test_the_filter_gives_the_same_names() -> None:
    assert learner_username("42", "campus") == username("campus", "42")
    assert learner_username(42, "campus") == username("campus", "42")
    for wrong in ("", None, True, ["42"]):
        with pytest.raises(AnsibleFilterError, match="learner_username"):
            learner_username(wrong, "campus")
