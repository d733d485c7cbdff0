"""Packs `inside`, the probes of a learner's container, into one file that Python runs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

INSIDE = Path(__file__).with_name("inside")
START = "from hostile.inside.program import main\n\nmain()\n"


def program() -> bytes:
    """The probes as one file: `python3 <file> '<JSON>'`, see `inside/program.py`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("__main__.py", START)
        archive.writestr("hostile/__init__.py", "")
        for path in sorted(INSIDE.glob("*.py")):
            archive.write(path, f"hostile/inside/{path.name}")
    return packed.getvalue()
