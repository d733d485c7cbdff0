"""Splits Org files into blocks; syntax: https://orgmode.org/worg/org-syntax.html."""

from __future__ import annotations

import re

from atelier.exercises.blocks import Block, Lines
from atelier.exercises.markup import Form
from atelier.exercises.model import Kind

_HEADING = re.compile(r"^(?P<stars>\*+)\s+(?P<title>\S.*)$")
_BEGIN = re.compile(r"^\s*#\+begin_(?P<name>\S+)(?P<rest>.*)$", re.IGNORECASE)
_KEYWORD = re.compile(r"^\s*#\+(?P<name>[A-Za-z_]+)(?:\[[^\]]*\])?:(?P<value>.*)$")
_ITEM = re.compile(r"^\s*(?:[-+]|\s\*|\d{1,9}[.)])(?:\s|$)")
_NUMBERED = re.compile(r"^\s*(\d{1,9})[.)]")
_DRAWER = re.compile(r"^\s*:(?P<name>[\w-]+):\s*$")
_TODO = re.compile(r"^(?:TODO|DONE)\s+")
_TAGS = re.compile(r":[\w@#%:]+:")
_HEADER_ARGUMENT = re.compile(r"(?:^|\s):(?P<name>[\w-]+)(?P<value>(?:(?!\s:[\w-]).)*)")
_KINDS: dict[str, Kind] = {"src": "code", "example": "code", "export": "raw", "comment": "raw"}


class _Reader:
    """Reads the lines in one pass."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.at = 0
        self.found: list[Block] = []
        self.name = ""
        self.result = False
        self.open_until = 0
        """No drawer that begins before this line has an end; avoids quadratic time."""

    def read(self) -> list[Block]:
        """Return the blocks."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            heading = _HEADING.match(line)
            if not line.strip():
                self.at += 1
                self.result = False  # the result was empty: what follows is ordinary text
            elif heading:
                title = _title(heading["title"])
                self.found.append(
                    Block("heading", [(self.at + 1, title)], level=len(heading["stars"]))
                )
                self.at += 1
                self.name, self.result = "", False
            elif _BEGIN.match(line):
                self.block()
            elif _KEYWORD.match(line):
                self.keyword()
            elif _DRAWER.match(line):
                self.drawer()
            else:
                self.paragraph(line)
        return self.found

    def block(self) -> None:
        """Read from ``#+begin_x`` to ``#+end_x``, or to the end of the file."""
        begin = _BEGIN.match(self.lines[self.at])
        name = begin["name"].lower() if begin else ""
        rest = begin["rest"].strip() if begin else ""
        end = re.compile(rf"^\s*#\+end_{re.escape(name)}\s*$", re.IGNORECASE)
        start = self.at + 1
        stop = start
        while stop < len(self.lines) and not end.match(self.lines[stop]):
            stop += 1
        content: list[tuple[int | None, str]] = [(n + 1, self.lines[n]) for n in range(start, stop)]
        self.at = stop + 1
        if self.take_result():
            self.found.append(Block("output", content, style="code"))
            return
        kind = _KINDS.get(name, "quote")
        if kind == "code":
            self.found.append(self.code(name, rest, content))
        elif kind == "raw":
            self.found.append(Block("raw", content))
        else:
            text = "\n".join(line.strip() for _, line in content)
            self.found.append(Block("quote", [(start + 1, text)]))
        self.name = ""

    def code(self, name: str, rest: str, content: list[tuple[int | None, str]]) -> Block:
        """Return a source block with its language and header arguments."""
        word, _, arguments = rest.partition(" ")
        if name != "src" or word.startswith(":"):
            word, arguments = "", rest
        language = {"jupyter-python": "python", "ipython": "python"}.get(word.lower(), word.lower())
        options = {
            found["name"]: " ".join(found["value"].split())
            for found in _HEADER_ARGUMENT.finditer(arguments)
        }
        return Block(
            "code",
            _undented(content),
            style="code",
            language=language or None,
            ident=f"name {self.name}" if self.name else "",
            options=options,
        )

    def keyword(self) -> None:
        """Read ``#+TITLE:``, ``#+NAME:``, ``#+RESULTS:``, ..."""
        found = _KEYWORD.match(self.lines[self.at])
        name = found["name"].lower() if found else ""
        if name == "name" and found:
            self.name = found["value"].strip()
        elif name == "results":
            self.result = True
        elif self.found and self.found[-1].kind == "metadata" and not self.found[-1].level:
            self.found[-1].lines.append((self.at + 1, self.lines[self.at].strip()))
        else:
            line = self.lines[self.at].strip()
            self.found.append(Block("metadata", [(self.at + 1, line)]))
        self.at += 1

    def drawer(self) -> None:
        """Read ``:PROPERTIES:`` to ``:END:``; a drawer without an end is a paragraph."""
        stop = max(self.at + 1, self.open_until)
        while stop < len(self.lines) and not _HEADING.match(self.lines[stop]):
            if self.lines[stop].strip().upper() == ":END:":
                content: list[tuple[int | None, str]] = [
                    (n + 1, self.lines[n].strip()) for n in range(self.at + 1, stop)
                ]
                self.at = stop + 1
                if self.take_result():  # ":results:", of a block with ":results drawer"
                    self.found.append(Block("output", content, style="code"))
                    return
                # level 1 prevents that following keywords are added to this block
                self.found.append(Block("metadata", content, level=1))
                return
            stop += 1
        self.open_until = stop
        self.paragraph(self.lines[self.at])

    def take_result(self) -> bool:
        """Return whether the next element is the output of a source block, and reset that flag."""
        result, self.result = self.result, False
        return result

    def paragraph(self, line: str) -> None:
        """Read prose, a list, a table, comments, or output lines (``: 42``)."""
        kind = self.kind(line)
        start = self.at
        while self.at < len(self.lines) and self.continues(kind, start):
            self.at += 1
        content: list[tuple[int | None, str]] = [
            (n + 1, self.lines[n]) for n in range(start, self.at) if self.lines[n].strip()
        ]
        result = self.take_result()
        if result or kind == "output":
            printed = [(n, text.strip().removeprefix(":").strip()) for n, text in content]
            self.found.append(Block("output" if result else "code", printed, style="code"))
        elif kind == "list":
            items = _items(content)
            self.found.append(Block("list", items, forms=_item_forms(items)))
        elif kind == "prose":
            text = "\n".join(line.strip() for _, line in content)
            self.found.append(Block("prose", [(start + 1, text)]))
        else:
            kept = [(n, text) for n, text in content if not re.fullmatch(r"\s*\|[-+]*\|?\s*", text)]
            forms: list[Form] = ["org-row"] * len(kept) if kind == "table" else []
            self.found.append(Block(kind, kept, forms=forms))
        self.name = ""

    def kind(self, line: str) -> Kind:
        """Return the kind of block that starts with the line."""
        text = line.lstrip()
        if text.startswith("|"):
            return "table"
        if text.startswith(("# ", "#\n")) or text == "#":
            return "raw"
        if text.startswith(": ") or text == ":":
            return "output"
        return "list" if _ITEM.match(line) else "prose"

    def continues(self, kind: Kind, start: int) -> bool:
        """Return whether the current line belongs to the block that began at ``start``."""
        line = self.lines[self.at]
        if self.at == start:
            return True
        if not line.strip():
            following = self.lines[self.at + 1] if self.at + 1 < len(self.lines) else ""
            return kind == "list" and (bool(_ITEM.match(following)) or following.startswith("  "))
        if _HEADING.match(line) or _BEGIN.match(line) or _KEYWORD.match(line):
            return False
        now = self.kind(line)
        if kind == "list":
            return now == "list" or line.startswith(" ")
        return now == kind


def split(text: str) -> list[Block]:
    """Split an Org file into blocks."""
    return _Reader(text).read()


def _title(text: str) -> str:
    """Return a heading's title without its keyword and tags."""
    words = text.rsplit(None, 1)
    is_tagged = len(words) == 2 and _TAGS.fullmatch(words[1])
    return _TODO.sub("", words[0] if is_tagged else text).strip()


def _undented(content: list[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
    """Remove the common indentation of a code block, which has no meaning in Org."""
    widths = [len(text) - len(text.lstrip()) for _, text in content if text.strip()]
    least = min(widths, default=0)
    return [(n, text[least:] if text.strip() else "") for n, text in content]


def _items(content: list[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
    items: list[tuple[int | None, str]] = []
    for n, text in content:
        if _ITEM.match(text) or not items:
            items.append((n, text))
        else:
            first, before = items[-1]
            items[-1] = (first, f"{before}\n{text.strip()}")
    return items


def _item_forms(items: Lines) -> list[Form]:
    """Return the forms of a list's items; a number alone, such as a year, is no bullet."""
    number = _NUMBERED.match(items[0][1]) if len(items) == 1 else None
    return [""] if number and int(number[1]) > 1 else ["org-item"] * len(items)
