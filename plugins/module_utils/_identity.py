# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derives a learner's pseudonymous username from platform and LTI user_id.

This file is shared: Ansible uses it as ``module_utils`` and the server package ``atelier``
includes it as ``atelier.identity``. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import re

USERNAME_LENGTH = 17
"""Length of these usernames: the letter ``u`` and 16 other characters."""

_USERNAME = re.compile(r"u[a-z2-7]{16}")


def username(platform: str, user_id: str) -> str:
    """Derive a learner's username.

    The letter ``u`` followed by the first 16 characters of the lower-case base32 form of
    ``sha256("atelier:1" NUL platform NUL user_id)``: 80 bits, the same on every site and for
    ever, valid as a JupyterHub user, a GitLab user, and in a Docker name. Never derived from an
    e-mail address or a custom parameter, which course authors can set.

    Args:
        platform: slug of the launching platform, without NUL character.
        user_id: LTI ``user_id`` (1.1) or ``sub`` (1.3), exactly as the platform sends it.

    Returns:
        17 characters of ``[a-z2-7]``.

    Raises:
        ValueError: one of them is empty, or the platform contains a NUL character (two pairs
            could then give the same name).
    """
    if not platform or "\0" in platform:
        raise ValueError("platform: one character at least, and no NUL")
    if not user_id:
        raise ValueError("user_id: one character at least")
    digest = hashlib.sha256(f"atelier:1\0{platform}\0{user_id}".encode("utf-8", "surrogatepass"))
    return "u" + base64.b32encode(digest.digest()).decode("ascii").lower()[: USERNAME_LENGTH - 1]


def is_username(name: str) -> bool:
    """Return whether a name has the format of :func:`username`."""
    return _USERNAME.fullmatch(name) is not None
