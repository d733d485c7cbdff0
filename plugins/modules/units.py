#!/usr/bin/python
# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Makes systemd units run with their present files."""

from __future__ import annotations

DOCUMENTATION = r"""
module: units
short_description: Have systemd units run, at boot too, with what is on the disk now
version_added: 0.1.0
author: The Atelier maintainers (@mooc)
description:
  - Enables and starts each unit, in the order of the list. One that runs and was started before a
    file of its O(units[].inputs) was written is restarted, or reloaded. That is asked of the unit
    and of the files, so what a run that was interrupted has left undone is done by the next one,
    where a handler would be forgotten.
  - Has systemd read its units again when one of these, or one that a timer or a socket of these
    starts, was written since it last did.
options:
  units:
    description: The units, each once.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the unit, with its suffix.
        type: str
        required: true
      inputs:
        description:
          - Files and directories, or patterns of the shell, that the unit reads when it starts. A
            link and a directory count as themselves, not as what they lead to. What is missing is
            passed over.
        type: list
        elements: path
        default: []
      stamp:
        description:
          - File that the unit writes when it has read its inputs. Their times of modification are
            compared with its; where it is missing, the unit has read nothing yet. Without it,
            their times of change are compared with the unit's start.
        type: path
      refresh:
        description: What is done to a unit that runs and is older than its inputs. V(reload) needs
          O(units[].stamp), as the time of a unit's start does not say when it was reloaded.
        type: str
        choices: [restart, reload]
        default: restart
      probe:
        description:
          - Program and arguments that fail where a unit that runs does not do what it should; it
            is refreshed then, as it is where there is no such program. Not asked where an input is
            newer. Runs in check mode too.
        type: list
        elements: str
        default: []
      check:
        description: Program and arguments that must succeed before the unit is started or
          refreshed.
        type: list
        elements: str
        default: []
  hint:
    description: Added to the message of a failure, to say where to look; C(%s) stands for the unit.
    type: str
    default: Look at `journalctl -n 50 -u %s` on the server.
attributes:
  check_mode:
    support: full
    description: Says what would be done; a unit that is not there yet would be started.
  diff_mode:
    support: full
    description: Shows each unit's state, and which of its inputs are newer than it.
extends_documentation_fragment:
  - mooc.atelier.attributes
"""

EXAMPLES = r"""
- name: Run the proxy with the settings that are there now
  mooc.atelier.units:
    units:
      - name: atelier-proxy.service
        inputs:
          - /etc/systemd/system/atelier-proxy.service
          - /opt/atelier/proxy
"""

RETURN = r"""
done:
  description: What was done to each unit, or would be in check mode, in order.
  returned: always
  type: dict
  sample: {atelier-hub.service: [enable, restart]}
"""

import datetime
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.mooc.atelier.plugins.module_utils._patterns import matches

UNIT_OPTIONS: dict[str, Any] = {
    "name": {"required": True},
    "inputs": {"type": "list", "elements": "path", "default": []},
    "stamp": {"type": "path"},
    "refresh": {"choices": ["restart", "reload"], "default": "restart"},
    "probe": {"type": "list", "elements": "str", "default": []},
    "check": {"type": "list", "elements": "str", "default": []},
}
PROPERTIES = (
    "LoadState,ActiveState,UnitFileState,NeedDaemonReload,FragmentPath,DropInPaths,Triggers,"
    "ActiveEnterTimestamp,ExecMainStartTimestamp"
)
# Not enabled-runtime, which does not survive a reboot.
ENABLED = {"enabled", "static", "alias", "indirect", "generated"}
RUNNING = {"active", "reloading", "activating"}


def time_ns(properties: dict[str, str], *names: str) -> int:
    """Return the first of these properties with a time, in nanoseconds since 1970; else 0."""
    for name in names:
        # Mon 2026-11-30 07:01:49.123456 UTC: skip the day's name, whose parsing would depend on
        # the machine's locale.
        words = properties.get(name, "").split()
        if len(words) == 4:
            known = datetime.datetime.fromisoformat(f"{words[1]}T{words[2]}+00:00")
            since = known - datetime.datetime.fromtimestamp(0, datetime.UTC)
            return (since // datetime.timedelta(microseconds=1)) * 1000
    return 0


def started_ns(properties: dict[str, str]) -> int:
    """Return the start time of a unit, in nanoseconds since 1970; 0 if unknown."""
    # A timer has only the second property.
    return time_ns(properties, "ExecMainStartTimestamp", "ActiveEnterTimestamp")


def unread(name: str, properties: dict[str, str], read_ns: int) -> bool:
    """Return whether a unit's files have changed since systemd last read its units.

    systemd's own NeedDaemonReload compares modification times, which do not change if a file is
    copied with its times, for example from a backup.
    """
    if properties["NeedDaemonReload"] == "yes" or properties["LoadState"] == "not-found":
        return True
    files = [properties["FragmentPath"], *properties["DropInPaths"].split()]
    for path in (*filter(None, files), f"/etc/systemd/system/{name}.d"):
        with suppress(FileNotFoundError):
            if Path(path).lstat().st_ctime_ns > read_ns:
                return True
    return False


def stale_reasons(unit: dict[str, Any], properties: dict[str, str]) -> Iterator[str]:
    """Yield the inputs that are newer than the unit's start or stamp."""
    if unit["stamp"]:
        try:
            since = Path(unit["stamp"]).stat().st_mtime_ns
        except FileNotFoundError:
            yield f"missing: {unit['stamp']}"
            return
    else:
        since = started_ns(properties)
    for path in matches(unit["inputs"]):
        with suppress(FileNotFoundError):  # removed in between
            found = path.lstat()
            if (found.st_mtime_ns if unit["stamp"] else found.st_ctime_ns) > since:
                yield f"newer: {path}"


class Units:
    """Brings systemd's units to the wanted state."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.units: list[dict[str, Any]] = module.params["units"]
        self.done: dict[str, list[str]] = {}
        self.diff = {"before": "", "after": ""}

    def fail(self, message: str) -> None:
        """Fail, and report the changes made so far."""
        self.module.fail_json(msg=message, changed=bool(self.done), done=self.done)

    def execute(self, command: list[str]) -> tuple[int, str]:
        """Run a program; return its exit code, 127 if it does not exist, and its output."""
        try:
            code, out, error = self.module.run_command(command, handle_exceptions=False)
        except OSError as failure:
            return 127, str(failure)
        return code, (error or out).strip()

    def systemctl(self, *words: str, unit: str = "") -> str:
        """Run systemctl and return its output; on errors, fail with its message and the hint."""
        environment = {"LC_ALL": "C", "LANGUAGE": "C"}
        code, out, error = self.module.run_command(
            ["systemctl", *words], environ_update=environment
        )
        if code:
            said = (error or out).strip()
            hint = self.module.params["hint"].replace("%s", unit) if unit else ""
            self.fail(f"systemctl {' '.join(words)}: {said} {hint}".strip())
        text: str = out
        return text

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        """Return the properties of units, by the given names."""
        out = self.systemctl("show", "--timestamp=us+utc", f"--property={PROPERTIES}", *names)
        blocks = [dict(_pairs(block)) for block in out.strip().split("\n\n")]
        return dict(zip(names, blocks, strict=True))

    def read_ns(self) -> int:
        """Return the time at which systemd last read its units, in nanoseconds since 1970."""
        name = "UnitsLoadTimestamp"
        out = self.systemctl("show", "--timestamp=us+utc", f"--property={name}")
        return time_ns(dict(_pairs(out)), name)

    def run(self) -> None:
        """Bring all units to the wanted state."""
        self._understand()
        if not self.units:  # without names, systemctl shows the manager's properties
            return
        names = [unit["name"] for unit in self.units]
        known = self.show(names)
        if self.is_behind(known) and not self.module.check_mode:
            self.systemctl("daemon-reload")
            known = self.show(names)
        for unit in self.units:
            before = len(self.done)
            self.keep(unit, known[unit["name"]])
            if len(self.done) > before and not self.module.check_mode:
                known = self.show(
                    names
                )  # units that depend on it were started, stopped or restarted

    def _understand(self) -> None:
        names = [unit["name"] for unit in self.units]
        for unit in self.units:
            if names.count(unit["name"]) > 1:
                self.fail(f"{unit['name']} is there twice.")
            if unit["refresh"] == "reload" and unit["inputs"] and not unit["stamp"]:
                self.fail(
                    f"{unit['name']}: refresh: reload needs a stamp; without one it would be"
                    " reloaded each time."
                )

    def is_behind(self, known: dict[str, dict[str, str]]) -> bool:
        """Return whether systemd must reread the files of a unit, or of one that it triggers."""
        started = {name for one in known.values() for name in one["Triggers"].split()}
        every = known | (self.show(sorted(started)) if started else {})
        read_ns = self.read_ns()
        return any(unread(name, properties, read_ns) for name, properties in every.items())

    def reasons(self, unit: dict[str, Any], properties: dict[str, str]) -> list[str]:
        """Return why a running unit must be restarted or reloaded; empty if it need not."""
        found = list(stale_reasons(unit, properties))
        if found or not unit["probe"]:
            return found
        code, said = self.execute(unit["probe"])
        return [f"{unit['probe'][0]}: {said or code}"] if code else []

    def keep(self, unit: dict[str, Any], properties: dict[str, str]) -> None:
        """Enable, start or refresh one unit."""
        name = unit["name"]
        verbs, reasons = [], []
        if properties["UnitFileState"] not in ENABLED:
            verbs.append("enable")
        if properties["ActiveState"] not in RUNNING:
            verbs.append("start")
        elif reasons := self.reasons(unit, properties):
            verbs.append(unit["refresh"])
        if not verbs:
            return
        state = f"{properties['UnitFileState'] or 'absent'}, {properties['ActiveState']}"
        self.diff["before"] += f"{name}: {state}\n"
        why = f" ({', '.join(reasons)})" if reasons else ""
        self.diff["after"] += f"{name}: {', '.join(verbs)}{why}\n"
        if self.module.check_mode:
            self.done[name] = verbs
            return
        if unit["check"] and verbs != ["enable"]:
            code, said = self.execute(unit["check"])
            if code:
                self.fail(f"{name} was left as it is: {' '.join(unit['check'])}: {said or code}")
        for verb in verbs:
            if verb in ("start", "restart"):
                # systemd limits the start rate, but repeated runs are no restart loop
                self.execute(["systemctl", "reset-failed", name])
            self.systemctl(verb, name, unit=name)
            self.done.setdefault(name, []).append(verb)


def _pairs(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        name, _sign, value = line.partition("=")
        yield name, value


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "units": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": UNIT_OPTIONS,
            },
            "hint": {"default": "Look at `journalctl -n 50 -u %s` on the server."},
        },
        supports_check_mode=True,
    )
    units = Units(module)
    units.run()
    module.exit_json(changed=bool(units.done), done=units.done, diff=units.diff)


if __name__ == "__main__":
    main()
