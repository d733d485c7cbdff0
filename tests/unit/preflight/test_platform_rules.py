"""Rules about the hosts of course platforms."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.courses import (
    consumer_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.platforms import (
    platform_hosts,
    private_host_findings,
    private_hosts,
    private_platform_findings,
    staff_findings,
)
from ansible_collections.mooc.atelier.plugins.module_utils._preflight.registrations import (
    registration_findings,
)
from atelier.config.models import Lti

from .test_registration_rules import GOOD

NAMED = {"platform_private_hosts": ["lms.campus.example", "10.1.0.0/16"]}


@pytest.mark.parametrize(
    ("entries", "problems"),
    [
        ([], 0),
        (["lms.campus.example", "LMS.campus.example", "10.1.2.3", "10.1.0.0/16", "fd12::/32"], 0),
        (["::1", "localhost", "127.0.0.0/8"], 0),
        ("lms.campus.example", 1),
        (["https://lms.campus.example"], 1),
        (["lms.campus.example:8443", "10.1.2.3/16", "", "a b", "*.campus.example", 7], 5),
    ],
)
def test_the_setting_is_a_list_of_hosts_and_networks(entries: Any, problems: int) -> None:
    found = list(private_host_findings({"platform_private_hosts": entries}))
    assert len(found) == problems
    if not problems:
        Lti.model_validate({"private_hosts": entries})


@pytest.mark.parametrize(
    ("host", "address", "wrong"),
    [
        ("lms.example.org", "8.8.8.8", False),
        ("lms.example.org", "10.2.0.1", True),
        ("lms.example.org", "127.0.0.1", True),
        ("lms.example.org", "fd12::1", True),
        ("lms.example.org", "10.1.2.3", False),
        ("lms.campus.example", "192.168.1.1", False),
        ("lms.example.org", "", False),  # no such name here: a proxy may know it
    ],
)
def test_a_platform_in_a_private_network_has_to_be_named(
    host: str, address: str, wrong: bool
) -> None:
    asked = [{"variable": "atelier_registrations[0] (moodle-13)", "host": host}]
    found = list(
        private_platform_findings(
            asked, private_hosts(NAMED), lambda _: [address] if address else []
        )
    )
    assert bool(found) == wrong
    for one in found:
        assert one.grave
        assert f"atelier_platform_private_hosts: [{host}]" in one.fix


def test_what_the_server_will_ask_is_looked_up() -> None:
    settings = {
        "registrations": [
            {**GOOD, "jwks_url": "https://keys.univ.fr/certs", "hosts": ["grades.univ.fr"]},
            {**GOOD, "state": "absent", "jwks_url": "https://gone.univ.fr/certs"},
            "nonsense",
        ],
        "consumers": [{"key": "fun", "hosts": ["lms.fun.example"]}, {"key": "x", "hosts": 7}],
    }
    assert [one["host"] for one in platform_hosts(settings)] == [
        "lms.fun.example",
        "moodle.univ.fr",
        "keys.univ.fr",
        "grades.univ.fr",
    ]


@pytest.mark.parametrize(
    ("url", "problems"),
    [
        ("http://lms.campus.example/certs", 0),
        ("http://10.1.2.3/certs", 0),
        ("http://lms.example.org/certs", 1),
        ("ftp://lms.campus.example/certs", 1),
    ],
)
def test_a_platform_without_tls_has_to_be_named(url: str, problems: int) -> None:
    found = registration_findings(
        [{**GOOD, "jwks_url": url}], ["fun"], ["rr1"], private_hosts(NAMED)
    )
    assert len(list(found)) == problems


@pytest.mark.parametrize("hosts", ["lms.example.org", ["https://lms.example.org/"], [""], 7])
def test_hosts_of_a_platform_are_a_list_of_names(hosts: Any) -> None:
    found = registration_findings([{**GOOD, "hosts": hosts}], ["fun"], ["rr1"])
    assert [one.variable for one in found] == ["atelier_registrations[0] (moodle-13).hosts"]
    consumer = {"key": "fun", "platform": "fun", "rotate": "a", "hosts": hosts}
    found = consumer_findings([("atelier_consumers[0]", consumer)], ["rr1"])
    assert [one.variable for one in found] == ["atelier_consumers[0] (fun).hosts"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, True),
        ({"courses": [{"slug": "rr1", "consumers": ["fun"]}]}, False),
        ({"registrations": [{**GOOD, "platform": "fun"}]}, False),  # one platform alone
        ({"registrations": [{**GOOD, "state": "absent"}]}, False),
        ({"consumers": [{"key": "fun", "platform": "fun"}]}, False),  # nobody is trusted
        (
            {
                "consumers": [
                    {"key": "fun", "platform": "fun", "trust_roles": True, "courses": ["rr1"]}
                ]
            },
            False,
        ),
        ({"courses": "rr1", "consumers": 7}, False),
    ],
)
def test_a_course_without_staff_is_told(changes: dict[str, Any], told: bool) -> None:
    settings = {
        "courses": [{"slug": "rr1"}],
        "consumers": [{"key": "fun", "platform": "fun", "trust_roles": True}],
        "registrations": [GOOD],
        **changes,
    }
    found = list(staff_findings(settings))
    assert bool(found) == told
    assert not any(one.grave for one in found)
