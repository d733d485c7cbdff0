"""What `atelier-course publish` leaves beside a mirror, for sites that have no pipeline."""

from __future__ import annotations

import subprocess
from pathlib import Path

from atelier.cli.exercises import Folder
from atelier.courses import declaration, rules


def write_declaration(folder: Path, mirror: Path, slug: str) -> None:
    """Describe a folder's files as those of the mirror's commit.

    Args:
        folder: the course's files; hidden ones are left out.
        mirror: the course's, beside which the description is written.
        slug: the course's.
    """
    read = rules.read_course(Folder(folder))
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    commit = subprocess.run(
        ["git", "--git-dir", str(mirror), "rev-parse", "HEAD"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    data = declaration.describe(slug, commit, paths, read[0] if read else None)
    declaration.write_json(mirror.with_suffix(".json"), data)
