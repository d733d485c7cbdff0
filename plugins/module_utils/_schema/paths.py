# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates paths in a course's repository, and addresses of repositories and platforms."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from .hosts import SETTING
from .kinds import Reading, is_writable
from .problems import HIDDEN, wrong

LONGEST_URL = 1024


def safe_path(value: str) -> str:
    """Check the relative path of a file inside a course repository.

    Raises:
        ValueError: the path is absolute or empty, or contains ``..``, a backslash, a control
            character or a lone surrogate.
    """
    parts = value.split("/")
    if value.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise ValueError("must be a relative path inside the course repository")
    if (
        parts[0] == ".git"
        or "\\" in value
        or any(ord(char) < 32 or ord(char) == 127 for char in value)
    ):
        raise ValueError("must not hold backslashes or control characters, nor lie in .git")
    if not is_writable(value):
        raise ValueError("must not hold halves of characters")
    return value


def is_repository(value: object) -> bool:
    """Return whether the value looks like an address for `git clone`."""
    if not isinstance(value, str) or re.search(r"[\s\x00-\x1f]", value) or value.startswith("-"):
        return False
    if re.fullmatch(r"[\w.-]+@[\w.-]+:[^:]+", value) or value.startswith("/"):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    if parts.scheme == "file":
        return bool(parts.path)
    return parts.scheme in {"https", "http", "ssh", "git"} and bool(parts.hostname)


def has_password(repository: str) -> bool:
    """Return whether an address contains a password or a token."""
    try:
        parts = urlsplit(repository)
    except ValueError:
        return False
    named = parts.scheme in {"http", "https"} and bool(parts.username)
    return parts.password is not None or named


def repository(value: str, reading: Reading) -> str:
    """Check the address of a git repository, which must not contain a password."""
    del reading
    if not is_repository(value):
        raise wrong(
            "is not the address of a git repository",
            "Examples: https://git.example.org/mooc/rr1.git, git@git.example.org:mooc/rr1.git.",
        )
    if has_password(value):
        raise wrong(
            "has a password in it, which would end in logs",
            "Use a deploy key (git@...), or make the template repository public.",
        )
    return value


def platform_url(value: str) -> str:
    """Check an address of a platform and return it unchanged, as a trailing slash may matter.

    Raises:
        ValueError: it is not an address.
    """
    parts = urlsplit(value)
    if not parts.hostname or parts.username or parts.fragment or len(value) > LONGEST_URL:
        raise ValueError("must be an address without user name or fragment")
    if any(ord(char) <= 32 or ord(char) == 127 for char in value) or "\\" in value:
        raise ValueError("must not hold spaces, backslashes or control characters")
    if not is_writable(value):
        raise ValueError("must not hold halves of characters")
    if parts.scheme not in ("https", "http"):
        raise ValueError("must be an https:// address")
    return value


def platform_address(value: str, reading: Reading) -> str:
    """Check an address of a registration: with TLS, unless its host is allowed without."""
    hosts = reading.private_hosts
    shown = HIDDEN if "@" in value else value
    fix = (
        "Copy it from the platform's page about the tool, a slash at its end included. A platform"
        f" without TLS has to be named in {SETTING}."
    )
    try:
        platform_url(value)
        parts = urlsplit(value)
        named = hosts is None or hosts.names(str(parts.hostname))
    except ValueError as error:
        raise wrong(f"is not usable: it {error}", fix, shown) from None
    if parts.scheme == "http" and not named:
        raise wrong("is not an https:// address", fix, shown)
    return value
