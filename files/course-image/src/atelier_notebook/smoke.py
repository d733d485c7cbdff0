"""`atelier-smoke`: tests whether every kernel of this image starts and computes.

Run in a container with a learner's limits and no network, before the image is published. Exit code
1 names what failed.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

REQUIRED = ("python3", "ir")
COMMANDS = ("jupyterhub-singleuser", "jupyter-lab", "git", "git-credential-atelier")
SECONDS = 90.0
# What each language must do: load its scientific basics and add. Others must only add.
CODE = {
    "python": "import numpy, pandas, matplotlib\nprint(1 + 1)",
    "R": "suppressPackageStartupMessages(library(stats))\ncat(1 + 1)",
}


def try_kernel(name: str, language: str) -> str | None:
    """Start kernel `name` and compute with it; return what went wrong, or None."""
    # Only Jupyter's virtual environment has these: tests and type checks run without.
    start_new_kernel = import_module("jupyter_client.manager").start_new_kernel
    printed: list[str] = []
    problem: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            printed.append(content["text"])
        elif message["msg_type"] in ("execute_result", "display_data"):
            printed.append(content["data"].get("text/plain", ""))
        elif message["msg_type"] == "error":
            problem.append(f"{content['ename']}: {content['evalue']}")

    try:
        manager, client = start_new_kernel(startup_timeout=SECONDS, kernel_name=name)
    except Exception as error:
        return f"does not start: {error}"
    try:
        reply = client.execute_interactive(
            CODE.get(language, "1+1"), timeout=SECONDS, output_hook=listen
        )
    except Exception as error:
        return f"does not compute: {error}"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        return "does not compute: " + "; ".join(problem or ["error"])
    if language in CODE and "2" not in "".join(printed).split():
        return f"says that 1 + 1 is {''.join(printed).strip()!r}"
    return None


def check(
    kernels: dict[str, str],
    try_one: Callable[[str, str], str | None],
    say: Callable[[str], None],
) -> list[str]:
    """Try each of `kernels` (name: language); return the failures, one sentence each."""
    failures = [f"kernel {name}: is not installed" for name in REQUIRED if name not in kernels]
    for name, language in sorted(kernels.items()):
        began = time.monotonic()
        problem = try_one(name, language)
        if problem:
            failures.append(f"kernel {name}: {problem}")
        else:
            say(f"kernel {name}: computes ({time.monotonic() - began:.1f} s)")
    return failures


def main() -> int:
    """Check commands, user and kernels; print one line each."""
    specs = import_module("jupyter_client.kernelspec").KernelSpecManager().get_all_specs()
    failures = [f"command {name}: missing" for name in COMMANDS if shutil.which(name) is None]
    if os.getuid() == 0:
        failures.append("user: the image must end with USER learner, not root")
    kernels = {name: spec["spec"]["language"] for name, spec in specs.items()}
    failures += check(kernels, try_kernel, lambda line: print(line, flush=True))
    for failure in failures:
        print(f"smoke test failed: {failure}", file=sys.stderr)
    return 1 if failures else 0
