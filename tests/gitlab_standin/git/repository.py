"""Reading a bare repository."""

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitlab_standin.git.command import GitError, git

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_FORMAT = "%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"


@dataclass(frozen=True)
class Commit:
    """One commit, as git tells it."""

    id: str
    parents: list[str]
    author_name: str
    author_email: str
    authored: dt.datetime
    committer_name: str
    committer_email: str
    committed: dt.datetime
    message: str

    @property
    def title(self) -> str:
        """First line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True)
class Entry:
    """One line of a tree."""

    mode: str
    type: str
    id: str
    path: str

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Change:
    """One file's difference.

    ``patch`` starts at the first ``@@``, ``header`` holds what stands before it.
    """

    old_path: str
    new_path: str
    old_mode: str
    new_mode: str
    status: str
    patch: str
    header: str


class Repository:
    """A bare repository on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (0,),
    ) -> bytes:
        """Run git here."""
        return git(self.path, arguments, stdin=stdin, env=env, accept=accept)

    def create(self, branch: str = "main") -> None:
        """Make it, empty, unless it is there."""
        if not (self.path / "HEAD").exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            git(
                self.path,
                ["init", "--quiet", "--bare", f"--initial-branch={branch}", str(self.path)],
            )

    def copy_from(self, source: "Repository", branch: str | None = None) -> None:
        """Become a copy of another one (its branches and tags); whole or not at all."""
        partial = self.path.with_name(self.path.name + ".importing")
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        git(partial, ["init", "--quiet", "--bare", str(partial)])
        wanted = (
            [f"+refs/heads/{branch}:refs/heads/{branch}"]
            if branch
            else ["+refs/heads/*:refs/heads/*"]
        )
        git(partial, ["fetch", "--quiet", str(source.path), *wanted, "+refs/tags/*:refs/tags/*"])
        shutil.rmtree(self.path, ignore_errors=True)
        partial.rename(self.path)

    def remove(self) -> None:
        """Delete it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def refs(self, prefix: str = "refs/heads/") -> dict[str, str]:
        """Names (without the prefix) and object ids, by name."""
        listing = self.git("for-each-ref", "--format=%(refname)%00%(objectname)", prefix).decode()
        pairs = (line.split("\0") for line in listing.splitlines())
        return {name.removeprefix(prefix): sha for name, sha in pairs}

    def head(self) -> str:
        """The branch that HEAD names, existing or not."""
        return self.git("symbolic-ref", "HEAD").decode().strip().removeprefix("refs/heads/")

    def set_head(self, branch: str) -> None:
        """Make this the default branch."""
        self.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def resolve(self, ref: str, kind: str = "commit") -> str | None:
        """Object id of a branch, tag, ``HEAD`` or (partial) id; None when there is none."""
        candidates = [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        if not ref.startswith("-"):
            candidates.append(ref)
        for name in candidates:
            try:
                text = self.git(
                    "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{{kind}}}"
                )
            except GitError:
                continue
            return text.decode().split("\n")[-2]
        return None

    def tree(self, ref: str, path: str = "", *, recursive: bool = False) -> list[Entry] | None:
        """Entries of a folder, folders first as GitLab lists them.

        None when there is no such folder.
        """
        folder = path.strip("/")
        start = self.resolve(ref, "tree")
        if start is not None and folder:
            found = self.entry(start, folder)
            start = found.id if found is not None and found.type == "tree" else None
        if start is None:
            return None
        options = ["-r", "-t"] if recursive else []
        entries = []
        for line in (
            self.git("ls-tree", "-z", *options, start).decode(errors="replace").split("\0")[:-1]
        ):
            facts, name = line.split("\t", 1)
            mode, kind, sha = facts.split()
            entries.append(Entry(mode, kind, sha, f"{folder}/{name}" if folder else name))
        if not recursive:
            entries.sort(key=lambda e: (e.type != "tree", e.path))
        return entries

    def entry(self, ref: str, path: str) -> Entry | None:
        """What stands at this path, None when nothing does."""
        tree = self.resolve(ref, "tree")
        if tree is None:
            return None
        listing = self.git("--literal-pathspecs", "ls-tree", "-z", tree, "--", path.rstrip("/"))
        for line in listing.decode(errors="replace").split("\0")[:-1]:
            facts, name = line.split("\t", 1)
            mode, kind, sha = facts.split()
            return Entry(mode, kind, sha, name)
        return None

    def blob(self, sha: str) -> bytes:
        """A file's content."""
        return self.git("cat-file", "blob", sha)

    def log(
        self,
        ref: str,
        *,
        path: str | None = None,
        skip: int = 0,
        limit: int | None = None,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> list[Commit]:
        """Commits reachable from a revision or range, newest first."""
        arguments = [
            "--literal-pathspecs",
            "log",
            "-z",
            f"--format={_FORMAT}",
            f"--skip={skip}",
            *options,
        ]
        if limit is not None:
            arguments.append(f"--max-count={limit}")
        arguments += ["--end-of-options", ref, "--"]
        if path:
            arguments.append(path)
        fields = self.git(*arguments, env=env).decode(errors="replace").split("\0")
        rows = [fields[i : i + 9] for i in range(0, len(fields) - 8, 9)]
        return [
            Commit(
                id=row[0],
                parents=row[1].split(),
                author_name=row[2],
                author_email=row[3],
                authored=dt.datetime.fromisoformat(row[4]),
                committer_name=row[5],
                committer_email=row[6],
                committed=dt.datetime.fromisoformat(row[7]),
                message=row[8],
            )
            for row in rows
        ]

    def commit(self, ref: str) -> Commit | None:
        """The commit a ref names."""
        sha = self.resolve(ref)
        return self.log(sha, limit=1)[0] if sha else None

    def count(self, ref: str, path: str | None = None) -> int:
        """How many commits :meth:`log` has."""
        tail = [path] if path else []
        text = self.git(
            "--literal-pathspecs", "rev-list", "--count", "--end-of-options", ref, "--", *tail
        )
        return int(text)

    def merge_base(self, one: str, other: str) -> str | None:
        """Best common ancestor."""
        text = self.git("merge-base", one, other, accept=(0, 1)).decode().strip()
        return text or None

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether going from old to new loses nothing."""
        try:
            self.git("merge-base", "--is-ancestor", old, new)
        except GitError:
            return False
        return True

    def diff(self, old: str, new: str, env: Mapping[str, str] | None = None) -> list[Change]:
        """File by file, renames found."""
        common = ["diff", "-M", "--no-color", "--no-ext-diff", "--full-index"]
        raw = self.git(*common, "--raw", "-z", "--abbrev=40", old, new, "--", env=env)
        patch = self.git(*common, "-p", old, new, "--", env=env).decode(errors="replace")
        patches = ("\n" + patch).split("\ndiff --git ")[1:]
        fields = raw.decode(errors="replace").split("\0")[:-1]
        changes = []
        while fields:
            old_mode, new_mode, _, _, status = fields.pop(0).lstrip(":").split()
            before = fields.pop(0)
            after = fields.pop(0) if status[0] in "RC" else before
            text = patches.pop(0) if patches else ""
            header, mark, body = text.partition("\n@@")
            changes.append(
                Change(
                    old_path=before,
                    new_path=after,
                    old_mode=old_mode,
                    new_mode=new_mode,
                    status=status[0],
                    patch=f"@@{body}".rstrip("\n") + "\n" if mark else "",
                    header=header,
                )
            )
        return changes

    def stats(self, commit: Commit) -> tuple[int, int]:
        """Lines added and removed by a commit."""
        parent = commit.parents[0] if commit.parents else EMPTY_TREE
        added = removed = 0
        for line in self.git("diff", "--numstat", parent, commit.id, "--").decode().splitlines():
            plus, minus, _ = line.split("\t", 2)
            added += int(plus) if plus.isdigit() else 0
            removed += int(minus) if minus.isdigit() else 0
        return added, removed
