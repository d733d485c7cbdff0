"""`make bench-modules`: the modules for whole classes beside a loop of gitlab_user.

The peer is community.general's. Both work on the same stand-in process in the same run, so that the
ratios hold on any machine. Times are those of Ansible tasks. The loop is measured on one learner
and on 41: what 40 more cost, which is the same however many there are, is multiplied, and what the
task costs once is counted once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gitlab_standin.testing import Standin, running_standin
from world import paths, venv
from world.run import say

from benchmarks import scales
from benchmarks.figures import line

SMALL, CLASS, CROWD = 100, 600, 10_000
LOOPED = 40
PROVIDER = "oauth2_generic"


@dataclass(frozen=True)
class Ran:
    """One task: seconds, its result, and the peak memory in MiB of module and controller."""

    seconds: float
    result: dict[str, Any]
    module_mib: float
    controller_mib: float


@dataclass(frozen=True)
class Loop:
    """Seconds of a loop: with one learner, and for each further one."""

    alone: float
    each: float

    def over(self, learners: int) -> float:
        """Seconds for so many learners."""
        return self.alone + self.each * (learners - 1)


class Bench:
    """Runs tasks on a stand-in."""

    def __init__(self, standin: Standin, folder: Path) -> None:
        self.standin = standin
        self.folder = folder
        self.token_file = folder / "token"
        self.token_file.write_text(standin.root_token)

    @staticmethod
    def learners(first: int, last: int) -> list[dict[str, Any]]:
        """Learners by number."""
        return [
            {"username": f"u{n:016d}", "name": f"Learner {n}", "email": f"u{n:016d}@example.org"}
            for n in range(first, last)
        ]

    def ours(self, learners: list[dict[str, Any]]) -> Ran:
        """One task for all of them."""
        task = {
            "mooc.atelier.gitlab_learners": {
                "api_url": self.standin.url,
                "token_file": str(self.token_file),
                "learners": "{{ learners }}",
                "external": False,
            }
        }
        return self._run(task, learners)

    def loop(self, first: int) -> Loop:
        """What a loop of the peer's module takes, measured on the learners from ``first`` on."""
        alone = self.peer(self.learners(first, first + 1)).seconds
        more = self.peer(self.learners(first + 1, first + 2 + LOOPED)).seconds
        return Loop(alone, (more - alone) / LOOPED)

    def peer(self, learners: list[dict[str, Any]]) -> Ran:
        """A loop of the peer's module."""
        task = {
            "community.general.gitlab_user": {
                "api_url": self.standin.url,
                "api_token": self.standin.root_token,
                "username": "{{ item.username }}",
                "name": "{{ item.name }}",
                "email": "{{ item.email }}",
                "reset_password": True,
                "confirm": False,
                "identities": [{"provider": PROVIDER, "extern_uid": "{{ item.username }}"}],
            },
            "loop": "{{ learners }}",
            "loop_control": {"label": "{{ item.username }}"},
        }
        return self._run(task, learners)

    def _run(self, task: dict[str, Any], learners: list[dict[str, Any]]) -> Ran:
        playbook, values = self.folder / "play.yml", self.folder / "learners.json"
        playbook.write_text(
            json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}])
        )
        values.write_text(json.dumps({"learners": learners}))
        output = self.folder / "output"
        command = [
            venv.program("ansible-playbook"), "-i", "localhost,", "-c", "local",
            "-e", f"ansible_python_interpreter={sys.executable}", "-e", f"@{values}",
            str(playbook),
        ]  # fmt: skip
        with output.open("wb") as written, scales.weighing() as weight:
            process = subprocess.Popen(
                command,
                env={
                    **os.environ,
                    **venv.environment(),
                    "ANSIBLE_COLLECTIONS_PATH": str(paths.link_collection()),
                    "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
                    "ANSIBLE_HOME": str(self.folder / "home"),
                    scales.MARK: weight.mark,
                },
                stdout=written,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
        text = output.read_text()
        if status != 0:
            raise SystemExit(text[-4000:])
        report = json.loads(text[text.index('{\n    "custom_stats"') :])
        (done,) = report["plays"][0]["tasks"]
        took = done["task"]["duration"]
        seconds = (moment(took["end"]) - moment(took["start"])).total_seconds()
        return Ran(seconds, done["hosts"]["localhost"], weight.mib, usage.ru_maxrss / 1024)


def moment(text: str) -> datetime:
    """A time as the callback writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def created(ran: Ran, count: int) -> float:
    """Seconds, after a look at what was done."""
    if ran.result["summary"] != {"created": count}:
        raise SystemExit(f"not {count} accounts made: {ran.result['summary']}")
    return ran.seconds


def unchanged(ran: Ran, count: int) -> float:
    """Seconds, after a look at what was asked."""
    result = ran.result
    # Version, owner of the token, its scopes; the rest are pages of 100 accounts, root among them.
    pages = result["requests"]["read"] - 3
    if result["changed"] or result["requests"]["write"] or pages > -(-(count + 1) // 100):
        raise SystemExit(f"an unchanged run was not quiet: {result['requests']}")
    return ran.seconds


def measure(bench: Bench) -> list[str]:
    """All figures."""
    say(f"   {CLASS} accounts by one task, then {LOOPED} by a loop")
    ours = created(bench.ours(bench.learners(0, CLASS)), CLASS)
    loop = bench.loop(CROWD)
    say(f"   {SMALL} more, then up to {CROWD}")
    small = created(bench.ours(bench.learners(CLASS, CLASS + SMALL)), SMALL) / SMALL
    rest = CROWD - CLASS - SMALL
    large = bench.ours(bench.learners(CLASS + SMALL, CROWD))
    per_learner = created(large, rest) / rest
    say(f"   {CROWD} unchanged, then {LOOPED} by the loop")
    # The loop's own learners go first, so that the listing holds nobody else.
    everybody = bench.learners(0, CROWD)
    again = bench.ours(everybody)
    quiet = unchanged(again, CROWD + LOOPED + 2)
    few = unchanged(bench.ours(everybody[:SMALL]), CROWD + LOOPED + 2)
    loop_again = bench.loop(CROWD)
    memory = max(again.module_mib, large.module_mib)
    return [
        line(f"create_{CLASS}_learners", ours, loop.over(CLASS), "s"),
        line(f"unchanged_{CROWD}_learners", quiet, loop_again.over(CROWD), "s"),
        line(f"unchanged_{SMALL}_of_{CROWD}_learners", few, loop_again.over(SMALL), "s"),
        # Here the peer is the same module with a hundred learners: flat means about 1, or above.
        line("create_per_learner_10000_against_100", per_learner * 1000, small * 1000, "ms"),
        line(f"memory_module_{CROWD}_learners", memory, None, "MiB"),
        line(f"memory_controller_{CROWD}_learners", again.controller_mib, None, "MiB"),
        f"requests unchanged_{CROWD}_learners {json.dumps(again.result['requests'])}",
    ]


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="bench-modules-") as name:
        folder = Path(name)
        with running_standin(folder / "standin") as standin:
            figures = measure(Bench(standin, folder))
    paths.RESULTS.mkdir(exist_ok=True)
    (paths.RESULTS / "bench-modules.txt").write_text("\n".join(figures) + "\n")
    say("\n".join(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
