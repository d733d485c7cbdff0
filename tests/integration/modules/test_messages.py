"""What is wrong is said in words, what is secret never is; a peer finds nothing left to do."""

from __future__ import annotations

import http.server
import json
import ssl
import subprocess
import threading
import time
import venv as virtual
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kit import playbook
from kit.classroom import LOCAL, PROVIDER, Classroom, environment

MODULES: dict[str, dict[str, Any]] = {
    "gitlab_learners": {"learners": [{"username": "nobody"}]},
    "gitlab_forks": {"template": "a/b", "learners": ["nobody"]},
    "gitlab_learners_info": {},
    "gitlab_forks_info": {"template": "a/b"},
}


def message(room: Classroom, module: str = "gitlab_learners", **changes: Any) -> str:
    told = room.play(room.task(module, expected=False, **MODULES[module], **changes)).last()
    assert told["failed"]
    return str(told["msg"])


@contextmanager
def server(answer: Any, code: int = 200, certificate: Path | None = None) -> Iterator[str]:
    """Something that is not our GitLab."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        made.socket = context.wrap_socket(made.socket, server_side=True)
        scheme = "https"
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"{scheme}://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        made.server_close()


@pytest.mark.parametrize("module", MODULES)
def test_a_wrong_token(room: Classroom, module: str) -> None:
    room.token_file.write_text("glpat-wrongwrongwrongwrong")
    told = message(room, module)
    assert "refuses the token" in told
    assert str(room.token_file) in told
    assert "glpat-wrong" not in told


def test_tokens_that_are_not_enough(room: Classroom) -> None:
    root = room.gitlab.users.get(1)
    small = root.impersonationtokens.create({"name": "small", "scopes": ["read_api"]})
    room.token_file.write_text(small.token)
    assert "lacks the scope api" in message(room)

    room.token_file.write_text(room.standin.root_token)
    room.prepare(room.task("gitlab_learners", learners=room.learners(1)))
    learner = room.accounts()[room.names(1)[0]]
    own = learner.impersonationtokens.create({"name": "own", "scopes": ["api"]})
    room.token_file.write_text(own.token)
    assert "not an administrator" in message(room)

    room.token_file.unlink()
    assert "cannot be read" in message(room)


@pytest.mark.usefixtures("short_pauses")
def test_a_wrong_address(room: Classroom, tmp_path: Path) -> None:
    task = room.task("gitlab_learners", expected=False, **MODULES["gitlab_learners"])
    task["mooc.atelier.gitlab_learners"]["api_url"] = "http://127.0.0.1:9"
    assert "cannot be reached" in room.prepare(task)["msg"]
    with server(b"<html>hello</html>", 404) as room.url:
        assert "No GitLab API" in message(room)
    with server(b"<html>hello</html>") as room.url:
        assert "is not GitLab" in message(room)
    with server({"version": "15.11.2"}) as room.url:
        told = message(room)
        assert "GitLab >= 17.0 is needed" in told
        assert "15.11.2" in told
    pair = tmp_path / "pair.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", pair, "-out", pair],
        check=True, capture_output=True,
    )  # fmt: skip
    with server({"version": "18.0.0"}, certificate=pair) as room.url:
        told = message(room)
        assert "certificate" in told
        assert "atelier_ca_certificates" in told


def test_a_missing_library(room: Classroom, tmp_path: Path) -> None:
    virtual.create(tmp_path / "bare", with_pip=False)
    interpreter = tmp_path / "bare/bin/python"
    told = room.play(
        room.task("gitlab_learners", expected=False, **MODULES["gitlab_learners"]),
        options=["-e", f"ansible_python_interpreter={interpreter}"],
    ).last()
    assert "python-gitlab >= 3.12 is needed" in told["msg"]
    assert str(interpreter) in told["msg"]


def test_the_token_is_seen_nowhere(room: Classroom) -> None:
    """Not at -vvvv, not in a failure, not in any process's arguments or environment."""
    gitlab = room.gitlab
    token = room.standin.root_token
    group = gitlab.groups.create({"name": room.prefix, "path": room.prefix})
    project = gitlab.projects.create({"name": "template", "namespace_id": group.id})

    def commit(name: str) -> None:
        project.commits.create(
            {"branch": "main", "commit_message": name,
             "actions": [{"action": "create", "file_path": name, "content": name}]}
        )  # fmt: skip

    commit("one.md")
    forks = room.task(
        "gitlab_forks", template=f"{room.prefix}/template", learners=room.names(30),
        update="merge_request",
    )  # fmt: skip
    make = room.task("gitlab_learners", learners=room.learners(30))
    bad = room.task("gitlab_learners", expected=False, learners=[{"username": "root"}])
    told = room.play(
        make, forks, bad, options=["-vvvv", "--diff"], callback="ansible.builtin.default"
    )
    assert told.returncode == 0, told.written[-3000:]
    commit("two.md")
    process = room.start(forks, options=["-vvvv", "--diff"], callback="ansible.builtin.default")
    reader: list[str] = []
    assert process.stdout is not None
    thread = threading.Thread(target=lambda: reader.extend(process.stdout or []))
    thread.start()
    seen, pushes = set(), 0
    while process.poll() is None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes()
                pushes += b"git\0" in words and b"push" in words
                words += (folder / "environ").read_bytes()
            except OSError:
                continue
            if token.encode() in words:
                seen.add(words[:200])
        time.sleep(0.02)
    thread.join()
    written = told.written + "".join(reader)
    assert pushes > 0
    assert seen == set()
    assert "'fast_forwarded': 30" in written or '"fast_forwarded": 30' in written
    assert token not in written
    assert "glpat-" not in written


def test_a_peer_finds_nothing_to_do(room: Classroom) -> None:
    learners = room.learners(3)
    room.prepare(room.task("gitlab_learners", learners=learners, external=False))
    before = {name: user.asdict() for name, user in room.accounts().items()}
    peer = [
        {
            "community.general.gitlab_user": {
                "api_url": room.url,
                "api_token": room.standin.root_token,
                "username": one["username"],
                "name": one["name"],
                "email": one["email"],
                "confirm": False,
                "external": False,
                "identities": [{"provider": PROVIDER, "extern_uid": one["username"]}],
            }
        }
        for one in learners
    ]
    played = room.play(*peer)
    assert [told["changed"] for told in played.results] == [False, False, False]
    after = {name: user.asdict() for name, user in room.accounts().items()}
    for name, user in before.items():
        for volatile in ("updated_at", "last_activity_on"):
            user.pop(volatile, None)
            after[name].pop(volatile, None)
        assert after[name] == user
    assert not room.play(room.task("gitlab_learners", learners=learners)).last()["changed"]


def test_settings_given_once_in_module_defaults(room: Classroom) -> None:
    book = room.folder / "group.yml"
    book.write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "module_defaults": {
                        "group/mooc.atelier.gitlab": {
                            "api_url": room.url,
                            "token_file": str(room.token_file),
                        }
                    },
                    "tasks": [
                        {"mooc.atelier.gitlab_learners": {"learners": room.learners(2)}},
                        {"mooc.atelier.gitlab_learners_info": {}},
                    ],
                }
            ]
        )
    )
    done = playbook.run(*LOCAL, book, cwd=room.folder, env=environment(room.folder, {}))
    assert done.returncode == 0, done.stdout
    assert set(room.accounts()) == set(room.names(2))
