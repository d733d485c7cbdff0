# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Waits until a command succeeds on the target, with a message every few seconds."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# A try may hang, for example with a container that is stopping; coreutils' timeout ends it, so that
# a message is shown at least every TRY_SECONDS + interval.
TRY_SECONDS = 8
MAX_INTERVAL = 10
MIN_PAUSE = 1.0
PAUSE_SHARE = 0.25


@dataclass(frozen=True)
class Answer:
    """Result of a try: exit code and the last line of output."""

    rc: int
    line: str

    @classmethod
    def of(cls, result: dict[str, Any]) -> Answer:
        """Return the result with the last line of standard error, or else of standard output."""
        for stream in ("stderr", "stdout"):
            lines = [line for line in str(result.get(stream, "")).splitlines() if line.strip()]
            if lines:
                return cls(int(result["rc"]), lines[-1].strip()[:160])
        return cls(int(result["rc"]), "no answer yet")


@dataclass(frozen=True)
class Outcome:
    """The outcome of waiting; ``state`` is ``ready``, ``timeout`` or ``aborted``."""

    state: str
    seconds: int
    tries: int
    answer: Answer


def wait(
    attempt: Callable[[], Answer],
    abort_answer: Callable[[], Answer | None],
    show: Callable[[int, Answer], None],
    timeout: float,
    interval: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Call ``attempt`` until its exit code is 0.

    The pause between two tries grows with the time that has passed: what is ready after seconds is
    not waited for as long as what takes minutes.

    Args:
        attempt: makes one try.
        abort_answer: called after a failed try; returns an answer if further tries are useless.
        show: called after failed tries with the seconds elapsed and the answer; tries that follow
            each other quickly are shown once.
        timeout: seconds after which to stop; at least one try is made.
        interval: longest pause between tries, in seconds.
        clock: monotonic clock, seconds.
        sleep: waits for a number of seconds.
    """
    start = clock()
    shown: float | None = None
    tries = 0
    while True:
        answer = attempt()
        tries += 1
        elapsed = clock() - start
        if answer.rc == 0:
            return Outcome("ready", int(elapsed), tries, answer)
        reason = abort_answer()
        if reason is not None:
            return Outcome("aborted", int(elapsed), tries, reason)
        pause = min(interval, max(MIN_PAUSE, elapsed * PAUSE_SHARE))
        if elapsed + pause > timeout:
            return Outcome("timeout", int(elapsed), tries, answer)
        if shown is None or elapsed - shown >= interval / 2:
            show(int(elapsed), answer)
            shown = elapsed
        sleep(pause)


class ActionModule(ActionBase):
    """Runs ``command`` on the target until it succeeds."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Read the options, wait, and report how long it took."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec={
                "command": {"type": "list", "elements": "str", "required": True},
                "what": {"type": "str", "required": True},
                "timeout": {"type": "int", "default": 300},
                "interval": {"type": "float", "default": 5.0},
                "abort_if": {"type": "list", "elements": "str"},
                "hint": {"type": "str", "default": ""},
            },
        )
        if not 0 < options["interval"] <= MAX_INTERVAL:
            raise AnsibleActionFail(f"interval must be above 0 and at most {MAX_INTERVAL} seconds")
        if self._task.check_mode:
            result.update(changed=False, skipped=True, msg="check mode: nothing was started")
            return result

        what, host = options["what"], (task_vars or {}).get("inventory_hostname", "target")
        display = Display()

        def attempt() -> Answer:
            return self._try(options["command"])

        def abort_answer() -> Answer | None:
            if not options["abort_if"]:
                return None
            answer = self._try(options["abort_if"])
            return answer if answer.rc == 0 else None

        def show(elapsed: int, answer: Answer) -> None:
            display.display(
                f"waiting for {what} on {host}: {elapsed} s of at most "
                f"{options['timeout']} s; last answer: {answer.line}"
            )

        outcome = wait(attempt, abort_answer, show, options["timeout"], options["interval"])
        result.update(changed=False, elapsed=outcome.seconds, tries=outcome.tries)
        if outcome.state != "ready":
            why = (
                f"was not ready after {outcome.seconds} s"
                if outcome.state == "timeout"
                else f"cannot become ready (given up after {outcome.seconds} s)"
            )
            result.update(
                failed=True,
                msg=f"{what} {why}; last answer: {outcome.answer.line}. {options['hint']}".strip(),
            )
        return result

    def _try(self, command: list[str]) -> Answer:
        bounded = ["timeout", str(TRY_SECONDS), *command]
        return Answer.of(self._low_level_execute_command(shlex.join(bounded)))
