"""What the toolbar adds to the start of a Jupyter server."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import sys
import jupyter_server.serverapp
before = set(sys.modules)
import atelier_toolbar.handlers
print(*sorted(name for name in set(sys.modules) - before if name.startswith("atelier_toolbar")))
"""


def test_a_server_starts_without_what_only_the_first_request_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.rpartition(".")[2] for name in done.stdout.split()}
    assert loaded == {"atelier_toolbar", "handlers", "problems", "settings"}
