"""nginx as the role sets it up, in front of a small site: https, host names, frames."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jinja2 import Environment, FileSystemLoader

from kit.local_names import LocalNames
from kit.site import ROOT, free_port, until

ROLE = ROOT / "roles/nginx"
DOMAIN = "atelier.localhost"
NOTEBOOKS = "atelier-notebooks.localhost"
"""Learners' domain, another site than ours to a browser."""
SIBLING = f"notebooks.{DOMAIN}"
"""Learners' domain where there is no other: the same site as the hub to a browser."""
LMS = "lms.campus.localhost"
"""Another site than ours to a browser, as an LMS is."""

MAIN = """
daemon off;
user {user} {group};
worker_processes 1;
pid {root}/pid;
error_log {root}/error.log;
events {{ worker_connections 4096; }}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    include {root}/atelier.conf;
}}
"""


def whoever_runs_this() -> dict[str, str]:
    """nginx's workers read the tests' folders, which are their owner's alone."""
    return {
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "group": grp.getgrgid(os.getegid()).gr_name,
    }


class WebServer:
    """nginx on a port of its own.

    Attributes:
        port: where it answers over https.
        hub_url: the hub as browsers see it.
        gitlab_url: GitLab as browsers see it.
        lms_url: the course platform as browsers see it.
        notebooks: domain of learners' servers, or None where they share the hub's origin.
        tls: trusts its certificate.
        variables: of the role, for its next start.
    """

    def __init__(
        self, root: Path, platform_origins: bool = True, notebooks: str | None = NOTEBOOKS
    ) -> None:
        """Choose names and ports.

        Args:
            root: an empty folder.
            platform_origins: whether the LMS may show the site in a frame.
            notebooks: domain of learners' servers; None: they share the hub's origin.
        """
        self.root = root
        self.notebooks = notebooks
        self.port, self.http_port = free_port(), free_port()
        self.hub_url = f"https://hub.{DOMAIN}:{self.port}"
        self.gitlab_url = f"https://gitlab.{DOMAIN}:{self.port}"
        self.lms_url = f"https://{LMS}:{self.port}"
        self.variables: dict[str, Any] = {}
        self.origins = [self.lms_url] if platform_origins else []
        self._certificate()
        self.tls = ssl.create_default_context(cafile=str(root / "tls/fullchain.pem"))

    def server_url(self, username: str) -> str:
        """Origin of a learner's server as browsers see it."""
        return (
            f"https://{username}.{self.notebooks}:{self.port}" if self.notebooks else self.hub_url
        )

    def browser(self, **options: Any) -> httpx.Client:
        """A client that finds these names here and trusts the certificate."""
        return httpx.Client(transport=LocalNames(verify=self.tls), timeout=60, **options)

    def _certificate(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
        all_names = [f"hub.{DOMAIN}", f"gitlab.{DOMAIN}", LMS, f"*.{self.notebooks or DOMAIN}"]
        names = [x509.DNSName(one) for one in all_names]
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        folder = self.root / "tls"
        folder.mkdir()
        (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )

    def configuration(self, **upstreams: int) -> str:
        """The role's own file, for ports of this machine.

        Args:
            upstreams: ports of ``hub``, ``gitlab`` and ``lms``.
        """
        defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
        pages = yaml.safe_load((ROLE / "vars/pages.yml").read_text())
        variables: dict[str, Any] = {
            **defaults,
            **pages,
            "nginx_hub_host": f"hub.{DOMAIN}",
            "nginx_hub_upload_limit": "64m",
            "nginx_gitlab_host": f"gitlab.{DOMAIN}",
            "nginx_http_port": self.http_port,
            "nginx_https_port": self.port,
            "nginx_contact_email": "help@campus.example",
            "nginx_gitlab_enabled": True,
            "nginx_hsts_seconds": 0,
            "nginx_hub_upstream": f"127.0.0.1:{upstreams['hub']}",
            "nginx_gitlab_upstream": f"127.0.0.1:{upstreams['gitlab']}",
            "nginx_extra_sites": [{"name": LMS, "upstream": f"127.0.0.1:{upstreams['lms']}"}],
            "nginx_platform_origins": self.origins,
            "nginx_notebook_domain": self.notebooks,
            "__nginx_own_hosts": self.notebooks is not None,
            "__nginx_jar_shared": self.notebooks == SIBLING,
            "__nginx_notebook_names": [f"*.{self.notebooks}"] if self.notebooks else [],
            "__nginx_notebook_tls_apart": False,
            "__nginx_sites": [f"hub.{DOMAIN}", f"gitlab.{DOMAIN}", LMS],
            "__nginx_port_suffix": f":{self.port}",
            "__nginx_speaks_ipv6": Path("/proc/net/if_inet6").exists(),
            "__nginx_http2_in_listen": True,
            "__nginx_tls": str(self.root / "tls"),
            "__nginx_pages": str(self.root / "pages"),
            "__nginx_acme_root": str(self.root),
            **self.variables,
        }
        templates = Environment(  # noqa: S701 (not HTML)
            loader=FileSystemLoader(ROLE / "templates"),
            trim_blocks=True,
            keep_trailing_newline=True,
        )
        templates.filters["bool"] = bool
        self._pages(templates, variables)
        text = templates.get_template("atelier.conf.j2").render(variables)
        return text.replace("/var/log/nginx/", f"{self.root}/")

    def _pages(self, templates: Environment, variables: dict[str, Any]) -> None:
        for entry in variables["__nginx_page_files"]:
            path = self.root / "pages" / entry["dest"].partition("/")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            page = entry["vars"]["page"]
            said = {
                language: variables[words.strip("{} ")] if isinstance(words, str) else words
                for language, words in page.items()
                if language in ("fr", "en")
            }
            template = templates.get_template(entry["template"])
            path.write_text(template.render({**variables, "page": {**page, **said}}))

    @contextmanager
    def running(self, **upstreams: int) -> Iterator[None]:
        """Run it while the block lasts."""
        self._start(self.configuration(**upstreams))
        try:
            yield
        finally:
            self.stop()

    @contextmanager
    def without_partitions(self) -> Iterator[None]:
        """As a browser that knows nothing of partitioned cookies sees it, while the block lasts."""
        usual = (self.root / "atelier.conf").read_text()
        self.stop()
        self._start(usual.replace("; Partitioned", ""))
        try:
            yield
        finally:
            self.stop()
            self._start(usual)

    def _start(self, configuration: str) -> None:
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert program, "nginx is not installed: apt-get install nginx"
        (self.root / "atelier.conf").write_text(configuration)
        (self.root / "nginx.conf").write_text(MAIN.format(root=self.root, **whoever_runs_this()))
        command = [program, "-p", str(self.root), "-c", str(self.root / "nginx.conf")]
        self._process = subprocess.Popen([*command, "-e", str(self.root / "error.log")])
        until(self._listens, f"nginx listens on {self.port}")

    def stop(self) -> None:
        """Stop it, and wait for its end."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)

    def _listens(self) -> bool:
        assert self._process.poll() is None, (self.root / "error.log").read_text()
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True
