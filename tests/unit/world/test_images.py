"""Images of the test world: what is read of the product to make them."""

from __future__ import annotations

import pytest
import yaml
from world import images, paths


@pytest.mark.parametrize(("suite", "release"), [("bookworm", "Debian 12"), ("trixie", "Debian 13")])
def test_the_warm_server_has_the_packages_of_role_docker(suite: str, release: str) -> None:
    kept = yaml.safe_load((paths.ROOT / "roles/docker/vars/main.yml").read_text("utf-8"))
    of_release = kept["__docker_packages_by_release"].get(release)
    assert images.docker_packages(suite) == (of_release or kept["__docker_packages_default"])
