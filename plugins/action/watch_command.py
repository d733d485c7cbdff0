# Copyright: The Atelier maintainers
# GNU General Public License v3.0 or later (see LICENSE)
"""Runs a long command on the target and shows its output while it runs."""

from __future__ import annotations

import base64
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

FIRST_POLL_SECONDS = 0.1
POLL_SECONDS = 2.0
SILENCE_SECONDS = 10.0
KEPT_LINES = 25
CHUNK_BYTES = 60000
MARK = "atelier-watch-state:"

# Runs in the background. Its arguments ("$1" is the state directory) are in the process's command
# line, with which a later run identifies the process before it stops it.
_RUNNER = """
state=$1; shift
echo $$ > "$state/pid"
"$@" > "$state/log" 2>&1 < /dev/null
echo $? > "$state/rc.new"
mv "$state/rc.new" "$state/rc"
"""
_STOP = """
pid=$(cat {state}/pid 2>/dev/null || true)
if [ -n "$pid" ] && tr '\\0' '\\n' < "/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- {state}; then
  kill -s TERM -- "-$pid" 2>/dev/null || true
  for turn in 1 2 3 4 5 6 7 8 9 10; do kill -s 0 -- "-$pid" 2>/dev/null || break; sleep 0.3; done
  kill -s KILL -- "-$pid" 2>/dev/null || true
fi
rm -f {state}/pid
"""
_START = """
set -eu
mkdir -p -m 0700 {state}
{stop}
rm -f {state}/log {state}/rc {state}/rc.new
: > {state}/log
setsid sh -c {runner} atelier-watch {state} {command} > /dev/null 2>&1 < /dev/null &
"""
# Read the exit code before the output: once it exists, the output is complete.
_LOOK = """
rc=$(cat {state}/rc 2>/dev/null || true)
printf '{mark}%s:%s:' "$rc" "$(wc -c < {state}/log)"
tail -c +{offset} {state}/log | head -c {chunk} | base64 -w 0
"""


def start_script(state: str, command: list[str]) -> str:
    """Return the shell program that stops an earlier run and starts `command` in the background."""
    quoted = shlex.quote(state)
    return _START.format(
        state=quoted,
        stop=_STOP.format(state=quoted),
        runner=shlex.quote(_RUNNER),
        command=shlex.join(command),
    )


def stop_script(state: str) -> str:
    """Return the shell program that stops the command of `state`."""
    return _STOP.format(state=shlex.quote(state))


def poll_script(state: str, offset: int) -> str:
    """Return the shell program that prints the exit code and the output from byte `offset` on."""
    return _LOOK.format(state=shlex.quote(state), offset=offset + 1, chunk=CHUNK_BYTES, mark=MARK)


@dataclass
class Transcript:
    """The command's output so far, split into lines."""

    show: re.Pattern[str]
    offset: int = 0
    last: list[str] = field(default_factory=list)
    rest: bytes = b""

    def add(self, looked: str) -> tuple[list[str], int | None]:
        """Add the output of `poll_script`.

        Returns:
            The new lines to show, and the exit code once all output has been read.

        Raises:
            ValueError: the text is not the output of `poll_script`.
        """
        _, mark, state = looked.partition(MARK)
        if not mark:
            raise ValueError(f"unexpected answer: {looked[-200:]!r}")
        code, size, encoded = state.strip().split(":")
        self.offset += self._take(base64.b64decode(encoded))
        finished = bool(code) and self.offset >= int(size)
        *complete, self.rest = re.split(rb"[\r\n]", self.rest)
        if finished:
            complete.append(self.rest)
        lines = [line.decode("utf-8", "replace").rstrip() for line in complete if line.strip()]
        self.last = (self.last + lines)[-KEPT_LINES:]
        return [line for line in lines if self.show.search(line)], int(code) if finished else None

    def _take(self, chunk: bytes) -> int:
        self.rest += chunk
        return len(chunk)


@dataclass(frozen=True)
class CommandEnd:
    """The end of the command: `rc` is None after a timeout."""

    rc: int | None
    seconds: int


def follow(
    look: Callable[[int], str],
    transcript: Transcript,
    say: Callable[[str], None],
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> CommandEnd:
    """Watch until the command ends or `timeout` seconds are over.

    If there is no output to show, print a line every ``SILENCE_SECONDS``. The pause between two
    looks begins short and grows, so that a command with nothing to do is not waited for.
    """
    began = spoke = clock()
    pause = FIRST_POLL_SECONDS
    while True:
        shown, code = transcript.add(look(transcript.offset))
        now = clock()
        for line in shown:
            say(line[:160])
            spoke = now
        if code is not None:
            return CommandEnd(code, round(now - began))
        if now - began > timeout:
            return CommandEnd(None, round(now - began))
        if now - spoke >= SILENCE_SECONDS:
            latest = transcript.last[-1].strip()[:110] if transcript.last else "no output yet"
            say(f"... {round(now - began)} s: {latest}")
            spoke = now
        sleep(pause)
        pause = min(pause * 2, POLL_SECONDS)


class ActionModule(ActionBase):
    """Starts the command and shows its output."""

    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the result of the command."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec={
                "command": {"type": "list", "elements": "str", "required": True},
                "what": {"type": "str", "required": True},
                "state_dir": {"type": "path", "required": True},
                "show": {"type": "str", "default": r"^(Step |#[0-9]+ \[)"},
                "timeout": {"type": "int", "default": 3600},
                "hint": {"type": "str", "default": ""},
            }
        )
        result["changed"] = True
        if self._task.check_mode:
            return result
        display = Display()
        host = (task_vars or {}).get("inventory_hostname", "target")
        what, state = options["what"], options["state_dir"]

        def shell(script: str) -> str:
            done = self._low_level_execute_command(f"sh -c {shlex.quote(script)}")
            if done["rc"] != 0:
                raise AnsibleActionFail(f"{what}: {done['stderr'] or done['stdout']}")
            return str(done["stdout"])

        shell(start_script(state, options["command"]))
        transcript = Transcript(re.compile(options["show"]))
        display.display(f"{host}: {what}")
        try:
            ending = follow(
                lambda offset: shell(poll_script(state, offset)),
                transcript,
                lambda line: display.display(f"{host}: {line}"),
                options["timeout"],
            )
        except KeyboardInterrupt:
            shell(stop_script(state))
            raise
        result.update(elapsed=ending.seconds, output=transcript.last)
        if ending.rc is None:
            shell(stop_script(state))
        else:
            result["rc"] = ending.rc
        if ending.rc != 0:
            why = f"exit code {ending.rc}" if ending.rc else f"not done after {ending.seconds} s"
            output = "\n".join(transcript.last) or "it said nothing"
            result.update(
                failed=True, msg=f"{what}: failed ({why}). {options['hint']}\nLast lines:\n{output}"
            )
        return result
