"""Host names for learners' servers: DNS must have them before a site moves there."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.notebooks import (
    PROBE,
    address_findings,
    names_to_look_up,
    notebook_findings,
)

SETTINGS: dict[str, Any] = {
    "domain": "mooc.univ.fr",
    "hub_host": "hub.mooc.univ.fr",
    "gitlab_host": "gitlab.mooc.univ.fr",
    "tls": "self_signed",
    "notebook_origin": "learner",
    "notebook_domain": "notebooks.mooc.univ.fr",
    "notebook_tls_certificate": "",
    "notebook_tls_key": "",
}
LEARNER = f"{PROBE}.notebooks.mooc.univ.fr"
HUB = "hub.mooc.univ.fr"
A, B = ["192.0.2.1"], ["192.0.2.2"]
AS_IT_WAS = "`atelier_notebook_origin: shared`"


@pytest.mark.parametrize(
    ("here", "there", "installed", "grave"),
    [
        ({LEARNER: A, HUB: A}, {LEARNER: A, HUB: ["127.0.0.1"]}, True, []),
        ({LEARNER: A, HUB: [*A, *B]}, {}, False, []),
        ({LEARNER: [], HUB: []}, {LEARNER: A, HUB: A}, True, []),  # names of an inner network
        ({LEARNER: A, HUB: []}, {LEARNER: [], HUB: []}, False, []),
        ({LEARNER: [], HUB: A}, {LEARNER: [], HUB: A}, False, [True]),
        ({LEARNER: [], HUB: []}, {LEARNER: [], HUB: ["127.0.0.1"]}, True, [True]),
        ({LEARNER: [], HUB: []}, {LEARNER: [], HUB: []}, False, [False]),  # no DNS yet at all
        ({LEARNER: B, HUB: A}, {}, False, [True]),
    ],
)
def test_names_of_learners_lead_to_the_server(
    here: dict[str, list[str]], there: dict[str, list[str]], installed: bool, grave: list[bool]
) -> None:
    found = list(address_findings(SETTINGS, here, there, installed))
    assert [finding.grave for finding in found] == grave
    for finding in found:
        assert "*.notebooks.mooc.univ.fr" in finding.problem
        assert AS_IT_WAS in finding.fix


@pytest.mark.parametrize(
    "changes",
    [
        {"notebook_origin": "shared"},
        {"notebook_domain": "atelier-notebooks.localhost"},
        {"notebook_domain": "notebooks.mooc.univ.test"},
        {"notebook_domain": "wrong"},
        {"hub_host": "wrong"},
    ],
)
def test_what_dns_does_not_have_is_not_looked_up(changes: dict[str, Any]) -> None:
    settings = {**SETTINGS, **changes}
    assert names_to_look_up(settings) == []
    assert list(address_findings(settings, {}, {}, installed=True)) == []


def test_a_shared_origin_is_told_of_and_hinders_nothing() -> None:
    (finding,) = notebook_findings({**SETTINGS, "notebook_origin": "shared"})
    assert not finding.grave
    assert "may act for whoever opens it" in finding.problem
