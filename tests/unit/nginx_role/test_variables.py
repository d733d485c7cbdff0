"""What the role makes of its variables."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.plugins.filter.core import FilterModule
from jinja2 import Environment

VARIABLES = Path(__file__).resolve().parents[3] / "roles/nginx/vars/main.yml"


@pytest.mark.parametrize(
    ("notebooks", "sites", "shared"),
    [
        ("notebooks.mooc.univ.fr", ["hub.mooc.univ.fr", "gitlab.mooc.univ.fr"], True),
        ("mooc-notebooks.fr", ["hub.mooc.univ.fr", "gitlab.mooc.univ.fr"], False),
        ("mooc-notebooks.fr", ["hub.mooc.univ.fr", "gitlab.mooc-notebooks.fr"], True),
        ("notebooks.univ.fr", ["hub.mooc.fr", "gitlab.mooc.fr", "lms.univ.fr"], True),
    ],
)
def test_hosts_whose_cookies_a_learner_s_page_can_set(
    notebooks: str, sites: list[str], shared: bool
) -> None:
    """They speak HTTP/1.1, over which a browser can be told to empty its jar."""
    templates = Environment()  # noqa: S701 (not HTML)
    templates.filters.update(FilterModule().filters())
    text = yaml.safe_load(VARIABLES.read_text())["__nginx_jar_shared"]
    said = templates.from_string(text).render(
        __nginx_own_hosts=True, nginx_notebook_domain=notebooks, __nginx_sites=sites
    )
    assert said == str(shared)
