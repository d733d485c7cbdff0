"""`make demo` and `make demo-down`: the whole site on this machine, and nothing left of it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from world import (
    chaos,
    engine,
    fingerprint,
    galaxy,
    images,
    lms,
    needs,
    paths,
    playbook,
    process,
    seed,
    venv,
)
from world.notes import read_json, write_private
from world.run import WorldError, beside, capture, duration, say, succeeds
from world.target import IMAGES, Target

NAME = "atelier-demo"
HTTPS_PORT = 8443
HTTP_PORT = 8480
DOMAIN = "atelier.localhost"
NOTEBOOKS = f"https://atelier-notebooks.localhost:{HTTPS_PORT}"
"""Learners' servers, without the learner's own label: another site than the hub's to a browser."""
COURSE = "demo"
VARS = paths.DEMO / "vars.yml"
DETAILS = paths.DEMO / "demo.json"
AUTHORITY = paths.DEMO / "ca.pem"
TIMINGS = paths.DEMO / "timings.json"
SITE_LOG = paths.DEMO / "site.log"
KILLED_RUNS = 3
GITLAB_RB = "/srv/gitlab/config/gitlab.rb"

NAME_TAKEN = (
    f"the name {NAME}: another checkout's demo has it. Run make demo-down there,\n"
    "    or here, which removes it too"
)

TARGET = Target(
    NAME,
    publish=(
        f"127.0.0.1:{HTTPS_PORT}:{HTTPS_PORT}",
        f"127.0.0.1:{HTTP_PORT}:{HTTP_PORT}",
    ),
    network=NAME,
    keep_images=True,
    keep_bytecode=galaxy.wanted(),  # the tests' demo, not the one that `make bench` measures
)


def url(name: str) -> str:
    """Return the address of one of the demo's sites: hub, gitlab or lms."""
    return f"https://{name}.{DOMAIN}:{HTTPS_PORT}"


def check(gitlab_image: str | None) -> None:
    """Look at the machine, say all that is missing at once, install what root may install."""
    found = needs.Needs()
    needs.common(found)
    look(found, gitlab_image)
    found.settle()


def look(found: needs.Needs, gitlab_image: str | None) -> None:
    """Note what stands in the way of this checkout's demo."""
    if is_of_another_checkout():
        found.problems.append(NAME_TAKEN)
    needs.ports(found, (HTTPS_PORT, HTTP_PORT), NAME)
    needs.memory(found, needs.REAL_GITLAB_MEMORY_GIB if gitlab_image else needs.MEMORY_GIB)


def look_again() -> None:
    """Look once more when the engine runs: one that did not run has told nothing.

    Raises:
        WorldError: another checkout's demo is there.
    """
    if is_of_another_checkout():
        raise WorldError(f"This is missing:\n  - {NAME_TAKEN}")


def is_of_another_checkout() -> bool:
    """Tell whether a demo is there that another checkout made, or one this one knows nothing of."""
    maker = TARGET.checkout()
    if maker == paths.ROOT:
        return False
    try:
        if maker is not None and maker.exists():
            return True
    except PermissionError:  # somebody else's, in a place that we may not look at
        return True
    return not VARS.exists() and succeeds("docker", "container", "inspect", NAME)


def remove_server() -> bool:
    """Remove the server, whose ever it is, with the course page of the checkout that made it."""
    checkout = TARGET.checkout()
    if checkout not in (None, paths.ROOT):
        say(f"==> removing the demo that was made in {checkout}")
    stopped = checkout is not None and lms.stop(checkout / paths.DEMO.relative_to(paths.ROOT))
    return TARGET.down() or stopped


def variables(
    gateway: str, gitlab_image: str | None, *, container: str = NAME, keep: Path = VARS
) -> dict[str, Any]:
    """Return what depends on this machine, with the secrets that `keep` has or new ones.

    Args:
        gateway: this machine's address as the target sees it.
        gitlab_image: a real GitLab image to pull, or None for the stand-in.
        container: name of the target.
        keep: file of an earlier answer, JSON (which is YAML too).
    """
    kept = read_json(keep)
    known: dict[str, Any] = {
        "atelier_gitlab_root_password": kept.get("atelier_gitlab_root_password")
        or secrets.token_urlsafe(18),
        "atelier_consumers": kept.get("atelier_consumers")
        or [{"key": "demo", "secret": secrets.token_hex(24), "platform": "demo-lms"}],
        "atelier_registrations": [registration()],
        "atelier_ca_certificates": [str(path) for path in paths.ca_certificates()],
        "atelier_base_image": images.BASE,
        "atelier_base_image_source": "archive",
        "atelier_base_image_archive": str(images.archive_path("base")),
        # Layers of a course image that an earlier target has built, where there is one.
        "course_image_cache_archive": f"{IMAGES}/course-{COURSE}.tar",
        "demo_host_gateway": gateway,
        "demo_container": container,
    }
    if gitlab_image:
        known["gitlab_image"] = gitlab_image
    else:
        known["gitlab_image"] = images.STANDIN
        known["gitlab_image_archive"] = str(images.archive_path("gitlab-standin"))
    return known


def registration() -> dict[str, Any]:
    """Return what the inventory says of the course page as an LTI 1.3 platform."""
    return {
        "key": "demo-13",
        "platform": "demo-lms",
        "issuer": url("lms"),
        "client_ids": ["atelier-tool"],
        "deployment_ids": ["1"],
        "auth_login_url": f"{url('lms')}/lti13/auth",
        "auth_token_url": f"{url('lms')}/lti13/token",
        "jwks_url": f"{url('lms')}/lti13/keys",
    }


def make_images(*, standin: bool) -> bool:
    """Make the images and the archives that `variables` names. True when something was made."""
    made = images.ensure_target()
    made = images.ensure_base() or made
    images.archive(images.BASE, "base")
    if standin:
        made = images.ensure_standin() or made
        images.archive(images.STANDIN, "gitlab-standin")
    return made


def own_values(known: dict[str, Any]) -> dict[str, str]:
    """Map the variables' values that belong to one server alone to names."""
    return {
        known["demo_host_gateway"]: "gateway",
        known["atelier_gitlab_root_password"]: "root password",
        **{item["secret"]: f"secret of {item['key']}" for item in known["atelier_consumers"]},
    }


def network() -> str:
    """Make the demo's Docker network if needed and return the address of this machine in it."""
    if not succeeds("docker", "network", "inspect", NAME):
        capture("docker", "network", "create", NAME)
    form = "{{(index .IPAM.Config 0).Gateway}}"
    gateway = capture("docker", "network", "inspect", "-f", form, NAME)
    if not gateway:  # some engines fill it in only when the first container joins
        subnet = capture(
            "docker", "network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", NAME
        )
        gateway = subnet.rsplit(".", 1)[0] + ".1"
    return gateway


def prepare(gitlab_image: str | None) -> str:
    """Make what the site is installed with and on, but for the server itself.

    Returns:
        This machine's address as the server sees it.
    """
    say("==> looking at this machine")
    check(gitlab_image)
    engine.ensure()
    look_again()
    with beside("images", "images", *(["--no-standin"] if gitlab_image else [])):
        venv.ensure()
    make_images(standin=not gitlab_image)  # their archives
    gateway = network()
    lms.refuse_a_stranger(gateway)  # now, and not after the whole installation
    write_private(VARS, json.dumps(variables(gateway, gitlab_image), indent=2) + "\n")
    return gateway


def _site() -> tuple[str, list[str | Path], dict[str, str]]:
    """Return the playbook, its options and its environment: the checkout's, or as Galaxy has it."""
    options: list[str | Path] = ["-i", "inventories/demo", "-e", f"@{VARS}"]
    if not galaxy.wanted():
        return "playbooks/site.yml", options, venv.environment()
    galaxy.install()
    return "mooc.atelier.site", options, galaxy.environment()


def interrupt() -> bool:
    """Make the server, and kill three installations of the site on it: `up` has to repair that."""
    prepare(os.environ.get("GITLAB_IMAGE") or None)
    TARGET.up()
    name, options, env = _site()
    paths.RESULTS.mkdir(exist_ok=True)
    chaos.storm(
        [venv.program("ansible-playbook"), name, *options],
        env=env,
        runs=KILLED_RUNS,
        seed=seed.current(),
        log=paths.RESULTS / "demo-killed.log",
    )
    return True


def up() -> bool:
    """Bring the demo up, or to its wanted state. True when something changed."""
    began = time.monotonic()
    gateway = prepare(os.environ.get("GITLAB_IMAGE") or None)
    fresh = not TARGET.state()
    changed = TARGET.up()
    say(f"==> installing the site (whole log: {SITE_LOG.relative_to(paths.ROOT)})")
    name, options, env = _site()
    outcome = playbook.run(name, options, log=SITE_LOG, env=env)
    _note(outcome, fresh=fresh)
    hand_over()
    changed = lms.ensure(gateway, DETAILS) or changed
    fingerprint.keep("demo", fingerprint.take(TARGET, own_values(read_json(VARS))))
    TARGET.keep_course_images()
    _card(time.monotonic() - began, outcome)
    changed = changed or outcome.changed > 0
    if not changed:
        say("   Nothing had to be changed.")
    return changed


def _note(outcome: playbook.Outcome, *, fresh: bool) -> None:
    """Keep the durations that the benchmarks report."""
    known: dict[str, Any] = read_json(TIMINGS)
    if fresh:
        cached = (paths.CACHE / "world" / "images" / f"course-{COURSE}.tar").exists()
        known["first_cached_seconds" if cached else "first_seconds"] = round(outcome.seconds, 1)
    elif outcome.changed == 0:
        known["unchanged_seconds"] = round(outcome.seconds, 1)
    TIMINGS.write_text(json.dumps(known) + "\n")


def hand_over() -> None:
    """Write what a client of the demo needs: demo.json and the authority's certificate."""
    consumer = json.loads(VARS.read_text())["atelier_consumers"][0]
    authority = TARGET.read("/etc/atelier/pki/ca.pem") + "\n"
    if not AUTHORITY.exists() or AUTHORITY.read_text() != authority:
        AUTHORITY.write_text(authority)
    details = {
        "hub_url": url("hub"),
        "gitlab_url": url("gitlab"),
        "notebooks_url": NOTEBOOKS,
        "lms_url": url("lms"),
        "ca_file": str(AUTHORITY),
        "consumer_key": consumer["key"],
        "consumer_secret": consumer["secret"],
        "course": COURSE,
        "target_container": NAME,
        "gitlab_rb": GITLAB_RB,
        "gitlab_admin_token": TARGET.read("/etc/atelier/secrets/gitlab_admin_token"),
    }
    if read_json(DETAILS) != details:
        write_private(DETAILS, json.dumps(details, indent=2) + "\n")


def _card(seconds: float, outcome: playbook.Outcome) -> None:
    say(f"""
==> The site is up ({duration(seconds)}; site.yml: changed={outcome.changed}).

   course page   {url("lms")}    <- begin here
   hub           {url("hub")}
   GitLab        {url("gitlab")}
   notebooks     {NOTEBOOKS.replace("://", "://<learner>.")}

   Open the course page, choose a learner, click "notebook" or "GitLab space".
   The certificates are signed by the demo's own authority. Either accept the browser's warning at each
   of the addresses (each learner's notebooks have one), or import {AUTHORITY.relative_to(paths.ROOT)} in the browser's list of authorities.
   (Browsers find *.localhost on this machine by themselves; on another one, forward port {HTTPS_PORT}.)

   Again:  make demo        Stop and remove:  make demo-down
""")  # noqa: E501


def status() -> bool:
    """Say what runs. Never changes anything."""
    say(f"target {NAME}: {TARGET.state() or 'absent'}")
    say(f"course page: {'running' if process.alive(lms.RECORD) else 'stopped'}")
    if DETAILS.exists():
        say(f"addresses: {url('lms')} {url('hub')} {url('gitlab')}")
    return False


def down() -> bool:
    """Remove what `up` made: processes, container, volume, network, images, `.demo`.

    Kept: the virtual environment and `.cache` (downloads), which `make clean` removes, and Debian
    packages. A dockerd that `up` had started stops when nothing else runs in it. `KEEP_IMAGES` and
    `KEEP_ENGINE` keep those for who goes on working. `KEEP_DEMO` names a file: everything stays,
    and the file says that `down` is still to come.
    """
    if note := os.environ.get("KEEP_DEMO"):
        Path(note).touch()
        say("==> The demo stays: tests that failed on it are tried again.")
        return False
    changed = lms.stop()
    if succeeds("docker", "info"):
        changed = remove_server() or changed
        changed = succeeds("docker", "network", "rm", NAME) or changed
        if not os.environ.get("KEEP_IMAGES"):
            for tag in images.NAMES:
                changed = images.remove(tag) or changed
    elif paths.DEMO.exists():
        raise WorldError("Docker does not answer: start it, then run make demo-down again.")
    if not os.environ.get("KEEP_ENGINE"):
        engine.stop_own()
    changed = paths.DEMO.exists() or changed
    shutil.rmtree(paths.DEMO, ignore_errors=True)
    say("==> The demo is gone. Downloads are kept in .cache and .venv (make clean removes them).")
    return changed
