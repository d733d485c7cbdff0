"""The toolbar's addresses on a real Jupyter server, towards git over HTTP."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import psutil
from integration.toolbar.conftest import GIT_TOKEN, JUPYTER_TOKEN, Jupyter
from kit.two_servers import GitLab, git


def test_a_file_is_edited_saved_and_seen(jupyter: Jupyter, gitlab: GitLab) -> None:
    (jupyter.top / "notes.md").write_text("mine\n")
    status = jupyter.get("status", path="demo/notes.md", ask="1")
    assert status["gitlab"] == "reached"
    assert status["file"] == {"path": "demo/notes.md", "state": "here"}
    assert status["changes"] == [{"path": "demo/notes.md", "change": "modified"}]
    assert status["repository"]["web_url"] == gitlab.url.removesuffix(".git")
    proposal = jupyter.get("proposal", path="demo/notes.md", lang="fr")
    assert proposal == {"message": "Modifie notes.md"}
    with jupyter.lines("save", path="demo/notes.md", files=None, **proposal) as lines:
        *steps, last = lines
    assert steps == [{"step": "commit"}, {"step": "push"}]
    commit = git(gitlab.bare, "rev-parse", "main")
    assert last["result"]["commit_url"] == f"{gitlab.url.removesuffix('.git')}/-/commit/{commit}"
    assert git(gitlab.bare, "log", "-1", "--format=%s", "main") == "Modifie notes.md"
    assert jupyter.get("view", path="demo/notes.md") == {
        "url": f"{gitlab.url.removesuffix('.git')}/-/blob/main/notes.md",
        "saved": True,
    }
    assert jupyter.get("status", path="demo/notes.md")["file"]["state"] == "saved"


def test_a_pull_brings_what_was_edited_on_the_web(jupyter: Jupyter, gitlab: GitLab) -> None:
    gitlab.web_edit(lambda files: files.update({"notes.md": b"on the web\n", "à lire.md": b"x\n"}))
    result = jupyter.post("pull")["result"]
    assert sorted(result["reload"]) == ["demo/notes.md", "demo/à lire.md"]
    assert (jupyter.top / "notes.md").read_text() == "on the web\n"


def test_only_the_server_s_own_pages_may_ask(jupyter: Jupyter) -> None:
    with httpx.Client(base_url=jupyter.url, trust_env=False) as stranger:
        for name in ("status", "view", "proposal"):
            assert stranger.get(f"/atelier-toolbar/{name}?path=demo").status_code == 403
        for name in ("save", "pull", "check"):
            answer = stranger.post(f"/atelier-toolbar/{name}", json={"path": "demo"})
            assert answer.status_code == 403
    with httpx.Client(base_url=jupyter.url, trust_env=False) as browser:
        page = browser.get("/tree", params={"token": JUPYTER_TOKEN}, follow_redirects=True)
        assert browser.cookies, page.text
        forged = browser.post("/atelier-toolbar/save", json={"path": "demo"})
    assert forged.status_code == 403
    assert "_xsrf" in forged.text


def test_a_malformed_request_is_refused(jupyter: Jupyter) -> None:
    bodies = ["no json", "[]", "{}", '{"path": 3}', '{"path": "demo", "files": [1]}']
    with jupyter.client as client:
        for body in bodies:
            assert client.post("/atelier-toolbar/save", content=body).status_code == 400


def test_outside_of_a_course_there_is_no_check(jupyter: Jupyter) -> None:
    with jupyter.client as client:
        answer = client.post("/atelier-toolbar/check", json={"path": "demo/notes.md"})
        assert (answer.status_code, answer.json()["problem"]) == (200, {"code": "no_exercise"})
        assert client.post("/atelier-toolbar/check", json={"lang": "fr"}).status_code == 400


def test_a_path_out_of_the_root_folder_is_refused(jupyter: Jupyter) -> None:
    assert jupyter.get("status", path="../home/demo")["problem"]["code"] == "bad_name"
    assert jupyter.post("save", path="demo/../../x")["problem"]["code"] == "bad_name"
    assert jupyter.get("status", path="elsewhere.md")["repository"] is None
    assert jupyter.post("pull", path="elsewhere.md")["problem"]["code"] == "not_a_clone"


def test_gitlab_down_keeps_the_commit_and_the_next_save_sends_it(
    jupyter: Jupyter, gitlab: GitLab
) -> None:
    (jupyter.top / "notes.md").write_text("while it is down\n")
    gitlab.close(closed=True)
    problem = jupyter.post("save")["problem"]
    assert (problem["code"], problem["committed"]) == ("offline", True)
    status = jupyter.get("status", path="demo/notes.md", ask="1")
    assert (status["gitlab"], status["ahead"]) == ("unreachable", 1)
    assert status["file"]["state"] == "here"
    gitlab.close(closed=False)
    assert jupyter.post("save")["result"]["pushed"]
    assert git(gitlab.bare, "show", "main:notes.md") == "while it is down"


def test_the_server_goes_on_while_gitlab_is_silent(jupyter: Jupyter, gitlab: GitLab) -> None:
    (jupyter.top / "notes.md").write_text("mine\n")
    silent = gitlab.root / "silent"
    silent.touch()
    with jupyter.lines("save", path="demo", message="x") as lines:
        assert next(lines) == {"step": "commit"}
        assert next(lines) == {"step": "push"}
        assert jupyter.get("status", path="demo")["busy"]
        silent.unlink()
        assert "result" in next(lines)


def test_a_silent_gitlab_is_told_as_unreachable(jupyter: Jupyter, gitlab: GitLab) -> None:
    (gitlab.root / "silent").touch()
    assert jupyter.get("status", path="demo", ask="1")["gitlab"] == "unreachable"
    (gitlab.root / "silent").unlink()


def test_what_gitlab_refuses_is_told_in_its_words(jupyter: Jupyter, gitlab: GitLab) -> None:
    hook = gitlab.bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'GitLab: You may not do this here.'\nexit 1\n")
    hook.chmod(0o755)
    (jupyter.top / "notes.md").write_text("mine\n")
    problem = jupyter.post("save")["problem"]
    assert problem["code"] == "refused"
    assert problem["detail"] == "GitLab: You may not do this here."
    assert problem["committed"]


def test_no_access_is_told(jupyter: Jupyter, tmp_path: Path) -> None:
    (tmp_path / "lending/lent").write_text("revoked")
    (jupyter.top / "notes.md").write_text("mine\n")
    assert jupyter.post("save")["problem"]["code"] == "denied"
    assert jupyter.post("pull")["problem"]["code"] == "denied"
    assert jupyter.get("status", path="demo", ask="1")["gitlab"] == "denied"


def _look_at_processes(pid: int, seen: list[str], over: threading.Event) -> None:
    while not over.is_set():
        for process in psutil.Process(pid).children(recursive=True):
            try:
                seen.append(" ".join(process.cmdline()) + repr(process.environ()))
            except psutil.Error:
                continue


def test_the_token_is_nowhere_to_be_seen(jupyter: Jupyter, gitlab: GitLab) -> None:
    """Not in a command line, an environment, a log at debug level, or a file of the learner's."""
    seen: list[str] = []
    over = threading.Event()
    watcher = threading.Thread(
        target=_look_at_processes, args=(jupyter.process.pid, seen, over), daemon=True
    )
    watcher.start()
    answers = []
    for number in range(3):
        (jupyter.top / "notes.md").write_text(f"mine {number}\n")
        gitlab.web_edit(lambda files, n=number: files.update({"web.md": f"{n}\n".encode()}))  # type: ignore[misc]
        answers.append(jupyter.post("save"))
        answers.append(jupyter.post("pull"))
    over.set()
    watcher.join()
    assert any("git-remote-http" in line for line in seen)
    assert all("result" in answer for answer in answers)
    assert GIT_TOKEN not in repr(seen) + repr(answers)
    assert GIT_TOKEN not in jupyter.log.read_text()
    for path in jupyter.root.rglob("*"):
        assert path.is_dir() or GIT_TOKEN.encode() not in path.read_bytes(), path
