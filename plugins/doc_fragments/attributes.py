# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""What check and diff mode mean, said once for all modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes; each module states its support."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change without changing it.
  diff_mode:
    description: Returns in diff mode what changed, or would change.
"""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode); changes nothing in any mode.
    support: full
  diff_mode:
    description: Changes nothing, so that there is no difference to return.
    support: none
"""
