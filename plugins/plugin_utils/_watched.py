# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""The controller's half of the modules for whole classes: run them in the background, tell how far.

The module is started as any other, over any connection that can run a command, and goes on in the
background (``_background``). It keeps a few numbers in a small file; this half reads that file
every second or two and shows a line every few seconds. Reading it also tells the module that
somebody still watches: when a playbook is interrupted the module stops by itself, some minutes
later at most.
"""

from __future__ import annotations

import json
import secrets
import shlex
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

SHOW_EVERY = 4.0
LOOKS = 30
"""Twentieths of a second that one look at the target lasts."""
WINDOW = 30.0
"""Seconds over which the rate is taken: GitLab's speed changes during a long run."""

# Waits on the target, where that costs nothing, and ends at once when the module does. The result
# is put in place before its keeper ends: who finds no keeper looks once more.
_LOOK = """
(: > {folder}/watched) 2>/dev/null
n={looks}
while [ $n -gt 0 ] && [ ! -e {folder}/result ] && kill -0 {keeper} 2>/dev/null; do
  n=$((n - 1)); sleep 0.05
done
if [ -e {folder}/result ]; then
  echo ended; cat {folder}/result
elif [ $n -eq 0 ]; then
  echo running; cat {folder}/progress 2>/dev/null || true
else
  echo gone
fi
"""
GONE = (
    "The module disappeared from the target before it was done: it was killed, or the machine "
    "restarted. What it has done stays done: run it again, and it does what is missing."
)
LOST_AFTER, LOOK_AGAIN = 90.0, 2.0
LOST = (
    "The module cannot be looked at any more. It goes on for some minutes and then stops by "
    "itself: run it again, and it does what is missing."
)


def duration_text(seconds: float) -> str:
    """A length of time in words: ``45 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@dataclass
class ProgressText:
    """Turns the module's numbers into lines: count, rate, time left."""

    task: str
    host: str
    past: deque[tuple[float, int]] = field(default_factory=deque)
    what: str = ""

    def line(self, state: dict[str, Any]) -> str:
        """One line about the state that the module wrote."""
        what, total = str(state.get("what", "")), state.get("total")
        done = int(state.get("done", 0)) + int(state.get("failed", 0))
        seconds = float(state.get("seconds", 0.0))
        if what != self.what:
            self.what = what
            self.past.clear()
            self.past.append((0.0, 0))
        self.past.append((seconds, done))
        while len(self.past) > 2 and seconds - self.past[0][0] > WINDOW:
            self.past.popleft()
        then, before = self.past[0]
        rate = (done - before) / (seconds - then) if seconds > then else 0.0
        text = f"{self.task} on {self.host}: {what}: {done:,}"
        if total:
            text += f" of {int(total):,} ({100 * done // int(total)} %)"
        if rate > 0:
            text += f", {rate:.1f}/s" if rate < 10 else f", {rate:.0f}/s"
            if total and done < int(total):
                text += f", {duration_text((int(total) - done) / rate)} left"
        elif seconds > WINDOW:
            text += f", nothing new for {duration_text(seconds - then)}"
        if state.get("failed"):
            text += f", {state['failed']} failed"
        if state.get("note"):
            text += f"; {state['note']}"
        return text


class WatchedAction(ActionBase):  # type: ignore[misc]  # Ansible's base class has no types
    """Runs the module of the same name, with progress when the list is long."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True
    _trouble = ""

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the module; its result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        if self._task.async_val or not self._long():
            done = self._execute_module(task_vars=variables, wrap_async=bool(self._task.async_val))
        else:
            done = self._watched(variables)
        result.update(done)
        return result

    def _long(self) -> bool:
        options = self._task.args
        learners = options.get("learners")
        if not isinstance(learners, list) or not _truth(options.get("progress", True)):
            return False
        try:
            return len(learners) >= int(options.get("progress_from", 25))
        except (TypeError, ValueError):
            return False  # the module says what is wrong with it

    def _look(self, script: str) -> str | None:
        """What a look at the target shows; ``None`` when it cannot be had now."""
        try:
            done = self._low_level_execute_command(f"sh -c {shlex.quote(script)}")
        except AnsibleConnectionFailure as error:
            self._trouble = str(error)
            return None
        if done["rc"] != 0:
            self._trouble = str(done["stderr"] or done["stdout"])
            return None
        return str(done["stdout"])

    def _watched(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = self._task.resolved_action or self._task.action
        # The module makes it, for its own user only; nobody else can know the name beforehand.
        folder = f"/tmp/.atelier-{secrets.token_hex(16)}"  # noqa: S108
        arguments = {**self._task.args, "progress_folder": folder}
        try:
            started: dict[str, Any] = self._execute_module(
                module_args=arguments, task_vars=variables
            )
            if "kept_by" not in started:
                return started
            ended = self._follow(folder, int(started["kept_by"]), name, variables)
            return self._result(ended, folder, variables)
        finally:
            self._low_level_execute_command(f"rm -rf {shlex.quote(folder)}")

    def _follow(self, folder: str, keeper: int, name: str, variables: dict[str, Any]) -> str:
        """Show lines until the module has ended; what it said."""
        host = str(variables.get("inventory_hostname", "target"))
        progress_text = ProgressText(name.rpartition(".")[2], host)
        display = Display()
        look = _LOOK.format(folder=shlex.quote(folder), keeper=keeper, looks=LOOKS)
        shown = seen = time.monotonic()
        while True:
            text = self._look(look)
            now = time.monotonic()
            if text is None:
                # The module goes on without being looked at, and may be all right.
                if now - seen > LOST_AFTER:
                    raise AnsibleActionFail(f"{LOST} The last look said: {self._trouble}")
                time.sleep(LOOK_AGAIN)
                continue
            seen = now
            state, _, rest = text.partition("\n")
            if state.strip() == "ended":
                return rest
            if state.strip() == "gone":
                raise AnsibleActionFail(GONE)
            if now - shown < SHOW_EVERY:
                continue
            try:
                numbers = json.loads(rest)
            except ValueError:
                continue
            shown = now
            display.display(progress_text.line(numbers))

    def _result(self, text: str, folder: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The module's result, read by Ansible's own module when it is not plain JSON."""
        try:
            # Ansible marks values that are more than JSON, warnings for example, by this name.
            done = json.loads(text) if "__ansible_type" not in text else None
        except ValueError:
            done = None
        if not isinstance(done, dict):
            done = self._execute_module(
                module_name="ansible.legacy.async_status",
                module_args={"jid": "result", "_async_dir": folder},
                task_vars=variables,
            )
        for key in ("ansible_job_id", "finished", "results_file", "stdout", "stderr"):
            done.pop(key, None)
        return done


def _truth(value: Any) -> bool:
    return str(value).lower() not in {"false", "no", "off", "0"}
