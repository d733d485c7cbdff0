"""The server package's files: what changed, and which of hub and desk runs it."""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

Stamps = Mapping[Path, tuple[int, int]]
"""Time of change (ns) and size of each file."""
_DOTTED = re.compile(r"\b[a-z_]\w*(?:\.[a-z_]\w*)+")


class Sources:
    """The files below a folder that Python looks for packages in.

    Imports are followed from each program's first module. A file that is not code belongs to the
    program whose name its folder has (`templates/desk`), else to the programs whose code names the
    folder it lies in (`"static"`); where none does, to all.

    Args:
        folder: holds the package.
        programs: first module of each program, by the program's name.
    """

    def __init__(self, folder: Path, programs: Mapping[str, str]) -> None:
        self._folder = folder
        self._programs = programs
        self._named: dict[Path, set[str]] = {}
        self._imports: set[str] = set()
        self._users = self._look()

    def stamps(self) -> Stamps:
        """Look at all files."""
        found: dict[Path, tuple[int, int]] = {}
        for path in self._folder.rglob("*"):
            if path.suffix in {".pyc", ".swp"} or path.name.endswith("~"):
                continue
            try:
                status = path.stat()  # of what a symbolic link leads to
            except OSError:  # an editor's file that was there for a moment, or its lock
                continue
            if not path.is_dir():
                found[path] = (status.st_mtime_ns, status.st_size)
        return found

    @staticmethod
    def changed(before: Stamps, after: Stamps) -> list[Path]:
        """Return the files that were written, made or removed, in alphabetical order."""
        return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))

    def users(self, changed: Iterable[Path]) -> list[str]:
        """Return the programs that run any of these files, as imports are now or were before."""
        before, self._users = self._users, self._look()
        names: set[str] = set()
        for path in changed:
            names |= before.get(path, frozenset()) | self._users.get(path, frozenset())
            if path.suffix != ".py":
                names |= self._by_folder(path)
        return [name for name in self._programs if name in names]

    def of_others(self) -> list[str]:
        """Return what the programs may import from elsewhere: modules, and names in modules."""
        own = {path.stem for path in self._folder.iterdir()}
        return sorted(name for name in self._imports if name.partition(".")[0] not in own)

    def _look(self) -> dict[Path, frozenset[str]]:
        users: dict[Path, set[str]] = {}
        self._named = {}
        for program, first in self._programs.items():
            todo = [first]
            seen: set[str] = set()
            while todo:
                module = todo.pop()
                path = self._file(module)
                if module in seen or path is None:
                    continue
                seen.add(module)
                users.setdefault(path, set()).add(program)
                imports, words = _read(path)
                todo += imports
                self._imports |= set(imports)
                todo += [module.rpartition(".")[0]] if "." in module else []
                for word in words:
                    folder = self._nearest(path, word)
                    if folder is not None:
                        self._named.setdefault(folder, set()).add(program)
        return {path: frozenset(names) for path, names in users.items()}

    def _file(self, module: str) -> Path | None:
        place = self._folder / module.replace(".", "/")
        return next(
            (path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()),
            None,
        )

    def _nearest(self, path: Path, word: str) -> Path | None:
        """Return the folder of that name nearest above a file."""
        if not word.isidentifier():
            return None
        for parent in path.parents:
            if parent == self._folder:
                return None
            if (parent / word).is_dir() and not (parent / word / "__init__.py").exists():
                return parent / word
        return None

    def _by_folder(self, path: Path) -> set[str]:
        if path.parent.name in self._programs and not (path.parent / "__init__.py").exists():
            return {path.parent.name}
        named = [self._named[parent] for parent in path.parents if parent in self._named]
        return named[0] if named else set(self._programs)


def _read(path: Path) -> tuple[list[str], set[str]]:
    """Return the absolute modules that a file may import, and the words of its texts."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return [], set()
    imports: list[str] = []
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imports += [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
    texts = (module for word in words for module in _DOTTED.findall(word))
    return [*imports, *texts], words  # a module may be named to another Python: "from a.b import c"


def mistakes(changed: Iterable[Path]) -> str:
    """Return the traceback of each of these files that is no Python; empty when all are."""
    found = []
    for path in changed:
        if path.suffix == ".py" and path.exists():
            try:
                compile(path.read_bytes(), str(path), "exec")
            except (SyntaxError, ValueError) as error:
                found.append("".join(traceback.format_exception_only(error)))
    return "".join(found)
