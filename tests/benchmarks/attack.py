"""Attacks a small site until its standard input ends; a process of its own, after all others.

Whoever attacks sends what a browser would not, so requests are written by hand.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlencode

from world import paths

BLOCK = b"x" * 65536
MIB = 1024**2
CONTAINER = "127.0.0.2"
"""Stands for a container's address."""
SLOW_CONNECTIONS = 400
SLOW_SECONDS = 5.0
SECONDS_TO_BEGIN = 2.0


@dataclass(frozen=True)
class Aim:
    """What is attacked.

    Attributes:
        web: port of nginx.
        host: the hub's name there.
        hub: port of the hub itself, as containers reach it.
        desk: port of the desk, likewise.
        server: path of a learner's server.
    """

    web: int
    host: str
    hub: int
    desk: int
    server: str

    def connect(self, port: int) -> socket.socket:
        """A connection; to nginx with TLS, whose certificate is not looked at."""
        if port != self.web:
            return socket.create_connection(("127.0.0.1", port), 30, (CONTAINER, 0))
        plain = socket.create_connection(("127.0.0.1", port), 30)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(plain, server_hostname=self.host)

    def post(self, port: int, path: str, size: int, body: bytes = b"", *headers: str) -> None:
        """Announce a body of that size; send ``body``, or as much of that size as is taken."""
        kind = "application/json" if headers else "application/x-www-form-urlencoded"
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {self.host}:{self.web}",
            f"Content-Type: {kind}",
            f"Content-Length: {size}",
            "Connection: close",
            *headers,
        ]
        with contextlib.suppress(OSError), self.connect(port) as wire:
            wire.sendall("\r\n".join([*head, "", ""]).encode() + body)
            for _ in range(0 if body else size // len(BLOCK)):
                wire.sendall(BLOCK)
            wire.recv(1000)


def large_bodies(aim: Aim) -> None:
    """Ninety megabytes to an address that does not exist."""
    aim.post(aim.web, "/nothing", 90 * MIB)


def straight_to_the_hub(aim: Aim) -> None:
    """The same, as from a container."""
    aim.post(aim.hub, "/nothing", 90 * MIB)


def to_a_learners_server(aim: Aim) -> None:
    """Sixty megabytes to somebody's server."""
    aim.post(aim.web, aim.server + "api/contents/a.ipynb", 60 * MIB)


def wrong_signatures(aim: Aim) -> None:
    """A launch with the name of a known consumer, 78 fields and 236 KB."""
    values = {
        "lti_message_type": "basic-lti-launch-request",
        "lti_version": "LTI-1p0",
        "resource_link_id": "link",
        "user_id": "42",
        "oauth_consumer_key": "campus",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": secrets.token_hex(8),
        "oauth_signature": "wrong",
    }
    values |= {f"custom_{number}": "x" * 3400 for number in range(78 - len(values))}
    body = urlencode(values).encode()
    aim.post(aim.web, "/hub/lti/launch", len(body), body)


def junk(aim: Aim) -> None:
    """A page that does not exist."""
    aim.post(aim.web, f"/hub/{secrets.token_hex(8)}", 1, b"x")


def credentials(aim: Aim) -> None:
    """Git credentials for a token that is none."""
    token = f"Authorization: token {secrets.token_hex(16)}"
    body = b'{"course": "demo", "fresh": true}'
    aim.post(aim.desk, "/services/desk/api/git-credential", len(body), body, token)


def tokens(aim: Aim) -> None:
    """A token that is none, to the hub itself."""
    token = f"Authorization: token {secrets.token_hex(16)}"
    aim.post(aim.hub, "/hub/api/users/somebody/activity", 2, b"{}", token)


def slow(aim: Aim) -> None:
    """Requests that come byte by byte."""
    opened = []
    with contextlib.suppress(OSError):
        for _ in range(SLOW_CONNECTIONS):
            wire = aim.connect(aim.web)
            head = f"POST /hub/login HTTP/1.1\r\nHost: {aim.host}:{aim.web}\r\n"
            wire.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode())
            opened.append(wire)
        while True:
            time.sleep(SLOW_SECONDS)
            for wire in opened:
                wire.sendall(b"x")
    for wire in opened:
        wire.close()


ATTACKS: dict[str, tuple[Callable[[Aim], None], int]] = {
    "large_bodies": (large_bodies, 3),
    "straight_to_the_hub": (straight_to_the_hub, 3),
    "to_a_learners_server": (to_a_learners_server, 2),
    "wrong_signatures": (wrong_signatures, 1),
    "junk": (junk, 2),
    "credentials": (credentials, 2),
    "tokens": (tokens, 2),
    "slow": (slow, 1),
}
"""By name: one blow, and how many strike at the same time, again and again."""


class Attack:
    """An attack, as long as the block lasts."""

    def __init__(self, name: str, aim: Aim) -> None:
        self._words = [name, str(aim.web), aim.host, str(aim.hub), str(aim.desk), aim.server]

    def __enter__(self) -> Attack:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.attack", *self._words],
            cwd=paths.ROOT / "tests",
            stdin=subprocess.PIPE,
        )
        time.sleep(SECONDS_TO_BEGIN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()


def main(name: str, web: str, host: str, hub: str, desk: str, server: str) -> int:
    """Strike until the standard input ends."""
    os.setpriority(os.PRIO_PROCESS, 0, 15)  # an attacker has processors of their own
    aim = Aim(int(web), host, int(hub), int(desk), server)
    blow, at_once = ATTACKS[name]

    def again_and_again() -> None:
        while True:
            blow(aim)

    for _ in range(at_once):
        threading.Thread(target=again_and_again, daemon=True).start()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
