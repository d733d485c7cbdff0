"""Where requests to platforms go: only to addresses that were looked at, over https."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from atelier.config.schema.hosts import PlatformHosts, is_public
from atelier.lti.http import PlatformClient, PlatformRequestError
from kit.certificates import Authority

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "100.64.0.1", "100.127.255.254", "169.254.169.254", "192.0.0.8", "192.0.2.1",
    "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1",
    "2001:0:7f00:1::1", "2001:0:808:808:0:0:80ff:fffe",
]  # fmt: skip
PUBLIC = [
    "8.8.8.8", "193.51.224.1", "100.63.255.255", "172.32.0.1", "2001:660:3001::1",
    "::ffff:8.8.8.8", "64:ff9b::808:808",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_this_machine_or_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


class Network:
    """A made-up DNS, and what was asked at which address."""

    def __init__(self, *answers: list[str], **more: Any) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.looked_up: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.down: set[str] = set()
        self.outside = PlatformClient(
            transport=httpx.MockTransport(self._reply), resolve=self._resolve, **more
        )

    async def _resolve(self, host: str, _port: int) -> list[str]:
        self.looked_up.append(host)
        if not self.answers:
            raise OSError("no such name")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def _reply(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.host in self.down:
            raise httpx.ConnectError("refused")
        return httpx.Response(self.status, headers=self.headers, json={"keys": []})

    def get(self, url: str = "https://lms.example/keys") -> dict[str, Any]:
        return asyncio.run(self.outside.request("GET", url))


def hosts(*entries: str) -> PlatformHosts:
    return PlatformHosts(entries)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_to_such_an_address_is_refused(address: str) -> None:
    network = Network([address])
    with pytest.raises(PlatformRequestError, match="atelier_platform_private_hosts"):
        network.get()
    assert network.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "[fe80::1]", "169.254.169.254"],
)
def test_such_an_address_written_down_is_refused(host: str) -> None:
    network = Network([host.strip("[]")])
    with pytest.raises(PlatformRequestError, match="atelier_platform_private_hosts"):
        network.get(f"https://{host}/keys")
    assert network.asked == []


def test_http_is_refused_however_public() -> None:
    network = Network(["8.8.8.8"])
    with pytest.raises(PlatformRequestError, match="https"):
        network.get("http://lms.example/keys")
    assert network.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://lms.example/",
        "//lms.example/",
        "keys",
        "https:///keys",
        "https://ada:secret@lms.example/keys",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    network = Network(["8.8.8.8"])
    with pytest.raises(PlatformRequestError):
        network.get(url)
    assert network.asked == []


def test_the_request_goes_to_the_address_that_was_looked_at() -> None:
    """DNS rebinding: the second answer for the name is another one, and nobody asks for it."""
    network = Network(["8.8.8.8"], ["127.0.0.1"])
    network.get("https://lms.example:8443/keys?a=b")
    (request,) = network.asked
    assert request.url.host == "8.8.8.8"
    assert request.url.port == 8443
    assert request.headers["Host"] == "lms.example:8443"
    assert request.extensions["sni_hostname"] == "lms.example"
    assert network.looked_up == ["lms.example"]


def test_only_the_public_addresses_of_a_name_are_used() -> None:
    network = Network(["127.0.0.1", "8.8.8.8"])
    network.get()
    assert [one.url.host for one in network.asked] == ["8.8.8.8"]


def test_the_next_address_serves_when_the_first_does_not() -> None:
    network = Network(["2001:660:3001::1", "8.8.8.8"])
    network.down.add("2001:660:3001::1")
    network.get()
    assert [one.url.host for one in network.asked] == ["2001:660:3001::1", "8.8.8.8"]


@pytest.mark.parametrize(
    ("url", "address", "entry"),
    [
        ("https://lms.campus.example/keys", "10.1.2.3", "lms.campus.example"),
        ("https://LMS.campus.example/keys", "10.1.2.3", "lms.campus.example"),
        ("https://lms.campus.example/keys", "10.1.2.3", "10.1.2.3"),
        ("https://lms.campus.example/keys", "10.1.2.3", "10.1.0.0/16"),
        ("https://lms.campus.example/keys", "fd12::1", "fd12::/32"),
        ("https://lms.campus.example/keys", "::ffff:10.1.2.3", "10.1.0.0/16"),
        ("http://lms.campus.example/keys", "10.1.2.3", "lms.campus.example"),
        ("http://lms.campus.example/keys", "10.1.2.3", "10.1.0.0/16"),
        ("http://lms.campus.example/keys", "8.8.8.8", "lms.campus.example"),
        ("http://127.0.0.1:8800/keys", "127.0.0.1", "127.0.0.1"),
    ],
)
def test_the_setting_names_what_may_be_private_and_without_tls(
    url: str, address: str, entry: str
) -> None:
    network = Network([address], private_hosts=hosts(entry))
    network.get(url)
    assert [one.url.host for one in network.asked] == [address]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://other.campus.example/keys", "10.2.2.3"),
        ("https://lms.campus.example.evil.example/keys", "10.2.2.3"),
        ("https://other.example/keys", "10.2.0.1"),
        ("http://other.example/keys", "8.8.8.8"),
        ("http://other.example/keys", "10.2.0.1"),
    ],
)
def test_the_setting_opens_nothing_else(url: str, address: str) -> None:
    network = Network([address], private_hosts=hosts("lms.campus.example", "10.1.0.0/16"))
    with pytest.raises(PlatformRequestError):
        network.get(url)
    assert network.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    network = Network(["8.8.8.8"])
    network.status, network.headers = status, {"Location": "https://127.0.0.1:8001/api/routes"}
    with pytest.raises(PlatformRequestError, match=f"status {status}"):
        network.get()
    assert len(network.asked) == 1


def test_what_an_address_answers_is_in_no_message() -> None:
    network = Network(["8.8.8.8"])
    network.status, network.headers = 500, {"X-Secret": "the routing table"}
    with pytest.raises(PlatformRequestError) as caught:
        network.get()
    assert str(caught.value) == "https://lms.example/keys: status 500"


# Through a web proxy, which looks names up itself.


def proxied(*answers: list[str], **more: Any) -> Network:
    return Network(*answers, proxy="http://proxy.campus.example:3128", **more)


def test_a_proxy_gets_the_name() -> None:
    network = proxied(["8.8.8.8"])
    network.get()
    assert [one.url.host for one in network.asked] == ["lms.example"]


def test_a_proxy_gets_a_name_that_only_it_can_look_up() -> None:
    network = proxied()
    network.get()
    assert [one.url.host for one in network.asked] == ["lms.example"]


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://10.0.0.1/keys", ["10.0.0.1"]),
        ("https://inner.example/keys", ["10.0.0.1"]),
        ("https://inner.example/keys", ["8.8.8.8", "127.0.0.1"]),
        ("http://lms.example/keys", ["8.8.8.8"]),
    ],
)
def test_a_proxy_is_not_asked_for_what_is_private_as_far_as_we_know(
    url: str, answer: list[str]
) -> None:
    network = proxied(answer)
    with pytest.raises(PlatformRequestError):
        network.get(url)
    assert network.asked == []


def test_what_is_reached_without_the_proxy_is_pinned() -> None:
    network = proxied(["8.8.8.8"], no_proxy=".example")
    network.get()
    assert [one.url.host for one in network.asked] == ["8.8.8.8"]


# With real sockets and real certificates.


@pytest.fixture
def campus(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server on loopback whose certificate is for lms.campus.example; its port, the CA."""
    authority = Authority(tmp_path)
    certificate = authority.sign("lms.campus.example")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"host": "%s"}' % self.headers["Host"].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], authority.file
    server.shutdown()
    thread.join()
    server.server_close()


async def _loopback(*_: object) -> list[str]:
    return ["127.0.0.1"]


def test_the_certificate_is_still_compared_with_the_name(campus: tuple[int, Path]) -> None:
    port, authority = campus
    outside = PlatformClient(authority, private_hosts=hosts("127.0.0.0/8"), resolve=_loopback)
    found = asyncio.run(outside.request("GET", f"https://lms.campus.example:{port}/keys"))
    assert found == {"host": f"lms.campus.example:{port}"}
    with pytest.raises(PlatformRequestError, match="ConnectError"):
        asyncio.run(outside.request("GET", f"https://other.campus.example:{port}/keys"))


def test_without_a_made_up_dns_names_are_looked_up(campus: tuple[int, Path]) -> None:
    port, authority = campus
    with pytest.raises(PlatformRequestError, match="atelier_platform_private_hosts"):
        asyncio.run(PlatformClient(authority).request("GET", f"https://localhost:{port}/keys"))
    named = PlatformClient(authority, private_hosts=hosts("localhost"))
    with pytest.raises(
        PlatformRequestError, match="ConnectError"
    ):  # its certificate is for another name
        asyncio.run(named.request("GET", f"https://localhost:{port}/keys"))
