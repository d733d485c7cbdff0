"""A server that somebody changed by hand: a dry run shows each change, a run mends all of them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from kit.demo import Demo
from world import demo as world_demo
from world import fingerprint, paths, venv
from world.notes import read_json

SECONDS = 120  # for one command: GitLab's stand-in starts again in one of them
HUB_UNIT = "/etc/systemd/system/atelier-hub.service"
SITES = "/etc/nginx/conf.d/atelier.conf"
CA = "/usr/local/share/ca-certificates/local-atelier-ca.crt"
COURSE = "/etc/atelier/courses.d/demo.yml"
REPAIR = "atelier-firewall-refresh"
IMAGE = '$(sed \'s/.*"image": "\\([^"]*\\)".*/\\1/\' /var/lib/atelier/images/demo.json)'
# As somebody would who starts the container by hand.
GITLAB_AGAIN = (
    "of() { docker inspect --format \"$1\" gitlab; }; image=$(of '{{.Config.Image}}')"
    "; places=$(of '{{range .HostConfig.Binds}}--volume={{.}} {{end}}') && docker rm --force gitlab"
    " && docker run --detach --name gitlab --label org.atelier.part=other $places"
    " --publish 127.0.0.1:8929:80 --add-host hub.atelier.localhost:host-gateway $image"
)
UNTIL_READY = (
    "until docker exec gitlab curl -fsS --max-time 5 http://localhost/-/readiness; do sleep 1; done"
)


@dataclass(frozen=True)
class Drift:
    """What somebody does by hand.

    Attributes:
        does: shell commands, on the server.
        shown: words that the dry run's output must have.
        asks: shell command whose output is another one until the drift is mended.
    """

    does: str
    shown: str
    asks: str


DRIFTS = {
    # First: this timer would put back the rules that are changed below before they are asked for.
    "the firewall's own repair": Drift(
        f"systemctl stop {REPAIR}.timer {REPAIR}.service",
        f"{REPAIR}.timer",
        f"systemctl is-active {REPAIR}.timer",
    ),
    "a file's content": Drift(
        "echo '# by hand' >> /etc/atelier/jupyterhub_config.py",
        "-# by hand",
        "cat /etc/atelier/jupyterhub_config.py",
    ),
    "a file's mode": Drift(
        "chmod 0644 /etc/atelier/atelier.yml",
        "/etc/atelier/atelier.yml",
        "stat -c %a /etc/atelier/atelier.yml",
    ),
    "a file's owner": Drift(
        "chown www-data /usr/local/sbin/atelier-nginx-check",
        "/usr/local/sbin/atelier-nginx-check",
        "stat -c %U /usr/local/sbin/atelier-nginx-check",
    ),
    "a file's group": Drift(
        "chgrp adm /etc/atelier/registrations.yml",
        "/etc/atelier/registrations.yml",
        "stat -c %G /etc/atelier/registrations.yml",
    ),
    "a missing file": Drift(
        "rm /usr/local/share/atelier/pages/hub/503.html",
        "/usr/local/share/atelier/pages/hub/503.html",
        "cat /usr/local/share/atelier/pages/hub/503.html",
    ),
    "a link in the place of a file": Drift(
        "mv /etc/atelier/download.env /root && ln -s /root/download.env /etc/atelier/download.env",
        "/etc/atelier/download.env",
        "stat -c %F /etc/atelier/download.env",
    ),
    "a directory's mode": Drift(
        "chmod 0777 /etc/atelier/courses.d",
        "/etc/atelier/courses.d",
        "stat -c %a /etc/atelier/courses.d",
    ),
    "a secret's mode": Drift(
        "chmod 0644 /etc/atelier/secrets/cookie_secret",
        "/etc/atelier/secrets/cookie_secret",
        "stat -c %a /etc/atelier/secrets/cookie_secret",
    ),
    "a private key's mode": Drift(
        "chmod 0644 /etc/atelier/tls/key.pem",
        "/etc/atelier/tls/key.pem",
        "stat -c %a /etc/atelier/tls/key.pem",
    ),
    "a certificate": Drift(
        "cp /etc/atelier/pki/ca.pem /etc/atelier/tls/fullchain.pem",
        "/etc/atelier/tls/fullchain.pem",
        "sha256sum /etc/atelier/tls/fullchain.pem",
    ),
    "an authority that is trusted no more": Drift(f"rm {CA}", CA, f"sha256sum {CA}"),
    "a unit": Drift(
        f"sed -i 's/^Description=.*/Description=by hand/' {HUB_UNIT}",
        "-Description=by hand",
        "systemctl show --property=Description atelier-hub.service",
    ),
    "a unit's drop-in": Drift(
        "rm /etc/systemd/system/nginx.service.d/atelier.conf && systemctl daemon-reload",
        "/etc/systemd/system/nginx.service.d/atelier.conf",
        "systemctl show --property=Restart nginx.service",
    ),
    "a unit that was stopped": Drift(
        "systemctl stop atelier-gitlab-token.timer",
        "atelier-gitlab-token.timer",
        "systemctl is-active atelier-gitlab-token.timer",
    ),
    "a unit that does not start at boot": Drift(
        "systemctl disable --quiet atelier-proxy.service",
        "atelier-proxy.service",
        "systemctl is-enabled atelier-proxy.service",
    ),
    "a user's group": Drift(
        "gpasswd --delete atelier-hub docker", "=> (item=atelier-hub)", "id atelier-hub"
    ),
    "a user's shell": Drift(
        "usermod --shell /bin/bash atelier-desk",
        "=> (item=atelier-desk)",
        "getent passwd atelier-desk",
    ),
    "a firewall rule": Drift(
        "iptables --flush ATELIER-INPUT",
        "the rules in force are not those",
        "iptables --list-rules ATELIER-INPUT",
    ),
    "a chain that nobody enters": Drift(
        "iptables --delete INPUT --jump ATELIER-INPUT",
        "the rules in force are not those",
        "iptables --list-rules INPUT",
    ),
    "an IPv6 firewall rule": Drift(
        "ip6tables --flush ATELIER-OUT",
        "the rules in force are not those",
        "ip6tables --list-rules ATELIER-OUT",
    ),
    "a bridge that does not meet the rules": Drift(
        "echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables",
        "the rules in force are not those",
        "cat /proc/sys/net/bridge/bridge-nf-call-iptables",
    ),
    "a package": Drift(
        "DEBIAN_FRONTEND=noninteractive apt-get remove -y -q curl",
        "  curl",
        "dpkg-query --show --showformat='${db:Status-Status}' curl",
    ),
    "an nginx site": Drift(f"sed -i '/ssl_certificate_key/d' {SITES}", SITES, f"sha256sum {SITES}"),
    "a site that nobody asked for": Drift(
        "ln -s /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default",
        "/etc/nginx/sites-enabled/default",
        "ls /etc/nginx/sites-enabled",
    ),
    "the machine's names": Drift(  # the other names lead to GitLab, which the dry run asks
        "sed 's/ lms.atelier.localhost//' /etc/hosts > /root/hosts && cat /root/hosts > /etc/hosts",
        "+127.0.0.1 hub.atelier.localhost gitlab.atelier.localhost lms.atelier.localhost",
        "sort /etc/hosts",
    ),
    "the engine's settings": Drift(
        "sed -i 's/10m/11m/' /etc/docker/daemon.json",
        "/etc/docker/daemon.json",
        "cat /etc/docker/daemon.json",
    ),
    "a container's label": Drift(
        f"{GITLAB_AGAIN} && {UNTIL_READY}",
        "org.atelier.part",
        "docker inspect --format '{{json .Config.Labels}}' gitlab",
    ),
    "an image's tag": Drift(
        f"docker tag $(docker images --quiet atelier/base | head -n 1) {IMAGE}",
        "/var/lib/atelier/images/demo.json",
        f"docker inspect --format '{{{{.Config.User}}}}' {IMAGE}",
    ),
    "a file of the package": Drift(
        "echo '# by hand' >> /opt/atelier/src/pyproject.toml",
        "pyproject.toml",
        "sha256sum /opt/atelier/src/pyproject.toml",
    ),
    "a course's limits": Drift(
        f"sed -i 's/^memory: .*/memory: 9G/' {COURSE}", "-memory: 9G", f"cat {COURSE}"
    ),
    "a platform's key": Drift(
        'sed -i \'s/platform: "demo-lms"/platform: "other"/\' /etc/atelier/consumers.yml',
        '-        "platform": "other"',
        "grep platform: /etc/atelier/consumers.yml",
    ),
}


def on(server: str, script: str) -> str:
    """Run a script on the server and return what it says."""
    done = subprocess.run(
        ["docker", "exec", server, "bash", "-c", script],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout.strip()


def site(log: Path, *options: str) -> str:
    """Run site.yml on the demo and return its output."""
    done = subprocess.run(
        [venv.program("ansible-playbook"), "playbooks/site.yml", "-i", "inventories/demo",
         "-e", f"@{world_demo.VARS}", *options],
        cwd=paths.ROOT,
        env={**os.environ, **venv.environment()},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    log.write_text(done.stdout + done.stderr)
    assert done.returncode == 0, f"{log}: {done.stdout[-4000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def answers(demo: Demo, results: Path) -> tuple[str, dict[str, tuple[str, str, str]]]:
    """Seed all drifts, run the playbook dry and for real. Returns the dry run's output, and the
    answers to each drift's question before it, after it, and in the end.
    """
    server = demo.target.name
    own = world_demo.own_values(read_json(world_demo.VARS))
    state = fingerprint.take(demo.target, own)

    def asked() -> dict[str, str]:
        return {kind: on(server, drift.asks) for kind, drift in DRIFTS.items()}

    before = asked()
    for drift in DRIFTS.values():
        on(server, f"set -eu; {drift.does}")
    seeded = asked()
    try:
        shown = site(results / "drift-check.log", "--check", "--diff")
        assert asked() == seeded, "the dry run changed something"
    finally:  # the demo is also that of other tests
        site(results / "drift-mended.log")
    after = asked()
    assert fingerprint.differences(state, fingerprint.take(demo.target, own)) == []
    return shown, {kind: (before[kind], seeded[kind], after[kind]) for kind in DRIFTS}


@pytest.mark.parametrize("kind", DRIFTS)
def test_a_drift_is_shown_and_mended(
    kind: str, answers: tuple[str, dict[str, tuple[str, str, str]]]
) -> None:
    shown, asked = answers
    before, seeded, after = asked[kind]
    assert seeded != before, "nothing was changed by hand"
    assert DRIFTS[kind].shown in shown
    assert after == before
