"""The places that judge a course, a consumer or a registration, as they are when it matters.

Each takes an entry of an inventory, or a row of the table, and returns what is wrong with it: an
empty text when nothing is.
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
from ansible._internal._datatag._tags import TrustedAsTemplate
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.mooc.atelier.plugins.module_utils._preflight_courses import course_findings
from ansible_collections.mooc.atelier.plugins.module_utils._schema.hosts import PlatformHosts
from atelier.door.dynamic import register
from atelier.joined import Invitation
from atelier.outside import Outside, OutsideError
from atelier.registrations import Registrations
from atelier.settings import Consumers, Course, SettingsError, Site, parse
from pydantic import ValidationError
from unit.modules.running import run
from unit.schema.table import CONSUMER, COURSE, PRIVATE_HOST, REGISTRATION, Row
from world import paths

OTHER = {
    **CONSUMER,
    "key": "other",
    "platform": "other",
    "secret": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
}
HOSTS = PlatformHosts([PRIVATE_HOST])
ROLE = paths.ROOT / "roles/course"


def preflight(row: Row) -> str:
    """Role preflight, on a site with that entry."""
    settings: dict[str, Any] = {
        "courses": [COURSE], "consumers": [CONSUMER], "registrations": [REGISTRATION],
        "platform_private_hosts": [PRIVATE_HOST],
    }  # fmt: skip
    settings[f"{row.kind}s"] = [row.entry]
    found = [one for one in course_findings(settings) if one.grave]
    if row.kind != "course":  # what courses name is there, whatever the key is
        found = [one for one in found if not one.variable.startswith("atelier_courses")]
    return "; ".join(f"{one.variable} {one.problem}" for one in found)


def _sent(value: Any) -> Any:
    """A value as a module gets it: by JSON."""
    return json.loads(json.dumps(value, default=date.isoformat))


def module(row: Row) -> str:
    """Module `lti_consumers`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "consumers.yml"
        ran = run("lti_consumers", path=str(path), consumers=[_sent(row.entry)])
        if ran.result.get("failed"):
            return str(ran.result["msg"])
        parse(Consumers, path.read_text(), "consumers.yml")
    return ""


@cache
def _specs() -> dict[str, Any]:
    text = (ROLE / "meta/argument_specs.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text)["argument_specs"]["main"]["options"])


def argument_specs(row: Row) -> str:
    """Ansible's check of what role `course` takes."""
    kinds = {
        "course": "course_course",
        "consumer": "course_consumers",
        "registration": "course_registrations",
    }
    name = kinds[row.kind]
    value = row.entry if row.kind == "course" else [row.entry]
    spec = {key: option for key, option in _specs()[name].items() if key != "default"}
    result = ArgumentSpecValidator({name: spec}).validate({name: copy.deepcopy(value)})
    return "; ".join(result.error_messages)


def _rendered(template: str, **variables: Any) -> str:
    """A template of role `course`, with the role's own variables."""
    loader = DataLoader()
    known = {
        **loader.load_from_file(str(ROLE / "defaults/main.yml"), trusted_as_template=True),
        **loader.load_from_file(str(ROLE / "vars/main.yml"), trusted_as_template=True),
        "ansible_managed": "managed",
        "role_path": str(ROLE),
        **variables,
    }
    text = (ROLE / "templates" / template).read_text(encoding="utf-8")
    return str(Templar(loader=loader, variables=known).template(TrustedAsTemplate().tag(text)))


def role(row: Row) -> str:
    """Role `course`: its own checks, then the hub on what it writes."""
    refused = argument_specs(row)
    if refused:
        return refused
    try:
        if row.kind == "course":
            text = _rendered(
                "course.yml.j2", course_course=row.entry, __course_image="atelier/rr1:1"
            )
            if row.entry.get("state") != "absent":
                parse(Course, text, "rr1.yml")
        elif row.kind == "registration":
            text = _rendered("registrations.yml.j2", course_registrations=[row.entry])
            parse(Registrations, text, "registrations.yml")
        else:
            return module(row)
    except (SettingsError, AnsibleError) as error:
        return str(error)
    return ""


# What the hub's files do not have: the role reads it, and what it makes of it is in GitLab.
NOT_IN_THE_HUB_S_FILES = {
    "course": {
        "repository",
        "directory",
        "branch",
        "image",
        "expected",
        "visibility",
        "staff",
        "state",
    },
    "consumer": {"rotate", "grace", "state"},
    "registration": {"state"},
}


def hub(row: Row) -> str | None:
    """The hub, on a file with the entry as it is in the row; None: the key is not in its files."""
    if row.changes.keys() & NOT_IN_THE_HUB_S_FILES[row.kind]:
        return None
    kept = {
        key: value
        for key, value in row.entry.items()
        if key not in NOT_IN_THE_HUB_S_FILES[row.kind]
    }
    try:
        if row.kind == "course":
            entry = {**kept, "template": "rr1/template", "image": "atelier/rr1:1"}
            parse(Course, _yaml(entry), "rr1.yml")
        elif row.kind == "consumer":
            parse(Consumers, _yaml({"consumers": [kept]}), "consumers.yml")
        else:
            parse(Registrations, _yaml({"registrations": [kept]}), "registrations.yml")
    except SettingsError as error:
        return str(error)
    return ""


def _yaml(data: Any) -> str:
    return str(yaml.safe_dump(data, allow_unicode=False))


INVITED = {"key", "platform", "courses", "trust_email", "trust_roles", "hosts"}
SAID = {"issuer", "client_ids", "deployment_ids", "auth_login_url", "auth_token_url", "jwks_url"}


def invitation(row: Row) -> str | None:
    """An invitation and what comes by it; None where they cannot say the row's."""
    entry = row.entry
    one_each = all(
        isinstance(entry.get(key), list) and len(entry[key]) == 1
        for key in ("client_ids", "deployment_ids")
    )
    if not row.changes.keys() <= INVITED | SAID or not one_each:
        return None
    said = row.changes.keys() & SAID
    if "issuer" in said or any(entry.get(key) in (None, "") for key in said):
        return None  # the platform's host says its issuer; its addresses are all needed
    site = Site(hub_url="https://hub.example", gitlab_url="https://gitlab.example")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            tool = "https://purl.imsglobal.org/spec/lti-tool-configuration"
            deployment = {"deployment_id": entry["deployment_ids"][0]}
            return httpx.Response(200, json={"client_id": entry["client_ids"][0], tool: deployment})
        return httpx.Response(
            200,
            json={
                "issuer": entry["issuer"],
                "authorization_endpoint": entry["auth_login_url"],
                "token_endpoint": entry["auth_token_url"],
                "jwks_uri": entry["jwks_url"],
                "registration_endpoint": "https://lms.univ.example/register",
            },
        )

    outside = Outside(transport=httpx.MockTransport(answer), private_hosts=HOSTS)
    try:
        invited = Invitation(
            **{key: value for key, value in entry.items() if key in INVITED}, expires=1
        )
        url = "https://lms.univ.example/configuration"
        asyncio.run(register(outside, site, url, "", invited))
    except (ValidationError, OutsideError) as error:
        return str(error)
    return ""


SIDES: dict[str, Callable[[Row], str | None]] = {
    "preflight": preflight,
    "role": role,
    "hub": hub,
    "module": lambda row: module(row) if row.kind == "consumer" else None,
    "invitation": lambda row: invitation(row) if row.kind == "registration" else None,
}
