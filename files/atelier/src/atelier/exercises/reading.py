"""Decodes files: encodings, the size limit, and binary files."""

from __future__ import annotations

import unicodedata

from atelier.exercises.blocks import UnreadableError
from atelier.exercises.model import Limits, Message, message

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


def decode(content: bytes | None, limits: Limits) -> tuple[str, list[Message]]:
    """Decode a file, in Unicode's composed form (NFC) and with ``\\n`` at line ends.

    Returns:
        The text, and warnings about its encoding.

    Raises:
        UnreadableError: the file is missing, empty, too large, or not text.
    """
    if content is None:
        raise UnreadableError(message("check_problem_missing"))
    if len(content) > limits.max_bytes:
        most = round(limits.max_bytes / 1024**2)
        raise UnreadableError(message("check_problem_large", limit=most))
    text, warnings = _decoded(content)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if text.isspace() or not text:
        raise UnreadableError(message("check_problem_empty"))
    return text, warnings


def _decoded(content: bytes) -> tuple[str, list[Message]]:
    if content.startswith(_UTF16_BOMS):
        try:
            return content.decode("utf-16"), [message("check_warn_encoding", encoding="UTF-16")]
        except UnicodeDecodeError:
            raise UnreadableError(message("check_problem_binary")) from None
    if b"\0" in content:
        raise UnreadableError(message("check_problem_binary"))
    content = content.removeprefix(_UTF8_BOM)
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    if _controls(content):
        raise UnreadableError(message("check_problem_binary"))
    warning = message("check_warn_encoding_line", line=line)
    try:
        return content.decode("cp1252"), [warning]
    except UnicodeDecodeError:
        return content.decode("latin-1"), [warning]


def _controls(content: bytes) -> bool:
    """Return whether more than 2 % are control characters, as in binary files."""
    sample = content[:65536]
    text = sample.translate(None, delete=bytes(set(range(32)) - {9, 10, 12, 13, 27}))
    return (len(sample) - len(text)) * 50 > len(sample)


def has_conflict(text: str) -> bool:
    """Return whether the text contains the conflict markers of a merge."""
    if "<<<<<<< " not in text:
        return False
    place = 0
    for mark in ("<<<<<<< ", "=======\n", ">>>>>>> "):
        place = f"\n{text}".find(f"\n{mark}", place)
        if place < 0:
            return False
    return True
