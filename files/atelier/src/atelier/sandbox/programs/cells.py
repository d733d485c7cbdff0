"""The code of a learner's file, cell by cell, and why a name in it may be missing."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*\{[ \t]*(\w+)[ \t,]*([^}]*)\}[ \t]*$")
_ORG_BEGIN = re.compile(r"^[ \t]*#\+begin_src[ \t]+(\S+)(.*)$", re.IGNORECASE)
_ORG_END = re.compile(r"^[ \t]*#\+end_src[ \t]*$", re.IGNORECASE)
_NOT_RUN = re.compile(
    r"\beval[ \t]*=[ \t]*(?:F|FALSE)\b|:eval[ \t]+(?:no|never|never-export|no-export)\b"
)
_PYTHON_NAME = re.compile(r"name '(\w+)' is not defined")
_R_NAME = re.compile(r"(?:object '|could not find function \")([^'\"]+)['\"]")
LANGUAGES = {"python": "python", "python3": "python", "ipython": "python", "py": "python", "r": "r"}


class UnreadableError(Exception):
    """The file is none that can be run."""


@dataclass(frozen=True)
class Cell:
    """A piece of code."""

    source: str
    place: int
    """In a notebook the cell's number, from 1; elsewhere the line where the code begins."""


@dataclass(frozen=True)
class Code:
    """All code of a file."""

    language: str
    cells: Sequence[Cell]
    notebook: dict[str, Any] | None = None
    given: frozenset[str] | None = None
    """Names that the file defined when the learner got it; None: not known."""

    def names(self) -> frozenset[str]:
        """Return the names that the code defines at its top level."""
        return frozenset().union(*(bound(cell.source, self.language) for cell in self.cells))


def read(path: str, content: bytes) -> Code:
    """Return the code of a file.

    Raises:
        UnreadableError: it is none that can be run.
    """
    kind = PurePosixPath(path).suffix.lower()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(str(error)) from None
    if kind == ".ipynb":
        return _notebook(text)
    if kind in {".py", ".r"}:
        return Code("python" if kind == ".py" else "r", [Cell(text, 1)])
    if kind in {".rmd", ".qmd", ".org"}:
        found = _org(text) if kind == ".org" else _markdown(text)
        languages = [language for language, _cell in found]
        language = max(sorted(set(languages)), key=languages.count) if languages else "r"
        return Code(language, [cell for one, cell in found if one == language])
    raise UnreadableError(f"no kind of file that can be run: {kind}")


def _notebook(text: str) -> Code:
    try:
        notebook = json.loads(text)
        metadata = notebook.get("metadata", {})
        spec = metadata.get("kernelspec", {})
        told = [
            metadata.get("language_info", {}).get("name"),
            spec.get("language"),
            spec.get("name"),
        ]
        names = [str(name).lower() for name in told if name]
        known = [LANGUAGES.get(name, "r" if name == "ir" else "") for name in names]
        language = next((one for one in known if one), "python")
        cells = [
            Cell("".join(cell["source"]), number)
            for number, cell in enumerate(notebook["cells"], start=1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}"[:200]) from None
    return Code(language, cells, notebook)


def _markdown(text: str) -> list[tuple[str, Cell]]:
    found = []
    fence, language, begun, lines = "", "", 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        if not fence:
            opened = _FENCE.match(line)
            if opened:
                fence, language, begun, lines = opened[1], opened[2].lower(), number + 1, []
                skipped = _NOT_RUN.search(opened[3]) is not None
        elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            options = [one for one in lines if one.startswith("#|")]
            skipped = skipped or any(re.search(r"eval:\s*false", one) for one in options)
            if language in LANGUAGES and not skipped:
                found.append((LANGUAGES[language], Cell("\n".join(lines) + "\n", begun)))
            fence = ""
        else:
            lines.append(line)
    return found


def _org(text: str) -> list[tuple[str, Cell]]:
    found = []
    language, begun, lines = None, 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        if language is None:
            opened = _ORG_BEGIN.match(line)
            if opened:
                name = LANGUAGES.get(opened[1].lower(), "")
                language = "" if _NOT_RUN.search(opened[2]) else name
                begun, lines = number + 1, []
        elif _ORG_END.match(line):
            if language:
                found.append((language, Cell(_dedented(lines), begun)))
            language = None
        else:
            # A comma keeps Org from reading such a line as its own.
            lines.append(re.sub(r"^([ \t]*),(?=,*(?:\*|#\+))", r"\1", line))
    return found


def _dedented(lines: list[str]) -> str:
    full = [line for line in lines if line.strip()]
    indents = [len(line) - len(line.lstrip()) for line in full]
    return "\n".join(line[min(indents, default=0) :] for line in lines) + "\n"


def without_magics(source: str) -> str:
    """Return Python source with IPython's own commands replaced by ``pass``."""
    if source.lstrip().startswith("%%"):
        return (
            ""
            if not source.lstrip().startswith(("%%time", "%%capture"))
            else source.partition("\n")[2]
        )
    lines = [
        re.sub(r"[%!?].*$", "pass", line) if re.match(r"\s*[%!?]", line) else line
        for line in source.split("\n")
    ]
    return "\n".join(lines)


def bound(source: str, language: str) -> set[str]:
    """Return the names that a piece of code defines at its top level."""
    if language == "r":
        return set(re.findall(r"([\w.]+)\s*(?:<<?-|=(?!=))", source)) | set(
            re.findall(r"->>?\s*([\w.]+)", source)
        )
    try:
        tree = ast.parse(without_magics(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names: set[str] = set()
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        left.extend(ast.iter_child_nodes(node))
    return names


def missing_name(code: Code, at: int, kind: str, message: str) -> tuple[str, str]:
    """Explain an error: the problem's key, and the name that is missing.

    Args:
        code: the file's code.
        at: index of the cell that stopped.
        kind: the exception's type.
        message: its message.
    """
    if code.language == "python":
        match = _PYTHON_NAME.search(message) if kind == "NameError" else None
    else:
        match = _R_NAME.search(message)
    if match is None:
        return "run_error", ""
    name = match[1]
    # Within a script or one cell, a later line counts as later, too.
    later = any(name in bound(cell.source, code.language) for cell in code.cells[at:])
    if later:
        return "run_order", name
    own = code.names()
    if code.given is not None:
        deleted = name in code.given and name not in own
    else:  # a name much like another one is rather misspelt
        deleted = name not in own and not difflib.get_close_matches(name, own, 1, 0.8)
    return ("run_missing_cell" if deleted else "run_error"), name
