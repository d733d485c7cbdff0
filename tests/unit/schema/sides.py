"""The places that judge a course, a consumer or a registration, as they are when it matters.

Each takes a row of the table and says what is wrong with its entry: an empty text when nothing is,
None where the place never sees such an entry.
"""

from __future__ import annotations

import asyncio
import copy
import json
import tempfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import yaml
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.courses import course_findings
from atelier.config.invitations import Invitation
from atelier.config.models import Consumers, Course, SettingsError, Site, parse
from atelier.config.registrations import Registrations
from atelier.config.schema.hosts import PlatformHosts
from atelier.config.schema.kinds import Reading
from atelier.courses.settings import SourceError, read_source
from atelier.hub.web.dynamic_registration import CONFIGURATION, register
from atelier.lti.http import PlatformClient, PlatformRequestError
from kit.modules import run
from pydantic import ValidationError
from unit.schema.table import CONSUMER, COURSE, PRIVATE_HOST, REGISTRATION, Row
from world import paths

HOSTS = PlatformHosts([PRIVATE_HOST])
ROLE = paths.ROOT / "roles/course"
IMAGE = "atelier/course-rr1:1"
VARIABLES = {
    "course": "course_course",
    "consumer": "course_consumers",
    "registration": "course_registrations",
}


def preflight(row: Row) -> str:
    """Role preflight, on a site with that entry."""
    settings: dict[str, Any] = {
        "courses": [COURSE], "consumers": [CONSUMER], "registrations": [REGISTRATION],
        "platform_private_hosts": [PRIVATE_HOST],
    }  # fmt: skip
    settings[f"{row.kind}s"] = [row.entry]
    found = [one for one in course_findings(settings) if one.grave]
    return "; ".join(f"{one.variable} {one.problem}" for one in found)


def module(row: Row) -> str | None:
    """Module `lti_consumers`, then the hub on the file it writes."""
    if row.kind != "consumer" or row.changes == {"secret": None} or row.changes == {"secret": ...}:
        return None  # without a secret, it makes one
    sent = json.loads(json.dumps(row.entry, default=date.isoformat))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "consumers.yml"
        ran = run("lti_consumers", path=str(path), consumers=[sent])
        if ran.result.get("failed"):
            return str(ran.result["msg"])
        parse(Consumers, path.read_text(), "consumers.yml")
    return ""


@cache
def _options() -> dict[str, Any]:
    text = (ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["argument_specs"]["main"]["options"])


def argument_specs(row: Row) -> str:
    """What Ansible says of a variable of role `course` before the role begins."""
    name = VARIABLES[row.kind]
    value = row.entry if row.kind == "course" else [row.entry]
    spec = {key: option for key, option in _options()[name].items() if key != "default"}
    try:
        result = ArgumentSpecValidator({name: spec}).validate({name: copy.deepcopy(value)})
    except TypeError as error:  # so ends Ansible itself, at a number in a dictionary's place
        return f"TypeError: {error}"
    return "; ".join(result.error_messages)


@cache
def _role_variables() -> dict[str, Any]:
    loader = DataLoader()
    files = ("defaults/main.yml", "vars/main.yml")
    return {
        name: value
        for file in files
        for name, value in loader.load_from_file(
            str(ROLE / file), trusted_as_template=True
        ).items()
    }  # fmt: skip


def _templated(text: str, row: Row) -> Any:
    """A text of role `course`, with the role's own variables."""
    known = {
        **_role_variables(),
        "ansible_managed": "managed",
        "atelier_domain": "mooc.example",
        "role_path": str(ROLE),
        "course_platform_private_hosts": [PRIVATE_HOST],
        "course_course": COURSE,
        "__course_image": IMAGE,
        VARIABLES[row.kind]: row.entry if row.kind == "course" else [row.entry],
    }
    return Templar(loader=DataLoader(), variables=known).template(trust_as_template(text))


def _written(template: str, row: Row) -> str:
    return str(_templated((ROLE / "templates" / template).read_text(encoding="utf-8"), row))


def role(row: Row) -> str | None:
    """Role `course`: its checks before it begins, then the hub on the files it writes."""
    if row.kind == "consumer":
        return argument_specs(row) or module(row)
    try:
        checked = "" if row.kind == "course" else "registration_"
        refused = argument_specs(row) or "; ".join(
            _templated(f"{{{{ __course_{checked}problems }}}}", row)
        )
        if refused:
            return refused
        if row.kind == "registration":
            parse(Registrations, _written("registrations.yml.j2", row), "registrations.yml")
        elif row.entry.get("state") != "absent":
            parse(Course, _written("course.yml.j2", row), "rr1.yml")
            sources = _templated("{{ __course_pipeline | to_nice_yaml(indent=2) }}", row)
            read_source(str(sources), "sources.d/rr1.yml")
    except (AnsibleError, SettingsError, SourceError) as error:
        return str(error)
    return ""


def pipeline(row: Row) -> str | None:
    """The command `atelier-course`, on a file that has the course's keys as they are in the row."""
    said = row.changes.keys()
    read = {"slug", "start_file", "repository", "directory", "branch", "visibility", "staff"}
    if row.kind != "course" or not said <= read | {"expected"}:
        return None
    entry = row.entry
    kept = {
        "slug": entry.get("slug"),
        "template": {
            key: entry[key] for key in ("repository", "directory", "branch") if key in entry
        },
        "gitlab": {
            "api_url": "https://gitlab.example",
            "token_file": "/etc/atelier/secrets/gitlab_admin_token",
            **{key: entry[key] for key in ("visibility", "staff") if key in entry},
        },
        **{key: entry[key] for key in ("start_file", "expected") if key in entry},
    }
    try:
        read_source(yaml.safe_dump(kept), "sources.d/rr1.yml")
    except SourceError as error:
        return str(error)
    return ""


# What the hub's files do not have: the role reads it, and GitLab or the module gets it.
ELSEWHERE = {
    "course": {
        "repository", "directory", "branch", "image", "expected", "visibility", "staff", "state",
    },
    "consumer": {"rotate", "grace", "state"},
    "registration": {"state"},
}  # fmt: skip


def hub(row: Row) -> str | None:
    """The hub, on a file that has the entry as it is in the row."""
    if row.changes.keys() & ELSEWHERE[row.kind]:
        return None
    entry = {key: value for key, value in row.entry.items() if key not in ELSEWHERE[row.kind]}
    reading = Reading(private_hosts=HOSTS)
    try:
        if row.kind == "course":
            kept = {**entry, "template": "rr1/template", "image": IMAGE}
            parse(Course, yaml.safe_dump(kept), "rr1.yml", reading)
        elif row.kind == "consumer":
            parse(Consumers, yaml.safe_dump({"consumers": [entry]}), "consumers.yml", reading)
        else:
            listed = yaml.safe_dump({"registrations": [entry]})
            parse(Registrations, listed, "registrations.yml", reading)
    except SettingsError as error:
        return str(error)
    return ""


INVITED = {"key", "platform", "courses", "trust_email", "trust_roles", "hosts"}
SAID = {
    "client_ids": "client_id",
    "deployment_ids": "deployment_id",
    "auth_login_url": "authorization_endpoint",
    "auth_token_url": "token_endpoint",
    "jwks_url": "jwks_uri",
}
"""What a platform says itself, and what the specification calls it; it has to say all of that."""


class Platform:
    """A platform that says what a row has."""

    def __init__(self) -> None:
        self.entry: dict[str, Any] = {}
        # One for all rows, as it reads the authorities.
        self.client = PlatformClient(
            transport=httpx.MockTransport(self.answer), private_hosts=HOSTS
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            deployment = {"deployment_id": self.entry["deployment_ids"][0]}
            return httpx.Response(
                200, json={"client_id": self.entry["client_ids"][0], CONFIGURATION: deployment}
            )
        about = {
            "issuer": "https://lms.univ.example",
            "registration_endpoint": "https://lms.univ.example/register",
        }
        said = {SAID[key]: self.entry[key] for key in SAID if not key.endswith("_ids")}
        return httpx.Response(200, json={**about, **said})


PLATFORM = Platform()


def invitation(row: Row) -> str | None:
    """An invitation, and the platform that comes by it."""
    entry = row.entry
    ids = [entry.get("client_ids"), entry.get("deployment_ids")]
    expressible = (
        row.kind == "registration"
        and row.changes.keys() <= INVITED | SAID.keys()
        and all(isinstance(one, list) and len(one) == 1 for one in ids)
        and all(row.changes.get(key, "x") not in (None, "", ...) for key in SAID)
    )
    if not expressible:
        return None
    PLATFORM.entry = entry
    site = Site(hub_url="https://hub.example", gitlab_url="https://gitlab.example")
    try:
        decided = {key: value for key, value in entry.items() if key in INVITED}
        invited = Invitation.model_validate({**decided, "expires": 1})
        configuration = "https://lms.univ.example/configuration"
        asyncio.run(register(PLATFORM.client, site, configuration, "", invited))
    except (ValidationError, PlatformRequestError) as error:
        return str(error)
    return ""


SIDES: dict[str, Callable[[Row], str | None]] = {
    "preflight": preflight,
    "role": role,
    "module": module,
    "hub": hub,
    "pipeline": pipeline,
    "invitation": invitation,
}
