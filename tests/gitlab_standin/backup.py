"""``gitlab-backup create|restore``: database and repositories in ``<id>_gitlab_backup.tar``.

As with GitLab, nothing of /etc/gitlab is inside: configuration and secrets are kept apart.
"""

import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from gitlab_standin import VERSION, config
from gitlab_standin.paths import Paths

SUFFIX = "_gitlab_backup.tar"


class BackupError(Exception):
    """Why there is no backup, or no restore."""


def _folder(paths: Paths) -> Path:
    configured = Path(config.load(paths.settings).backup_path)
    return paths.root / configured.relative_to("/")


def _copy_database(source: Path, target: Path) -> None:
    """A consistent copy, also while the server writes."""
    with sqlite3.connect(source, timeout=60) as old, sqlite3.connect(target, timeout=60) as new:
        old.backup(new)
    old.close()
    new.close()


def create(paths: Paths, options: dict[str, str]) -> Path:
    """Write a backup; returns its file. BackupError when one of that name exists."""
    folder = _folder(paths)
    folder.mkdir(parents=True, exist_ok=True)
    moment = time.gmtime()
    default = f"{int(time.time())}_{time.strftime('%Y_%m_%d', moment)}_{VERSION}"
    target = folder / f"{options.get('BACKUP') or default}{SUFFIX}"
    if target.exists():
        raise BackupError(f"Backup {target} already exists")
    skipped = set((options.get("SKIP") or "").split(","))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as name:
        work = Path(name)
        (work / "backup_information.yml").write_text(
            f":gitlab_version: {VERSION}\n:skipped: {','.join(sorted(skipped - {''}))}\n"
        )
        if "db" not in skipped:
            print("Dumping database ... ", end="", flush=True)
            _copy_database(paths.database, work / "database.sqlite")
            print("done")
        partial = target.with_suffix(".partial")
        with tarfile.open(partial, "w") as archive:
            for entry in sorted(work.iterdir()):
                archive.add(entry, entry.name)
            if "repositories" not in skipped:
                print("Dumping repositories ... ", end="", flush=True)
                archive.add(paths.repositories, "repositories")
                print("done")
        partial.chmod(0o600)
        partial.rename(target)
    print(f"Backup {target.name.removesuffix(SUFFIX)} is done.")
    print(
        "Warning: Your gitlab.rb and gitlab-secrets.json files contain sensitive data and are "
        "not included in "
        "this backup. You will need these files to restore a backup. Please back them up manually."
    )
    return target


def _confirm(question: str) -> None:
    if os.environ.get("GITLAB_ASSUME_YES") == "1":
        return
    if not sys.stdin.isatty() or input(f"{question} (yes/no)? ") != "yes":
        raise BackupError("Quitting... (set GITLAB_ASSUME_YES=1 to go on without being asked)")


def restore(paths: Paths, options: dict[str, str]) -> None:
    """Put a backup back; what is there now is removed. BackupError changes nothing."""
    folder = _folder(paths)
    wanted = options.get("BACKUP")
    found = sorted(folder.glob(f"{wanted or '*'}{SUFFIX}"))
    if not found:
        raise BackupError(f"The backup file {wanted or ''}{SUFFIX} does not exist in {folder}")
    if len(found) > 1:
        raise BackupError("Found more than one backup: name one with BACKUP=<id>")
    with tempfile.TemporaryDirectory(dir=paths.repositories.parent, prefix=".restore-") as name:
        work = Path(name)
        with tarfile.open(found[0]) as archive:
            archive.extractall(work, filter="tar")
        facts = (work / "backup_information.yml").read_text()
        if f":gitlab_version: {VERSION}\n" not in facts:
            raise BackupError(
                f"GitLab version mismatch: this is {VERSION}, the backup says "
                f"{facts.splitlines()[0]}"
            )
        _confirm("This will replace the database and all repositories. Continue")
        if (work / "repositories").is_dir():
            print("Restoring repositories ... ", end="", flush=True)
            shutil.rmtree(paths.repositories, ignore_errors=True)
            (work / "repositories").rename(paths.repositories)
            print("done")
        if (work / "database.sqlite").is_file():
            print("Restoring database ... ", end="", flush=True)
            _copy_database(work / "database.sqlite", paths.database)
            print("done")
    print("Restore task is done.")


def main() -> int:
    """Command line: ``create`` or ``restore``, and GitLab's ``NAME=value`` options."""
    words = sys.argv[1:]
    if not words or words[0] not in {"create", "restore"}:
        print(
            "usage: gitlab-backup create|restore [BACKUP=<id>] [SKIP=db,repositories]",
            file=sys.stderr,
        )
        return 64
    names = ("BACKUP", "SKIP", "STRATEGY")
    options = {n: os.environ[n] for n in names if n in os.environ}
    options |= dict(word.split("=", 1) for word in words[1:] if "=" in word)
    paths = Paths(Path(os.environ.get("GITLAB_STANDIN_ROOT", "/")))
    try:
        if words[0] == "create":
            create(paths, options)
        else:
            restore(paths, options)
    except (BackupError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
