"""Which names of a test come from the learner's answer."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from typing import Any

MODULES = {
    "np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "sns": "seaborn", "sp": "scipy",
    "mpl": "matplotlib", "stats": "scipy.stats",
    **{name: name for name in (
        "collections", "copy", "csv", "datetime", "functools", "io", "itertools", "json", "math",
        "matplotlib", "numpy", "operator", "os", "pandas", "pathlib", "random", "re", "scipy",
        "seaborn", "statistics", "sys", "time",
    )},
}  # fmt: skip
"""Names that always are these modules in tests: never what the learner's answer calls so, or an
answer could bring a ``math.isclose`` of its own."""


def brought(code: str) -> set[str]:
    """Return the names that a test defines before it uses them, such as its own helpers."""
    return {name for name, stored in _first(code).items() if stored}


def wanted(code: str) -> set[str]:
    """Return the names that a test uses and does not bring by itself, built-in ones included.

    ``values`` is one of them in ``values = sorted(values)``.
    """
    top = symtable.symtable(code, "test", "exec")
    used = {one.get_name() for one in top.get_symbols() if one.is_referenced()}
    for table in _below(top):
        used |= {one.get_name() for one in table.get_symbols() if one.is_global()}
    first = _first(code)
    return {name for name in used | first.keys() if not first.get(name, False)}


def _first(code: str) -> dict[str, bool]:
    events = _Events()
    events.visit(ast.parse(code))
    return events.first


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    children: Iterable[symtable.SymbolTable] = table.get_children()
    for child in children:
        yield child
        yield from _below(child)


class _Events(ast.NodeVisitor):
    """Finds whether the first thing that top-level code does with a name is to store it."""

    def __init__(self) -> None:
        self.first: dict[str, bool] = {}

    def visit_Name(self, node: ast.Name) -> None:
        self.first.setdefault(node.id, isinstance(node.ctx, ast.Store))

    def visit_Assign(self, node: ast.Assign) -> None:
        self._in_order(node.value, *node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._in_order(node.value, node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.first.setdefault(node.target.id, False)
        self._in_order(node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._in_order(node.value, node.target)

    def visit_For(self, node: ast.For) -> None:
        self._in_order(node.iter, node.target, *node.body, *node.orelse)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._in_order(*node.decorator_list, node.args)
        self.first.setdefault(node.name, True)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._in_order(*node.decorator_list, *node.bases)
        self.first.setdefault(node.name, True)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for one in node.names:
            self.first.setdefault((one.asname or one.name).partition(".")[0], True)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.first.setdefault(node.name, True)
        self._in_order(*node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self.visit(node.generators[0].iter)  # the rest has names of its own

    visit_SetComp: Any = visit_ListComp  # noqa: N815
    visit_DictComp: Any = visit_ListComp  # noqa: N815
    visit_GeneratorExp: Any = visit_ListComp  # noqa: N815

    def _in_order(self, *nodes: ast.AST) -> None:
        for node in nodes:
            self.visit(node)
