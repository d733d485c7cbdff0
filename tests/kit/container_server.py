"""Learner's server of the container test: Python's standard library only, runs in a bare image."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


def report() -> dict[str, Any]:
    """What the container is: user, rights, files, environment, reach."""
    status = Path("/proc/self/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    hub = urllib.request.Request(
        os.environ["JUPYTERHUB_API_URL"] + "/user",
        headers={"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]},
    )
    with urllib.request.urlopen(hub, timeout=5) as answer:
        me = json.load(answer)
    template = Path("/srv/atelier/template.git")
    try:
        (template / "written").touch()
        template_writable = True
    except OSError:
        template_writable = False
    return {
        "uid": os.getuid(),
        "capabilities": fields["CapBnd"].strip(),
        "no_new_privileges": fields["NoNewPrivs"].strip(),
        "environment": dict(os.environ),
        "made_by": Path("/home/learner/kept").read_text(),
        "host": os.uname().nodename,
        "template": template.is_dir() and not template_writable,
        "hosts": Path("/etc/hosts").read_text(),
        "me": me,
    }


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(report() if "report" in self.path else {"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


KEPT = Path("/home/learner/kept")
if not KEPT.exists():
    KEPT.write_text(os.uname().nodename)
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # as process 1 it would not stop otherwise
HTTPServer(("", 8888), Server).serve_forever()
