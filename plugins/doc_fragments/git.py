# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""What the modules that run git have in common, said once."""

from __future__ import annotations


class ModuleDocFragment:
    """Git and whom it trusts."""

    DOCUMENTATION = r"""
options:
  ca_file:
    description: PEM file of the certificate authorities to trust; the system's own when not given.
    type: path
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change without changing it.
    support: full
  diff_mode:
    description: Shows the commit before and after.
    support: full
requirements:
  - git
"""
