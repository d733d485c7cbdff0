"""Run a module of the collection with a task's arguments, and keep all it says."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.module_utils.testing import patch_module_args


@dataclass(frozen=True)
class Ran:
    """What a module said: its result, and everything it wrote."""

    result: dict[str, Any]
    written: str

    @property
    def changed(self) -> bool:
        assert not self.result.get("failed"), self.result["msg"]
        return bool(self.result["changed"])

    @property
    def failure(self) -> str:
        assert self.result.get("failed"), f"the module did not fail: {self.result}"
        return str(self.result["msg"])


def run(name: str, /, *, check: bool = False, **arguments: Any) -> Ran:
    """Run module ``name`` in this process; arguments as in a task."""
    module = importlib.import_module(f"ansible_collections.mooc.atelier.plugins.modules.{name}")
    given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
    written = io.StringIO()
    mask = os.umask(0o022)
    try:
        with (
            patch_module_args(given),
            contextlib.redirect_stdout(written),
            contextlib.redirect_stderr(written),
            contextlib.suppress(SystemExit),
        ):
            module.main()
    finally:
        os.umask(mask)
    text = written.getvalue()
    return Ran(json.loads(text), text)


def tree(root: Path) -> dict[str, str]:
    """The files of a directory: relative path -> text."""
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }
