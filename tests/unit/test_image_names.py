"""The names by which roles ask for images."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.plugins.filter.core import FilterModule
from jinja2 import Environment
from world import paths

DIGEST = f"sha256:{'0' * 64}"


def rendered(role: str, name: str, **variables: Any) -> str:
    """A variable of a role's, with what it reads."""
    text = (paths.ROOT / f"roles/{role}/vars/main.yml").read_text(encoding="utf-8")
    environment = Environment(autoescape=False)  # noqa: S701 - names, not pages
    environment.filters.update(FilterModule().filters())
    return environment.from_string(yaml.safe_load(text)[name]).render(**variables)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("gitlab/gitlab-ce:19.3.3-ce.0", "gitlab/gitlab-ce:19.3.3-ce.0"),
        (f"gitlab/gitlab-ce:19.3.3-ce.0@{DIGEST}", f"gitlab/gitlab-ce@{DIGEST}"),
        (f"gitlab/gitlab-ce@{DIGEST}", f"gitlab/gitlab-ce@{DIGEST}"),
        (f"registry.univ.fr:5000/gitlab:19@{DIGEST}", f"registry.univ.fr:5000/gitlab@{DIGEST}"),
        (f"registry.univ.fr:5000/gitlab@{DIGEST}", f"registry.univ.fr:5000/gitlab@{DIGEST}"),
        ("docker.io/gitlab/gitlab-ce:19.3", "docker.io/gitlab/gitlab-ce:19.3"),
    ],
)
def test_gitlab_is_asked_for_by_its_digest_where_it_has_one(image: str, name: str) -> None:
    assert rendered("gitlab", "__gitlab_image_name", gitlab_image=image) == name


def test_each_mirror_of_debian_gives_a_base_image_of_its_own() -> None:
    def base(mirror: str) -> str:
        return rendered(
            "course_image",
            "__course_image_base",
            course_image_base_image_source="debootstrap",
            course_image_base_image="debian:13-slim",
            course_image_debootstrap_suite="trixie",
            course_image_debootstrap_mirror=mirror,
            __course_image_archive_digest="",
        ).strip()

    snapshot = "https://snapshot.debian.org/archive/debian/20261101T000000Z/"
    assert base("") == "atelier/base:trixie", "as before"
    assert base(snapshot) == base(snapshot) != base(snapshot.replace("1101", "1102"))
    assert base(snapshot).startswith("atelier/base:trixie-")
