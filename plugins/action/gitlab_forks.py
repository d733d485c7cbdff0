# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Shows how far the module of the same name is while it runs."""

from __future__ import annotations

from ansible_collections.mooc.atelier.plugins.plugin_utils._watched import WatchedAction


class ActionModule(WatchedAction):
    """The controller's half."""
