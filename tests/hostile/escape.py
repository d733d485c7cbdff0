"""Packs `inside`, the probes of a learner's container, into one file that Python runs."""

from __future__ import annotations

import io
import zipapp
from pathlib import Path

INSIDE = Path(__file__).with_name("inside")


def program() -> bytes:
    """The probes as one file: `python3 <file> '<JSON>'`, see `inside/__main__.py`."""
    packed = io.BytesIO()
    zipapp.create_archive(INSIDE, packed, filter=lambda path: path.suffix == ".py")
    return packed.getvalue()
