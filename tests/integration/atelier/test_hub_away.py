"""A click while the hub restarts."""

from __future__ import annotations

from pathlib import Path

import yaml
from kit.framed_site import FramedSite
from kit.platform11 import Visitor
from kit.site import ROOT, free_port, until
from kit.web_server import WebServer

UNIT = ROOT / "roles/jupyterhub/templates/atelier-proxy.service.j2"


def variables(role: str) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((ROOT / f"roles/{role}/vars/main.yml").read_text())
    return found


def test_a_click_while_the_hub_restarts_gets_a_page_that_tries_again(tmp_path: Path) -> None:
    """As the units run it: the proxy is up, the hub is not."""
    assert "--error-path {{ __jupyterhub_proxy_pages }}" in UNIT.read_text()
    written = variables("nginx")["__nginx_pages"]
    assert variables("jupyterhub")["__jupyterhub_proxy_pages"] == f"{written}/hub"
    (tmp_path / "web").mkdir()
    (tmp_path / "site").mkdir()
    web = WebServer(tmp_path / "web")
    site = FramedSite(tmp_path / "site", web)
    with web.running(hub=site.proxy_port, gitlab=free_port(), lms=free_port()):
        try:
            site.start_proxy(
                f"--default-target=http://127.0.0.1:{site.hub_port}",
                f"--error-path={tmp_path}/web/pages/hub",
            )
            with Visitor(web.hub_url, site.consumer_secret, "early") as early:
                early.browser = web.browser()
                until(lambda: early.get("/hub/").status_code == 503, "the proxy answers")
                page = early.post(early.form())
                assert page.status_code == 503
                assert page.headers["content-type"].startswith("text/html")
                for said in ("Les notebooks ne répondent pas", "The notebooks do not answer"):
                    assert said in page.text
                assert 'http-equiv="refresh"' in page.text
                site.start_hub()
                answer = early.post(early.form())
                assert answer.is_redirect
        finally:
            site.close()
