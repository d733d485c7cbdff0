"""Creates a learner's clone, and completes it later; it never overwrites the learner's work.

A new clone is fetched from the course's mirror on this server (a local read), then from the
learner's fork (only the differences). It is made in a hidden directory beside its final path and
renamed when complete, so that after a kill there is either no clone or a complete one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from atelier_notebook import credential, git
from atelier_notebook.texts import Notice, Topic

# Up to 8 s until GitLab's first output; then a big fork may take longer.
FORK = git.Limits(first_word=8, total=60)
# The hub knows that the space is not ready: try, with a short limit.
UNLIKELY = git.Limits(first_word=2, total=60)
# Account and fork are being created: the desk issues the credential when they exist.
PREPARING = git.Limits(first_word=8 + credential.SPACE_WAIT_SECONDS, total=60)
PATIENCE = {"ready": FORK, "preparing": PREPARING, "later": UNLIKELY}
HALF = ".atelier-clone-"
TEMPLATE_REFS = "refs/atelier/template/"
ORIGIN_REFS = "refs/remotes/origin/"
_HEAD = re.compile(rb"(ref: refs/\S+|[0-9a-f]{40}([0-9a-f]{24})?)\s*\Z")


@dataclass(frozen=True)
class Wanted:
    """The wanted clone: `<home>/<course>`, from `project_url`, else from `template`."""

    home: Path
    course: str
    project_url: str
    template: Path | None = None
    limits: git.Limits = FORK

    @property
    def place(self) -> Path:
        """Path of the clone."""
        return self.home / self.course


@dataclass
class Outcome:
    """The clone's origin: `fork`, `template`, `existing` or `none`; notices for the learner."""

    state: str = "none"
    notices: list[Notice] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def is_clone(place: Path) -> bool:
    """Whether `place` is a repository by git's own rule."""
    inside = place / ".git"
    if inside.is_file():  # a worktree or a submodule that the learner made
        return True
    try:
        head = (inside / "HEAD").read_bytes()
    except OSError:
        return False
    return bool(_HEAD.match(head)) and (inside / "objects").is_dir() and (inside / "refs").is_dir()


def sweep(home: Path) -> None:
    """Remove incomplete clones of a start that was killed."""
    for leftover in home.glob(f"{HALF}*"):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)


def git_is_running() -> bool:
    """Whether a git process runs in this container."""
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if comm.read_text().startswith("git"):
                return True
    return False


def remove_stale_locks(place: Path, before: float) -> list[str]:
    """Remove git's lock files older than `before` (seconds since the epoch); return their names.

    No git runs when a container starts, so a lock older than the container belongs to a process of
    the previous container. Nothing is removed while git runs.
    """
    inside = place / ".git"
    if not inside.is_dir() or git_is_running():
        return []
    removed = []
    for lock in [*inside.glob("*.lock"), *(inside / "refs").rglob("*.lock")]:
        with contextlib.suppress(OSError):
            if lock.stat().st_mtime < before:
                lock.unlink()
                removed.append(str(lock.relative_to(inside)))
    return sorted(removed)


def branches(place: Path, prefix: str) -> list[str]:
    """Return the names of the branches under `prefix`, `main` first."""
    names = [
        ref.removeprefix(prefix)
        for ref in git.lines(place, "for-each-ref", "--format=%(refname)", prefix)
    ]
    return sorted((n for n in names if n != "HEAD"), key=lambda name: (name != "main", name))


def set_origin(place: Path, url: str) -> None:
    """Set the remote `origin` to the learner's fork."""
    known = git.lines(place, "config", "--get", "remote.origin.url")
    if not known:
        git.run(place, "remote", "add", "origin", url)
    elif known != [url]:
        git.run(place, "remote", "set-url", "origin", url)


def _follow(place: Path, branch: str) -> None:
    git.run(place, "config", f"branch.{branch}.remote", "origin")
    git.run(place, "config", f"branch.{branch}.merge", f"refs/heads/{branch}")


def fetch_fork(place: Path, limits: git.Limits) -> git.Result:
    """Fetch the learner's fork within `limits`."""
    return git.run(place, "fetch", "--progress", "--no-tags", "origin", limits=limits)


def _fill(wanted: Wanted, half: Path, outcome: Outcome) -> git.Result:
    """Fetch and check out into the new directory `half`; return the result of the last command."""
    result = git.run(half, "init", "--quiet", "--initial-branch=main", "--template=")
    if not result.ok:
        return result
    set_origin(half, wanted.project_url)
    if wanted.template is not None and wanted.template.is_dir():
        refspec = f"+refs/heads/*:{TEMPLATE_REFS}*"
        result = git.run(half, "fetch", "--quiet", "--no-tags", str(wanted.template), refspec)
        if not result.ok:
            outcome.log.append(f"the template's mirror cannot be read: {result.reason}")
        if result.disk_full:
            return result
    fork = fetch_fork(half, wanted.limits)
    if not fork.ok:
        outcome.log.append(f"the fork cannot be read: {fork.reason}")
        if fork.disk_full:
            return fork
    for state, prefix in (("fork", ORIGIN_REFS), ("template", TEMPLATE_REFS)):
        names = branches(half, prefix)
        if names:
            branch = names[0]
            result = git.run(
                half, "checkout", "--quiet", "--no-track", "-B", branch, prefix + branch
            )
            _follow(half, branch)
            outcome.state = state
            return result
    return fork if not fork.ok else git.Result(1, b"", "the fork and the template are empty")


def free_name(place: Path) -> Path:
    """Return an unused path beside `place`: `demo (yours)`, `demo (yours 2)`, ..."""
    number = 1
    while True:
        suffix = "(yours)" if number == 1 else f"(yours {number})"
        candidate = place.with_name(f"{place.name} {suffix}")
        if not os.path.lexists(candidate):
            return candidate
        number += 1


def _make(wanted: Wanted, outcome: Outcome) -> None:
    half = Path(tempfile.mkdtemp(prefix=HALF, dir=wanted.home))
    try:
        half.chmod(0o755)
        result = _fill(wanted, half, outcome)
        if not result.ok:
            outcome.state = "none"
            topic = Topic.DISK_FULL if result.disk_full else Topic.NO_COPY
            outcome.notices.append(Notice(topic, wanted.course))
            return
        place = wanted.place
        if os.path.lexists(place):
            try:
                place.rmdir()  # works for an empty directory only
            except OSError:
                beside = free_name(place)
                place.rename(beside)
                outcome.notices.append(Notice(Topic.KEPT_BESIDE, wanted.course, beside.name))
        half.rename(place)
        if outcome.state == "template":
            outcome.notices.append(Notice(Topic.FROM_TEMPLATE, wanted.course))
    finally:
        shutil.rmtree(half, ignore_errors=True)


def catch_up(wanted: Wanted, outcome: Outcome) -> None:
    """Update a clone that was made from the mirror, when the fork can be fetched.

    Fast-forward only: a clone with local commits or changes stays as it is, and the learner's next
    pull or save merges the two.
    """
    place = wanted.place
    fork = fetch_fork(place, wanted.limits)
    if not fork.ok:
        outcome.log.append(f"the fork cannot be read: {fork.reason}")
        topic = Topic.DISK_FULL if fork.disk_full else Topic.FROM_TEMPLATE
        outcome.notices.append(Notice(topic, wanted.course))
        return
    branch = git.lines(place, "symbolic-ref", "--quiet", "--short", "HEAD")
    if not branch or branch[0] not in branches(place, ORIGIN_REFS):
        return
    newer = ORIGIN_REFS + branch[0]
    changes = git.run(place, "status", "--porcelain", "--untracked-files=no")
    if changes.ok and not changes.out:
        if git.run(place, "merge-base", "--is-ancestor", "HEAD", newer).ok:
            merged = git.run(place, "merge", "--quiet", "--ff-only", newer)
            outcome.log.append(
                f"brought up to the fork: {merged.reason if not merged.ok else 'ok'}"
            )
        else:
            outcome.log.append("the clone has commits of its own: left as it is")
    else:
        outcome.log.append("the clone has changes of its own: left as it is")


def prepare(wanted: Wanted, started: float) -> Outcome:
    """Create the clone, or update an existing one.

    Args:
        wanted: the clone.
        started: start of this container, seconds since the epoch.

    Raises:
        OSError: the home directory cannot be written, e.g. because the disk is full.
    """
    outcome = Outcome()
    sweep(wanted.home)
    if not is_clone(wanted.place):
        _make(wanted, outcome)
        return outcome
    outcome.state = "existing"
    outcome.log.extend(
        f"removed a lock left by a killed git: {name}"
        for name in remove_stale_locks(wanted.place, started)
    )
    if wanted.project_url:
        set_origin(wanted.place, wanted.project_url)
        if not branches(wanted.place, ORIGIN_REFS):
            catch_up(wanted, outcome)
    return outcome
