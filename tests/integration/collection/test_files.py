"""The module `files` in a role: sources are found as Ansible finds them, secrets stay unseen."""

from __future__ import annotations

import base64
import getpass
import grp
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from integration.collection.conftest import ansible
from world import paths

SECRETS = ("secret-of-content", "secret-of-template", "secret-of-file", "secret-of-vault",
           "secret-before", "secret-refused")  # fmt: skip
TEMPLATE = """\
# {{ ansible_managed }}
{% for name in names %}
  {{ name }}: {{ greeting }}
{% endfor %}
{% include 'included.j2' %}
{# nobody reads this #}
"""
ROLE = {
    "templates/text.j2": TEMPLATE,
    "templates/included.j2": "included by {{ role_name }}\n",
    "templates/alone.j2": "{{ names }}",
    "templates/nothing.j2": "{{ none }}",
    "templates/secret.j2": "password={{ secret }}\n",
    "templates/wrong.j2": "{{ there_is_no_such_variable }}\n",
    "files/given": "of the role\n",
    "files/secret": "secret-of-file\n",
    "files/folder/x": "text",
}
CLEAR = (  # not the word itself, which would be in the play's output
    "grep -rlE 'secret-of-vaul[t]' {{ lookup('config', 'DEFAULT_LOCAL_TMP') | dirname }} || true"
)
ME = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}
RESULTS = "{{ dict(registered | zip(query('vars', *registered))) | to_json }}"


@dataclass(frozen=True)
class Played:
    """What a play said and left."""

    said: str
    place: Path
    results: dict[str, Any]


def entries(place: Path) -> list[dict[str, Any]]:
    secret = {"mode": "0600", "diff": False}
    found: list[dict[str, Any]] = [
        {"dest": "", "state": "directory"},
        {"dest": "text", "template": "text.j2", "vars": {"greeting": "bonjour"}},
        {"dest": "alone", "template": "alone.j2"},
        {"dest": "nothing", "template": "nothing.j2"},
        {"dest": "given", "src": "given", "mode": "0755"},
        {"dest": "content", "content": "{{ names | join(' ') }}\n"},
        {"dest": "left-out", "content": "text", "when": "{{ names | length == 0 }}"},
        {"dest": "s-content", "content": "{{ secret_content }}", **secret},
        {"dest": "s-template", "template": "secret.j2", "vars": {"secret": SECRETS[1]}, **secret},
        {"dest": "s-file", "src": "secret", **secret},
        {"dest": "s-vault", "src": "vault", **secret},
        {"dest": "s-copy", "remote_src": f"{place}/s-vault", **secret},
        {"dest": "../changed", "content": "{{ secret_content }}", **secret},
    ]
    return [{**ME, **entry, "dest": f"{place}/{entry['dest']}"} for entry in found]


def task(name: str, module: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, module: arguments, "register": f"r_{name}", **more}


def files(name: str, given: Any, **more: Any) -> dict[str, Any]:
    return task(name, "mooc.atelier.files", {"files": given}, **more)


def tasks(place: Path) -> list[dict[str, Any]]:
    a = {"dest": f"{place}/wrong"}
    refused = {
        "content": "secret-refused",
        "validate": "sh -c 'cat %s; exit 1'",
        "diff": False,
        **ME,
    }
    stock = {"src": "{{ item }}.j2", "dest": f"{place}/stock-{{{{ item }}}}"}
    refusals = {
        "no_template": [a | {"template": "no.j2"}],
        "no_src": [a | {"src": "no"}],
        "folder": [a | {"src": "folder"}],
        "undefined": [a | {"template": "wrong.j2"}],
        "refused": [a | refused],
        "twice": [a, a],
    }
    return [
        files("dry", "{{ wanted }}", check_mode=True),
        task("between", "ansible.builtin.debug", {"msg": f"{{{{ '{place}' is exists }}}}"}),
        files("first", "{{ wanted }}"),
        files("second", "{{ wanted }}"),
        task("left", "ansible.builtin.debug", {"msg": f"{{{{ lookup('pipe', \"{CLEAR}\") }}}}"}),
        task("stock", "ansible.builtin.template", stock,
             loop=["text", "alone"], vars={"greeting": "bonjour"}),
        files("nobody", [a | {"when": False}]),
        *(files(name, given, ignore_errors=True) for name, given in refusals.items()),
        task("unknown", "mooc.atelier.files", {"file": [a]}, ignore_errors=True),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One play with all of it, as loud as it is used to find a mistake."""
    folder = tmp_path_factory.mktemp("files")
    place, role = folder / "place", folder / "roles/demo"
    for name, text in ROLE.items():
        (role / name).parent.mkdir(parents=True, exist_ok=True)
        (role / name).write_text(text)
    (folder / "password").write_text("x")
    vault = VaultLib([("default", VaultSecret(b"x"))])
    (role / "files/vault").write_bytes(vault.encrypt("secret-of-vault\n"))
    known = {
        "wanted": entries(place),
        "names": ["a", "b"],
        "greeting": "hello",
        "secret_content": "secret-of-content",
    }
    (folder / "changed").write_text("secret-before")
    (folder / "changed").chmod(0o600)
    steps = tasks(place)
    registered = [step["register"] for step in steps]
    results = {"dest": f"{folder}/results.json", "content": RESULTS, "diff": False}
    steps.append(files("results", [results | ME], vars={"registered": registered}))
    for name, value in (("tasks", steps), ("vars", known)):
        (role / name).mkdir()
        (role / name / "main.yml").write_text(yaml.safe_dump(value, sort_keys=False))
    play = {"hosts": "localhost", "gather_facts": False, "roles": ["demo"]}
    (folder / "site.yml").write_text(yaml.safe_dump([play]))
    done = ansible(
        folder,
        paths.link_collection(),
        "ansible-playbook",
        *("-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"),
        *("--vault-password-file", "password", "-vvv", "--diff", "site.yml"),
    )
    found = json.loads((folder / "results.json").read_text())
    results_by_name = {name.removeprefix("r_"): value for name, value in found.items()}
    return Played(done.stdout + done.stderr, place, results_by_name)


def names_of(result: dict[str, Any]) -> list[str]:
    assert not result.get("failed"), result
    return [Path(path).name for path in result["changed_paths"]]


def test_a_dry_run_leaves_nothing(played: Played) -> None:
    assert played.results["dry"]["changed"]
    assert played.results["between"]["msg"] is False


def test_each_file_is_made_once_and_one_that_does_not_count_is_not(played: Played) -> None:
    wanted = {Path(entry["dest"]).name for entry in entries(played.place)} - {"left-out"}
    assert set(names_of(played.results["first"])) == wanted
    assert set(names_of(played.results["dry"])) == wanted
    assert names_of(played.results["second"]) == []
    assert not (played.place / "left-out").exists()


def test_templates_are_rendered_as_by_ansibles_own_module(played: Played) -> None:
    for name in ("text", "alone"):
        ours, stock = played.place / name, played.place / f"stock-{name}"
        assert ours.read_bytes() == stock.read_bytes(), name
    assert (played.place / "nothing").read_bytes() == b""
    text = (played.place / "text").read_text()
    assert text == "# Ansible managed\n  a: bonjour\n  b: bonjour\nincluded by demo\n"


def test_files_are_those_of_the_role(played: Played) -> None:
    assert (played.place / "given").read_text() == "of the role\n"
    assert (played.place / "given").stat().st_mode & 0o777 == 0o755
    assert (played.place / "content").read_text() == "a b\n"


def test_secrets_arrive(played: Played) -> None:
    found = {name: (played.place / f"s-{name}").read_text() for name in
             ("content", "template", "file", "vault", "copy")}  # fmt: skip
    found["changed"] = (played.place.parent / "changed").read_text()
    assert found == {
        "content": "secret-of-content",
        "template": "password=secret-of-template\n",
        "file": "secret-of-file\n",
        "vault": "secret-of-vault\n",
        "copy": "secret-of-vault\n",
        "changed": "secret-of-content",
    }
    assert {path.stat().st_mode & 0o777 for path in played.place.glob("s-*")} == {0o600}


def test_secrets_are_seen_nowhere(played: Played) -> None:
    assert "bonjour" in played.said  # differences are shown
    for secret in SECRETS:
        assert secret not in played.said
        for text in (secret, f"{secret}\n", f"password={secret}\n"):
            assert base64.b64encode(text.encode()).decode() not in played.said
    assert "another content (not shown)" in played.said


def test_no_clear_copy_of_a_vaults_file_stays_on_the_controller(played: Played) -> None:
    assert played.results["left"]["msg"] == ""


def test_a_list_without_an_entry_that_counts_does_not_reach_the_target(played: Played) -> None:
    assert played.results["nobody"]["changed"] is False
    assert "invocation" not in played.results["nobody"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_template", "no.j2"),
        ("no_src", "Could not find or access 'no'"),
        ("folder", "files/folder"),
        ("undefined", "'there_is_no_such_variable' is undefined"),
        ("refused", "holds secrets"),
        ("twice", "is there twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(played: Played, name: str, said: str) -> None:
    result = played.results[name]
    assert result["failed"]
    assert said in result["msg"]
    assert f"{played.place}/wrong" in result["msg"]
    assert not (played.place / "wrong").exists()


def test_a_mistyped_option_is_refused(played: Played) -> None:
    assert played.results["unknown"]["failed"]
    assert "file" in played.results["unknown"]["msg"]
