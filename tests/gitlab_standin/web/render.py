"""Files shown as pages. Nothing of a file's own markup or scripts reaches the page."""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import markupsafe
from markdown_it import MarkdownIt

MAX_SHOWN = 2_000_000
_MARKDOWN_ENDINGS = (".md", ".markdown", ".mdown", ".rmd", ".qmd")
_IMAGES = {"image/png", "image/jpeg", "image/gif"}


def _absolute(link: str, blob: str, folder: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith(("#", "/")):
        return link
    steps: list[str] = [s for s in folder.split("/") if s]
    for step in link.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in {"", "."}:
            steps.append(step)
    return f"{blob}/{'/'.join(steps)}"


def markdown(text: str, *, blob: str = "", raw: str = "", folder: str = "") -> markupsafe.Markup:
    """Markdown as HTML.

    ``blob`` and ``raw`` are the addresses that relative links and images start from.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        head, _, text = text[4:].partition("\n---\n")
        text = f"```yaml\n{head}\n```\n{text}"
    tokens = parser.parse(text)
    for token in tokens:
        for child in token.children or []:
            if child.type == "link_open" and blob:
                child.attrs["href"] = _absolute(str(child.attrs.get("href", "")), blob, folder)
            elif child.type == "image" and raw:
                child.attrs["src"] = _absolute(str(child.attrs.get("src", "")), raw, folder)
    return markupsafe.Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704


def _joined(value: Any) -> str:
    return "".join(str(v) for v in value) if isinstance(value, list) else str(value or "")


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        return {"kind": "text", "value": _joined(output.get("text"))}
    if kind == "error":
        return {"kind": "text", "value": f"{output.get('ename', '')}: {output.get('evalue', '')}"}
    data = output.get("data")
    if not isinstance(data, dict):
        return None
    for name in _IMAGES & set(data):
        value = _joined(data[name]).replace("\n", "")
        try:
            base64.b64decode(value, validate=True)
        except ValueError:
            continue
        return {"kind": "image", "value": f"data:{name};base64,{value}"}
    for name in ("text/plain", "text/markdown", "text/html"):
        if name in data:
            return {"kind": "text", "value": _joined(data[name])}
    return None


def notebook(content: bytes) -> list[dict[str, Any]] | None:
    """A notebook's cells for the template, None when it is no notebook."""
    try:
        parsed = json.loads(content)
        cells = parsed["cells"]
        shown = []
        for cell in cells:
            source = _joined(cell.get("source"))
            kind = str(cell.get("cell_type"))
            shown.append(
                {
                    "kind": kind,
                    "count": cell.get("execution_count"),
                    "html": markdown(source) if kind == "markdown" else None,
                    "source": source,
                    "outputs": [o for o in map(_output, cell.get("outputs") or []) if o],
                }
            )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return shown


def text_of(content: bytes) -> str | None:
    """The file as text; None when it is binary."""
    if b"\0" in content[:8000]:
        return None
    return content.decode(errors="replace")


def is_markdown(name: str) -> bool:
    """Whether a file is shown as Markdown."""
    return name.lower().endswith(_MARKDOWN_ENDINGS)


def diff_lines(patch: str) -> list[dict[str, Any]]:
    """A patch, line by line, with numbers of both sides."""
    lines: list[dict[str, Any]] = []
    old = new = 0
    for text in patch.split("\n"):
        if text.startswith("@@"):
            spans = text.split("@@")[1].split()
            old, new = (int(s[1:].split(",")[0]) for s in spans)
            lines.append({"kind": "hunk", "old": "", "new": "", "text": text})
        elif text.startswith("+"):
            lines.append({"kind": "added", "old": "", "new": new, "text": text})
            new += 1
        elif text.startswith("-"):
            lines.append({"kind": "removed", "old": old, "new": "", "text": text})
            old += 1
        elif text:
            lines.append({"kind": "same", "old": old, "new": new, "text": text})
            old, new = old + 1, new + 1
    return lines
