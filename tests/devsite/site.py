"""The site of `make dev`: what tests have as a site, a GitLab and a course page, in a folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import termios
from collections.abc import Iterable
from pathlib import Path

from gitlab_standin import testing
from kit.fork import Forked, Process, import_once
from kit.gitlab_beside import gitlab_rb
from kit.published import write_declaration
from kit.site import ROOT, Site, free_port, until
from lms.platform13 import Platform13
from lms.unit import COURSE_TITLE
from world import process
from world.notes import read_json, write_private
from world.run import interruption, say

from devsite import example, gitlab_front
from devsite.people import COURSE, PLATFORM

PORTS = {
    "page": 8700,
    "hub": 8701,
    "gitlab": 8702,
    "proxy api": 8703,
    "hub api": 8704,
    "desk": 8705,
}
"""Where it listens when nobody else does."""
FIRST_MODULES = {"desk": "atelier.desk.main", "hub": "atelier.hub.configure"}
"""What can be started again, and the first module of each."""
STOP_SECONDS = 3
AWAY = """<!DOCTYPE html>
<html lang="en"><meta http-equiv="refresh" content="1"><title>Starting again</title>
<p>It starts again; this page then shows itself. What is wrong, if it does not, make dev says.</p>
</html>
"""
"""Shown by the proxy while hub or desk does not answer."""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are over
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _ports(file: Path, wanted: dict[str, int]) -> dict[str, int]:
    """Return a free port for each name: that of the last time, or the wanted one, if possible."""
    known = {**wanted, **read_json(file)}
    chosen = {
        name: known[name] if known[name] and _is_free(known[name]) else free_port()
        for name in wanted
    }
    file.write_text(json.dumps(chosen) + "\n")
    return chosen


class DevSite(Site):
    """Proxy, hub, desk, GitLab, course page.

    Args:
        root: its folder; what it holds is used again.
        source: folder of the package `atelier`.
        attach: the process whose input and output are this terminal's; empty: none.
        any_port: take whatever ports are free.
    """

    def __init__(self, root: Path, source: Path, attach: str = "", *, any_port: bool = False):
        root.mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)  # it holds secrets
        self.source = source
        self.attached = attach
        self._terminal = termios.tcgetattr(sys.stdin) if attach and sys.stdin.isatty() else None
        self.records = root / "run"
        self.first_time = not (root / "answered").exists()
        self._stop_leftovers()
        for log in root.glob("log/*"):
            log.unlink()
        self.ports = _ports(root / "ports.json", dict.fromkeys(PORTS, 0) if any_port else PORTS)
        self.page_url = f"http://127.0.0.1:{self.ports['page']}"
        super().__init__(
            root,
            gitlab_url=f"http://127.0.0.1:{self.ports['gitlab']}",
            ports=[self.ports[name] for name in ("hub", "proxy api", "hub api", "desk")],
        )
        (root / "errors").mkdir(exist_ok=True)
        for name in ("error", "503"):
            (root / "errors" / f"{name}.html").write_text(AWAY)
        self.gitlab_root = root / "gitlab"
        self.gitlab_root.mkdir(exist_ok=True)
        (self.gitlab_root / "gitlab.rb").write_text(gitlab_rb(self))
        self._write_for_people()

    def _write_for_people(self) -> None:
        title = {lang: COURSE_TITLE[lang] for lang in ("fr", "en")}
        start = "notebooks/pi_python.ipynb"
        self.write_course(COURSE, title=title, start_file=start)
        known = {"platform": PLATFORM, "trust_roles": True}
        self.write_consumers([{"key": "dev", "secret": self.consumer_secret, **known}])
        platform = Platform13(self.page_url, self.hub_url, "")
        self.write_registrations([{**platform.registration("dev-13", PLATFORM), **known}])
        page = {
            "hub_url": self.hub_url,
            "lms_url": self.page_url,
            "course": COURSE,
            "consumer_key": "dev",
            "consumer_secret": self.consumer_secret,
        }
        write_private(self.root / "course_page.json", json.dumps(page))

    def environment(self) -> dict[str, str]:
        """Environment of the site's processes.

        Python notes a file's time in seconds beside what it compiled: of two changes within a
        second the latter could be overlooked.
        """
        return {**super().environment(), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}

    def programs(self) -> dict[str, tuple[list[str], str]]:
        """Return command and address of each process that is Python."""
        page = ["--config", str(self.root / "course_page.json"), "--port", str(self.ports["page"])]
        gitlab = ["--root", str(self.gitlab_root), "--port", str(self.ports["gitlab"])]
        gitlab += ["--gitlab-rb", str(self.gitlab_root / "gitlab.rb")]
        return {
            **super().programs(),
            "page": ([sys.executable, "-m", "devsite.course_page", *page], self.page_url),
            "gitlab": (
                [sys.executable, "-m", "devsite.gitlab_front", *gitlab],
                f"{self.gitlab_url}/-/readiness",
            ),
            "runner": ([sys.executable, "-m", "kit.local_runner", str(self.runner_socket)], ""),
        }

    def start(self, name: str, command: list[str]) -> None:
        """Start a process away from the terminal, whose Ctrl+C is for `make dev` alone."""
        environment = self.environment()
        if name in ("page", "gitlab", "runner"):
            environment["PYTHONPATH"] = f"{ROOT / 'tests'}{os.pathsep}{ROOT / 'files/atelier/src'}"
            environment[gitlab_front.HUB] = self.hub_url
            environment["GITLAB_ROOT_PASSWORD"] = self.secret("gitlab_root_password")
        where = self.root / "hub"
        began: Process
        with interruption.held(), (self.root / "log" / name).open("ab") as log:
            if name in FIRST_MODULES:
                began = Forked(
                    name,
                    command[2:],  # after `python -m`
                    source=self.source,
                    cwd=where,
                    env=environment,
                    output=None if name == self.attached else log,
                )
            else:
                began = subprocess.Popen(
                    command,
                    cwd=where,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            self._processes[name] = began
            process.record(self.records / f"{name}.json", began.pid, name)
        interruption.let()

    def launch(self, names: Iterable[str]) -> None:
        """Start processes; `wait_for` waits until they answer."""
        for name in names:
            self.start(name, self.programs()[name][0])

    def stop_hard(self, name: str) -> None:
        """Kill a process with those that it started."""
        running = self._processes.get(name)
        if running is not None and name != self.attached:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
        super().stop_hard(name)
        if name == self.attached and self._terminal:  # a debugger had it
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._terminal)

    def ended(self) -> dict[str, int]:
        """Return the exit codes of processes that have ended, and forget those processes."""
        codes = {name: running.poll() for name, running in self._processes.items()}
        found = {name: code for name, code in codes.items() if code is not None}
        for name in found:
            del self._processes[name]
        return found

    def _stop_leftovers(self) -> None:
        """Stop what an earlier `make dev` that was killed has left running."""
        for record in sorted(self.records.glob("*.json")):
            if process.stop(record):
                say(f"   stopped the {record.stem} that an earlier make dev had left running")

    def up(self, packages: Iterable[str]) -> None:
        """Start everything and wait until it answers.

        Args:
            packages: what hub and desk import from elsewhere.

        Raises:
            StartError: something does not.
        """
        self._forget_ended_servers()
        self.runner_socket.unlink(missing_ok=True)
        self.launch(["gitlab", "runner"])
        self.start_proxy(f"--error-path={self.root / 'errors'}")
        self.launch(["page"])
        import_once(["jupyterhub.app", *packages])
        self.launch(["hub"])
        self.wait_for("gitlab")
        self._fill_gitlab()
        self.launch(["desk"])
        for name in ("desk", "hub", "page"):
            self.wait_for(name, 60)
        until(self.runner_socket.exists, "the runner listens")
        if self.first_time:
            example.answer_exercises(self.page_url, self._standin().gitlab)
            (self.root / "answered").touch()

    def _forget_ended_servers(self) -> None:
        """Have the hub take no other process for a learner's server that ran before."""
        database = self.root / "hub/jupyterhub.sqlite"
        if not database.exists():
            return
        running = self.servers()
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            for number, state in connection.execute("select id, state from spawners").fetchall():
                if json.loads(state or "{}").get("pid", 0) not in running:
                    connection.execute("update spawners set state = '{}' where id = ?", (number,))

    def _standin(self) -> testing.Standin:
        token = self.root / "secrets/gitlab_admin_token"
        gitlab = self._processes["gitlab"]
        assert isinstance(gitlab, subprocess.Popen)
        return testing.Standin(
            root=self.gitlab_root,
            port=self.ports["gitlab"],
            url=self.gitlab_url,
            root_password=self.secret("gitlab_root_password"),
            process=gitlab,
            root_token=token.read_text().strip() if token.exists() else "",
        )

    def _fill_gitlab(self) -> None:
        """Bring the example course into GitLab; the first time with a token for the desk."""
        standin = self._standin()
        self.secret("gitlab_admin_token", lambda: testing.make_root_token(standin))
        standin = self._standin()
        example.make_projects(standin.gitlab)
        mirrors = {
            "template": (example.TEMPLATE, self.root / "templates" / f"{COURSE}.git"),
            "expected": (example.EXPECTED, self.root / "expected.git"),
        }
        for name, (folder, mirror) in mirrors.items():
            url = standin.git_url(f"{COURSE}/{name}", standin.root_token)
            if not example.publish(folder, mirror, url):
                say(f"   {COURSE}/{name} was changed in GitLab: it stays as it is there")
        write_declaration(*mirrors["template"], COURSE)

    def close(self) -> None:
        """Stop everything, learners' servers too."""
        self.stop_together(list(self._processes), STOP_SECONDS)
        self._stop_servers()
        for record in self.records.glob("*.json"):
            record.unlink()
