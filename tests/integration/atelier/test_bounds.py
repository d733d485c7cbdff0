"""What anybody may send: large bodies, many of them, slowly; nobody's server pays for it."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from atelier.limits import logs as log_bounds
from kit.framed_site import FramedSite, framed_site
from kit.local_names import LocalNames
from kit.platform11 import Visitor
from kit.site import free_port
from kit.web_server import DOMAIN, WebServer

MIB = 1024**2
UPLOAD = 60 * MIB
"""Less than what a learner may save at once."""
SENDERS = 4


@pytest.fixture(scope="module")
def behind_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FramedSite]:
    """A site as browsers see it."""
    with framed_site(tmp_path_factory) as site:
        yield site


@pytest.fixture(scope="module")
def ada(behind_nginx: FramedSite) -> Iterator[Visitor]:
    """A learner whose server runs."""
    web, secret = behind_nginx.web, behind_nginx.consumer_secret
    with Visitor(web.hub_url, secret, "bounds-ada", web.server_url("{}")) as visitor:
        visitor.browser = httpx.Client(
            transport=LocalNames(verify=web.tls), timeout=15, headers={"Accept": "*/*"}
        )
        assert visitor.launch().json()["visitor"] == visitor.username
        yield visitor


def peak(pid: int) -> int:
    """Most memory that a process ever had at once, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def reset_peak(pid: int) -> None:
    """Have :func:`peak` count from what the process has now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def send(url: str, tls: ssl.SSLContext | None, size: int, head: str = "") -> str:
    """Post so many bytes as nobody in particular; the first line of the answer, if there is one.

    Sent by hand: a client library stops at an early refusal, whoever attacks does not.
    """
    parts = urlsplit(url)
    port = parts.port or 80
    said = b""
    with socket.create_connection(("127.0.0.1", port), 30) as plain:
        host = parts.hostname or ""
        wire = tls.wrap_socket(plain, server_hostname=host) if tls else plain
        wire.settimeout(30)
        lines = [
            f"POST {parts.path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Content-Type: application/octet-stream",
            head or f"Content-Length: {size}",
            "Connection: close",
        ]
        try:
            wire.sendall("\r\n".join([*lines, "", ""]).encode())
            block = b"x" * 65536
            for _ in range(size // len(block)):
                piece = b"%x\r\n%s\r\n" % (len(block), block) if head else block
                wire.sendall(piece)
            if head:
                wire.sendall(b"0\r\n\r\n")
            said = wire.recv(200)
        except OSError:  # it was cut off
            wire.settimeout(1)
            try:
                said = wire.recv(200)
            except OSError:
                said = b""
        finally:
            wire.close()
    return said.partition(b"\r\n")[0].decode()


def together(url: str, tls: ssl.SSLContext | None, size: int, head: str = "") -> list[str]:
    """Several at the same time."""
    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(lambda _: send(url, tls, size, head), range(SENDERS)))


@pytest.mark.parametrize("path", ["/nothing", "/hub/home", "/hub/lti/launch", "/services/desk/"])
def test_large_bodies_of_nobody_cost_the_hub_nothing(behind_nginx: FramedSite, path: str) -> None:
    hub = behind_nginx.pid("hub")
    reset_peak(hub)
    before = peak(hub)
    answers = together(behind_nginx.web.hub_url + path, behind_nginx.web.tls, UPLOAD)
    assert peak(hub) - before < 16 * MIB
    assert {answer.split()[1] for answer in answers if answer} <= {"413"}


@pytest.mark.parametrize("head", ["", "Transfer-Encoding: chunked"])
def test_large_bodies_straight_to_the_hub_are_not_read(behind_nginx: FramedSite, head: str) -> None:
    """As a learner's container reaches it."""
    hub = behind_nginx.pid("hub")
    reset_peak(hub)
    before = peak(hub)
    together(f"http://127.0.0.1:{behind_nginx.hub_port}/nothing", None, UPLOAD, head)
    assert peak(hub) - before < 16 * MIB


@pytest.mark.parametrize("head", ["", "Transfer-Encoding: chunked"])
def test_a_learners_server_reads_no_large_body_of_somebody_else(
    behind_nginx: FramedSite, ada: Visitor, head: str
) -> None:
    (server,) = behind_nginx.servers()
    reset_peak(server)
    before = peak(server)
    for path in ("api/contents/a.ipynb", "", "static/x"):
        url = f"{ada.server_url}/user/{ada.username}/demo/{path}"
        answers = together(url, behind_nginx.web.tls, UPLOAD, head)
        assert {answer.split()[1] for answer in answers if answer} <= {"403", "413"}
    assert peak(server) - before < 8 * MIB


@pytest.mark.parametrize("size", [0, 1000, 99_000, 200_000, 3 * MIB, 60 * MIB])
def test_a_learners_own_notebook_is_saved(ada: Visitor, size: int) -> None:
    url = f"{ada.server_url}/user/{ada.username}/demo/api/contents/a%20b.ipynb?type=notebook"
    saved = ada.browser.put(url, content=b"x" * size)
    assert (saved.status_code, saved.json()["bytes"]) == (200, size)
    assert saved.json()["address"].endswith("/demo/api/contents/a%20b.ipynb?type=notebook")
    pieces = iter([b"x" * size])
    assert ada.browser.put(url, content=pieces).json()["bytes"] == size


def test_a_notebook_that_is_too_large_is_refused(ada: Visitor) -> None:
    url = f"{ada.server_url}/user/{ada.username}/demo/api/contents/a.ipynb"
    assert ada.browser.put(url, content=b"x" * (70 * MIB)).status_code == 413


def test_who_is_known_to_one_server_sends_nothing_large_to_another(
    behind_nginx: FramedSite, ada: Visitor
) -> None:
    """nginx asks the very server that the request goes to, whatever dots are in its path."""
    web = behind_nginx.web
    with Visitor(ada.hub_url, ada.secret, "bounds-grace", web.server_url("{}")) as grace:
        grace.browser = behind_nginx.web.browser(headers={"Accept": "*/*"})
        assert grace.launch().json()["visitor"] == grace.username
        other = f"/user/{ada.username}/demo/api/contents/a.ipynb"
        assert grace.browser.put(ada.server_url + other, content=b"x" * MIB).status_code == 403
        roundabout = f"/user/{ada.username}/demo/../../{grace.username}/demo/api/contents/a.ipynb"
        request = grace.browser.build_request("PUT", ada.server_url + other, content=b"x" * MIB)
        request.url = request.url.copy_with(raw_path=roundabout.encode())
        assert grace.browser.send(request).status_code in (400, 403)


@pytest.fixture
def impatient(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WebServer]:
    """A web server with nobody behind; the parameter is the role's variables."""
    web = WebServer(tmp_path)
    web.variables = request.param
    with web.running(hub=free_port(), gitlab=free_port(), lms=free_port()):
        yield web


def begin(web: WebServer, host: str = f"hub.{DOMAIN}") -> ssl.SSLSocket:
    """Begin a request that is never sent to its end."""
    plain = socket.create_connection(("127.0.0.1", web.port), 30)
    wire = web.tls.wrap_socket(plain, server_hostname=host)
    head = f"POST /hub/login HTTP/1.1\r\nHost: {host}:{web.port}\r\nContent-Length: 99\r\n\r\n"
    wire.sendall(head.encode() + b"x")
    return wire


@pytest.mark.parametrize("impatient", [{"nginx_body_timeout": 1}], indirect=True)
def test_a_request_that_does_not_go_on_is_ended(impatient: WebServer) -> None:
    with begin(impatient) as wire:
        wire.settimeout(15)
        with contextlib.suppress(ConnectionError):  # it was reset
            assert b" 200 " not in wire.recv(300)


@pytest.mark.parametrize("impatient", [{"nginx_connections_per_address": 5}], indirect=True)
def test_one_address_has_so_many_connections_and_its_refusals_are_not_logged(
    impatient: WebServer,
) -> None:
    begun = [begin(impatient) for _ in range(5)]
    more = [begin(impatient) for _ in range(20)]
    for wire in more:
        assert wire.recv(300).startswith(b"HTTP/1.1 429")
    for wire in begun + more:
        wire.close()
    impatient.stop()
    assert " 429 " not in (impatient.root / "atelier.access.log").read_text()
    assert "limiting" not in (impatient.root / "error.log").read_text()


def test_servers_that_are_no_courses_leave_no_row_and_junk_few_lines(
    behind_nginx: FramedSite, ada: Visitor
) -> None:
    token = {"X-XSRFToken": ada.xsrf()}
    api = f"{ada.hub_url}/hub/api/users/{ada.username}/servers/"
    for method in ("POST", "PUT"):
        for number in range(10):
            address = f"{api}junk-{method.lower()}-{number}"
            assert ada.browser.request(method, address, headers=token).status_code in (403, 404)
    with sqlite3.connect(behind_nginx.root / "hub/jupyterhub.sqlite") as database:
        names = {name for (name,) in database.execute("SELECT name FROM spawners")}
    assert names == {"", "demo"}
    nowhere = f"http://127.0.0.1:{behind_nginx.hub_port}/hub/nothing-of-the-kind"
    with httpx.Client(trust_env=False) as anybody:
        for _ in range(log_bounds.BURST + 100):
            anybody.get(nowhere)
    assert behind_nginx.log("hub").count("nothing-of-the-kind") < log_bounds.BURST + 100
