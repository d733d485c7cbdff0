"""What can be set: by the course, through the environment, or in Jupyter's own configuration."""

from __future__ import annotations

import os
from typing import Any

from traitlets import CaselessStrEnum, Int, default
from traitlets.config import Configurable


class Toolbar(Configurable):
    """`c.Toolbar.…` in `jupyter_server_config.py`; the environment gives the defaults."""

    outputs: Any = CaselessStrEnum(
        ["keep", "strip"],
        help="Whether commits keep the outputs of notebooks (keep) or leave them out (strip); files"
        " on disk are not touched. Default: ATELIER_TOOLBAR_OUTPUTS, else keep.",
    ).tag(config=True)
    max_file_mb: Any = Int(
        min=1,
        help="Files larger than this many megabytes (10^6 bytes) are not saved to GitLab."
        " Default: ATELIER_TOOLBAR_MAX_FILE_MB, else 10.",
    ).tag(config=True)

    @default("outputs")
    def _outputs(self) -> str:
        given = os.environ.get("ATELIER_TOOLBAR_OUTPUTS", "")
        return given if given in ("keep", "strip") else "keep"

    @default("max_file_mb")
    def _max_file_mb(self) -> int:
        given = os.environ.get("ATELIER_TOOLBAR_MAX_FILE_MB", "")
        return int(given) if given.isdigit() and int(given) > 0 else 10

    @property
    def strip(self) -> bool:
        """Whether commits leave notebooks' outputs out."""
        return bool(self.outputs == "strip")

    @property
    def max_bytes(self) -> int:
        """The largest file that is saved, in bytes."""
        return int(self.max_file_mb) * 10**6
