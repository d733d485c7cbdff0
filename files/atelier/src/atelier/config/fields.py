"""Types of fields in settings and declarations: addresses, paths, titles, strict models.

Separate from :mod:`atelier.config.models` because the command ``atelier-exercises`` runs in
teachers' CI with only pydantic, PyYAML and markdown-it-py.
"""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from atelier.config.schema.hosts import private_host
from atelier.config.schema.paths import safe_path

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")  # RFC 1123, section 2.1


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address without user name, query or fragment")
    return value.rstrip("/")


def _origin(value: str) -> str:
    parts = urlsplit(_url(value))
    if parts.path or "*" in value or any(char in value for char in " ;,'\"\\"):
        raise ValueError("must be an origin: scheme, host and port if any, with nothing after them")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _domain_name(value: str) -> str:
    labels = value.split(".")
    if len(value) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(one) for one in labels):
        raise ValueError("must be a host name in small letters, such as notebooks.example.org")
    return value


Url = Annotated[str, AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_origin)]
DomainName = Annotated[str, AfterValidator(_domain_name)]
PrivateHost = Annotated[str, AfterValidator(private_host)]
RepositoryPath = Annotated[str, AfterValidator(safe_path)]


class Strict(BaseModel):
    """A part of a settings file: unknown keys are errors, and values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Title(Strict):
    """A title in the two languages of the site."""

    fr: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]
