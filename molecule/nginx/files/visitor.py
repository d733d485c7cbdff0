"""A visitor of the site, for browse.py: its names, and a way to ask for a page."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, NamedTuple

DOMAIN = "atelier.example.org"
HUB, GITLAB, LMS = f"hub.{DOMAIN}", f"gitlab.{DOMAIN}", f"lms.{DOMAIN}"
LEARNER = f"uaaaaaaaaaaaaaaaa.notebooks.{DOMAIN}"
SESSIONS = ("_gitlab_session", "remember_user_token")
# Of GitLab's host alone, of it and all below, of its relatives.
PLACES = ("", f"domain={GITLAB}", f"domain={DOMAIN}", "domain=example.org")
PORT = 8443
# The authority is trusted by the server itself: the default context is what the hub and git use.
TRUST = ssl.create_default_context()
PEOPLE = {"Accept": "text/html,application/xhtml+xml"}


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    cookies: list[str]
    body: bytes

    def facts(self) -> dict[str, Any]:
        return json.loads(self.body)


class Site(HTTPSConnection):
    """A connection to this machine under one of the site's names."""

    def connect(self) -> None:
        raw = socket.create_connection(("127.0.0.1", PORT), 100)
        self.sock = TRUST.wrap_socket(raw, server_hostname=self.host)


def ask(
    host: str,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    connection = Site(host, PORT, timeout=100)
    connection.request(method, path, body=body, headers=dict(headers or {}))
    response = connection.getresponse()
    cookies = response.headers.get_all("Set-Cookie") or []
    answer = Answer(response.status, response.headers, cookies, response.read())
    connection.close()
    return answer


def plain(host: str, path: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", 80, timeout=20)
    connection.request("GET", path, headers={"Host": host})
    response = connection.getresponse()
    return Answer(response.status, response.headers, [], response.read())
