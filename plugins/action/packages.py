# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Installs Debian packages: queries dpkg first, and runs apt only if a package is missing."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

MODULE = "mooc.atelier.packages"
LISTS_GOOD_FOR_SECONDS = 86400


class ActionModule(ActionBase):
    """Finds missing packages with the module of the same name; installs them with apt."""

    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the module's result, or apt's if it was needed."""
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        looked: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=arguments, task_vars=task_vars
        )
        lists_there = looked.pop("lists_there", False)
        finished = looked.pop("finished", False)
        if looked.get("failed") or not looked["missing"]:
            return looked
        if self._task.check_mode and not lists_there:
            return looked  # apt would not find the packages: check mode fetches no lists
        installed: dict[str, Any] = self._execute_module(
            module_name="ansible.builtin.apt",
            module_args={
                "name": looked["missing"],
                "state": "present",
                "install_recommends": False,
                "fail_on_autoremove": arguments.get("fail_on_autoremove", False),
                "update_cache": True,
                "cache_valid_time": LISTS_GOOD_FOR_SECONDS if lists_there else 0,
            },
            task_vars=task_vars,
        )
        if installed.get("failed"):
            unknown = "No package matching" in str(installed.get("msg"))
            # The lists are out of date; a run without check mode fetches new ones.
            if self._task.check_mode and unknown:
                return looked
            return installed | {"changed": finished}
        # Use apt's result: another package may provide a name that dpkg does not know.
        changed = finished or bool(installed.get("changed"))
        usable = not (self._task.check_mode and changed)
        return installed | {"changed": changed, "missing": looked["missing"], "usable": usable}
