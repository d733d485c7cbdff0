"""A forked run of ansible-playbook says and does what the program does, with its own settings."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from kit import playbook
from kit.classroom import LOCAL, environment
from world import venv

TASKS: list[dict[str, object]] = [
    {"ansible.builtin.command": "printenv NAME"},
    {"ansible.builtin.command": "false", "ignore_errors": True},
    {"ansible.builtin.debug": {"msg": "{{ lookup('config', 'DEFAULT_LOCAL_TMP') | dirname }}"}},
    {"mooc.atelier.lti_consumers": {"path": "{{ playbook_dir }}/keys", "consumers": []}},
    {"ansible.builtin.fail": {"msg": "the last"}},
]


@pytest.mark.parametrize(
    ("callback", "options"),
    [
        ("ansible.posix.json", ["--check", "--diff"]),
        ("ansible.builtin.default", ["-vvv"]),
        ("ansible.builtin.default", ["--no-such-option"]),
    ],
)
def test_a_fork_says_what_the_program_says(
    tmp_path: Path, callback: str, options: list[str]
) -> None:
    book = tmp_path / "play.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": TASKS}]))
    env = environment(tmp_path, {"NAME": "Ada", "ANSIBLE_STDOUT_CALLBACK": callback})
    words = [*LOCAL, *options, str(book)]
    program = subprocess.run(
        [venv.program("ansible-playbook"), *words],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (tmp_path / "keys").unlink(missing_ok=True)
    fork = playbook.run(*words, cwd=tmp_path, env=env)
    assert fork.returncode == program.returncode
    assert same(fork.stdout) == same(program.stdout)
    assert same(fork.stderr) == same(program.stderr)


def same(text: str) -> str:
    """The text without what differs from one run to the next."""
    text = re.sub(r"(executable location = ).*|bin/python3?", r"\1", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z?|\d{4}-\d\d-\d\d [\d:.]+|0:00:0[\d.]+", "<time>", text)
    return re.sub(r"(ansible-(?:local|tmp)-)[\w.-]+", r"\1", text)
