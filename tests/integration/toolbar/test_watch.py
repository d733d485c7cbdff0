"""`make watch`: what is saved in the toolbar's sources is what JupyterLab serves next."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from world import front, paths

BEFORE = "saved: '✓'"


@dataclass
class Watch:
    """The command at work on a copy of the sources."""

    sources: Path
    state: Path
    process: subprocess.Popen[str]
    url: str = ""
    token: str = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read what it says until a line matches; the whole output stands in the failure."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if found := re.search(pattern, line):
                return found
        pytest.fail(f"{pattern} was not said:\n{''.join(said)}", pytrace=False)

    def get(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"token {self.token}"}
        return httpx.get(self.url + path, headers=headers, timeout=60, trust_env=False)

    def change(self, name: str, old: str, new: str) -> None:
        """Save a file of the sources with another word in it."""
        path = self.sources / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def entry(self) -> str:
        """Address of the toolbar's first script, as a page that is reloaded learns it."""
        found = re.search(
            r'id="jupyter-config-data"[^>]*>(.*?)</script>', self.get("/lab").text, re.S
        )
        assert found
        extensions = json.loads(found[1])["federated_extensions"]
        (load,) = [one["load"] for one in extensions if one["name"] == "atelier-toolbar"]
        address = f"/lab/extensions/atelier-toolbar/{load}"
        assert self.get(address).status_code == 200
        return address

    def scripts(self) -> str:
        """The toolbar's compiled sources, as they are served."""
        static = self.state / "toolbar/atelier_toolbar/labextension/static"
        names = [path.name for path in static.glob("lib_index_js.*.js")]
        answers = [self.get(f"/lab/extensions/atelier-toolbar/static/{name}") for name in names]
        assert {answer.status_code for answer in answers} == {200}
        return "".join(answer.text for answer in answers)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get(
            "/atelier-toolbar/status?path=demo/journal.md&ask=1"
        ).json()
        return found


def start(sources: Path, state: Path) -> subprocess.Popen[str]:
    words = ["watch", "--sources", str(sources), "--state", str(state)]
    return subprocess.Popen(
        [sys.executable, "-m", "world", *words],
        env={**os.environ, "PYTHONPATH": str(paths.ROOT / "tests")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    sources, state = tmp_path / "sources", tmp_path / "state"
    shutil.copytree(front.SOURCES, sources, ignore=shutil.ignore_patterns(*front.BUILT))
    process = start(sources, state)
    running = Watch(sources, state, process)
    try:
        found = running.wait_for(r"(http://127\.0\.0\.1:\d+)/lab/.*token=(\w+)")
        running.url, running.token = found[1], found[2]
        yield running
    finally:
        process.terminate()
        process.wait()


def test_a_change_is_served_after_it_was_saved(watch: Watch) -> None:
    first = watch.entry()
    assert "saved-anew" not in watch.scripts()
    status = watch.status()
    assert (status["gitlab"], status["behind"], status["file"]["state"]) == ("reached", 1, "here")
    assert "atelier_toolbar" in watch.get("/lab/api/translations/fr_FR").json()["data"]

    watch.change("src/words.ts", BEFORE, "saved: 'saved-anew'")
    watch.wait_for(r"built in .* reload the page")
    assert watch.entry() != first
    assert "saved-anew" in watch.scripts()

    watch.change("src/words.ts", "saved: 'saved-anew'", "saved: 7")
    watch.wait_for("not rebuilt, the page stays as it was")
    assert "src/words.ts" in watch.wait_for("error TS.*").string
    assert "saved-anew" in watch.scripts()

    watch.change("atelier_toolbar/status.py", '"web_url": repository.web_url', '"web_url": "new"')
    watch.wait_for("server started again")
    assert watch.status()["repository"]["web_url"] == "new"

    second = start(watch.sources, watch.state)
    assert "make watch runs in this checkout already" in second.communicate()[0]
    assert second.returncode == 1

    watch.process.send_signal(signal.SIGINT)
    watch.wait_for("Stopped")
    assert watch.process.wait() == 0
    with pytest.raises(httpx.ConnectError):
        watch.status()
