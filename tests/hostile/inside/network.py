"""Doors that must be shut, and what hub, desk and GitLab answer."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any

from hostile.inside.given import Given

DOOR_SECONDS = 1.5


def knock(host: str, port: int) -> str | None:
    """A port that answers."""
    try:
        with socket.create_connection((host, port), timeout=DOOR_SECONDS):
            return f"{host}:{port} is open"
    except OSError:
        return None


def status(given: Given, request: list[Any]) -> tuple[int, str]:
    """An HTTP request's status and the beginning of its answer, 2000 bytes; 0: nobody answers."""
    _, method, address, body, headers, _ = request
    filled = {
        name: value.format(
            token=os.environ.get("JUPYTERHUB_API_TOKEN", ""),
            password=given.password,
            basic=base64.b64encode(f"git:{given.password}".encode()).decode(),
        )
        for name, value in headers.items()
    }
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(
        address, data, {"Content-Type": "application/json", **filled}, method=method
    )
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(asked, timeout=15) as answer:
            return answer.status, answer.read(2000).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(2000).decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def answered(given: Given, request: list[Any]) -> str | None:
    """An answer that is none of those allowed."""
    found, text = status(given, request)
    return None if found in request[5] else f"{request[1]} {request[2]}: {found} {text[:200]}"


def credential(given: Given) -> str:
    """The git credential of this server, as the image's helper gets it."""
    request = ["", "POST", f"{given.desk}/git-credential", {"course": given.course}, {}, []]
    request[4] = {"Authorization": "token {token}"}
    found, text = status(given, request)
    return str(json.loads(text)["password"]) if found == 200 else ""


def raw_sockets() -> str | None:
    """Packets of one's own making, and those of others."""
    for family, protocol in ((socket.AF_INET, 1), (socket.AF_INET6, 58), (17, 0x0300)):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_RAW, protocol):
            return f"a raw socket of family {family}"
    return None
