# Copyright: the Atelier maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses sizes in inventories and in the site's settings."""

from __future__ import annotations

import re
from typing import Any

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
LEAST_SPACE = 64 * 1024**2
"""Least bytes of a learner's home that a course needs."""
LEAST_INODES = 5000
"""Least files and folders of a learner's home; a clone alone has hundreds."""
MOST_SPACE = 4 * 1024**4
MOST_INODES = 10**8


def size_bytes(value: Any) -> int | None:
    """Parse a size such as 512M or 1.5G, or a number of bytes; return None if it is invalid.

    >>> size_bytes("1.5G"), size_bytes("1GB")
    (1610612736, None)
    """
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)([KMGT]?)", str(value))
    if match is None or isinstance(value, bool):
        return None
    return int(float(match[1]) * UNITS[match[2]])
