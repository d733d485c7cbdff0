"""Runs in a container of a course image: for each line of input, starts JupyterLab anew.

Arguments: "with" or "without" (the toolbar), a port. Prints the seconds until the page answers.
The last server stays until the input ends.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TOOLBAR = "atelier-toolbar"
CELL = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["A notebook to open."]}
WHOLE = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def start(port: int, *, toolbar: bool) -> subprocess.Popen[bytes]:
    """Start JupyterLab, and return when it answers."""
    command = [
        "jupyter", "lab", "--no-browser", "--allow-root", "--ip=0.0.0.0", f"--port={port}",
        "--IdentityProvider.token=", f"--ServerApp.jpserver_extensions=atelier_toolbar={toolbar}",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/lab", timeout=60) as answer:
                page = answer.read().decode()
            assert (f'"name": "{TOOLBAR}"' in page) == toolbar
            return process
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, "JupyterLab does not start"
            time.sleep(0.01)


def main() -> None:
    """Take orders until the input ends."""
    toolbar, port = sys.argv[1] == "with", int(sys.argv[2])
    if not toolbar:  # one that is only disabled is loaded by the page all the same
        shutil.rmtree(Path(sys.prefix) / "share/jupyter/labextensions" / TOOLBAR)
    (Path.home() / "bench.ipynb").write_text(json.dumps(WHOLE))
    server: subprocess.Popen[bytes] | None = None
    for _ in sys.stdin:
        if server:
            server.terminate()
            server.wait()
        began = time.perf_counter()
        server = start(port, toolbar=toolbar)
        print(time.perf_counter() - began, flush=True)
    if server:
        server.terminate()


if __name__ == "__main__":
    main()
