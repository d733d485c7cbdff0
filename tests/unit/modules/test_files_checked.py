"""The module `files` on the controller: a list that is not understood is refused whole."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.mooc.atelier.plugins.action.files import checked

A = {"dest": "/srv/a", "content": "text"}


def dests(*entries: Any) -> list[str]:
    return [entry["dest"] for entry in checked({"files": list(entries)})]


def test_entries_get_their_defaults() -> None:
    (entry,) = checked({"files": [A]})
    assert (entry["owner"], entry["group"], entry["mode"]) == ("root", "root", None)
    assert (entry["state"], entry["diff"], entry["force"]) == ("file", True, True)


def test_an_entry_that_does_not_count_is_left_out_and_not_looked_at() -> None:
    assert dests(A | {"when": False}, A, {"dest": "x", "when": "no"}) == ["/srv/a"]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"content": "text"}, "missing required arguments: dest"),
        (A | {"contnet": "text"}, "files.contnet"),
        (A | {"state": "touch"}, "state must be one of"),
        ({"dest": "srv/a"}, "absolute path, and is 'srv/a'"),
        ({"dest": "~/a"}, "absolute path"),
        ({"dest": ""}, "absolute path"),
        ({"dest": "/srv/a", "remote_src": "b"}, "remote_src must be an absolute path"),
        ({"dest": "/srv/*", "state": "absent", "keep": ["b"]}, "keep must be an absolute path"),
        ({"dest": "/", "state": "absent"}, "whole machine"),
        ({"dest": "/srv/..", "state": "directory"}, "whole machine"),
        ({"dest": "/*", "state": "absent"}, "whole machine"),
        ({"dest": "//s*/a", "state": "absent"}, "whole machine"),
        (A | {"template": "a.j2"}, "content and template cannot be"),
        ({"dest": "/srv/a", "src": "a", "remote_src": "/b"}, "src and remote_src cannot be"),
        (A | {"state": "directory"}, "content cannot be"),
        (A | {"state": "absent"}, "content cannot be"),
        (A | {"state": "existing"}, "content cannot be"),
        (A | {"content": {"a": 1}}, "content must be a text"),
        (A | {"content": [1]}, "content must be a text"),
        (A | {"mode": 0o644}, "octal digits in quotes, and is 420"),
        (A | {"mode": "u+x"}, "octal digits in quotes, and is 'u\\+x'"),
        (A | {"mode": "0888"}, "octal digits"),
        (A | {"mode": "preserve"}, "octal digits"),
        (A | {"validate": "sh -n"}, "needs %s"),
    ],
)
def test_what_is_not_understood_is_refused_and_named(entry: dict[str, Any], fault: str) -> None:
    with pytest.raises(AnsibleActionFail, match=fault):
        checked({"files": [{"dest": "/srv/first"}, entry]})


def test_secrets_are_not_in_what_is_said_of_them() -> None:
    with pytest.raises(AnsibleActionFail) as refused:
        checked({"files": [A | {"content": "secret", "mode": "9", "vars": "secret"}]})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("mode", ["644", "0644", "4755", ""])
def test_modes_are_three_or_four_digits(mode: str) -> None:
    assert dests(A | {"mode": mode}) == ["/srv/a"]


@pytest.mark.parametrize("same", ["/srv/a", "/srv//a", "/srv/./a", "//srv/a/", "/srv/b/../a"])
def test_a_path_comes_once_however_it_is_written(same: str) -> None:
    with pytest.raises(AnsibleActionFail, match="is there twice"):
        dests(A, {"dest": same, "state": "existing"})


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({}, "missing required arguments: files"),
        ({"files": None}, "cannot be converted to a list"),
        ({"files": [], "backup": True}, "backup"),
        ({"files": ["text"]}, "dictionary"),
        ({"files": "text"}, "dictionary"),
    ],
)
def test_arguments_that_are_no_list_of_entries_are_refused(
    arguments: dict[str, Any], fault: str
) -> None:
    with pytest.raises(AnsibleActionFail, match=fault):
        checked(arguments)


def test_an_entry_may_be_written_on_one_line() -> None:
    assert dests("dest=/srv/a mode=0644") == ["/srv/a"]


def test_a_name_may_have_the_characters_of_a_pattern() -> None:
    assert dests({"dest": "/srv/[a]", "content": "text"}) == ["/srv/[a]"]
