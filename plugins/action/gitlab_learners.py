# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Controller's half of the module: shows its progress while it runs."""

from __future__ import annotations

from ansible_collections.mooc.atelier.plugins.plugin_utils._watched import WatchedAction


class ActionModule(WatchedAction):
    """Runs the module and shows its progress."""
