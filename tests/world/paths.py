"""Where the world keeps its things inside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
DEMO = ROOT / ".demo"
DEV = ROOT / ".dev"
COLLECTIONS = CACHE / "collections"
RESULTS = ROOT / "test-results"

LOCAL_CA_FOLDER = Path("/usr/local/share/ca-certificates")


def link_collection() -> Path:
    """Make the checkout visible to Ansible as `mooc.atelier` and return the collections path."""
    link = COLLECTIONS / "ansible_collections" / "mooc" / "atelier"
    if not link.is_symlink() or link.readlink() != ROOT:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        try:
            link.symlink_to(ROOT)
        except FileExistsError:  # another process made it in the meantime
            if link.resolve() != ROOT:
                raise
    return COLLECTIONS


def ca_certificates() -> list[Path]:
    """Return the extra CA certificates to trust.

    `ATELIER_CA_CERTIFICATES` (paths joined by `:`, empty for none), else the local folder.
    """
    named = os.environ.get("ATELIER_CA_CERTIFICATES")
    if named is not None:
        return [Path(item).expanduser().resolve() for item in named.split(":") if item]
    return sorted(LOCAL_CA_FOLDER.rglob("*.crt"))
