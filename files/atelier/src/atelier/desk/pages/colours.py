"""Syntax highlighting of comments, strings, numbers and keywords by regular expressions.

Learners' code is untrusted input. The patterns never backtrack over long texts, so that the time is
linear in the length of the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Tokens = list[tuple[str, str]]
"""(CSS class or empty, text)."""

_PYTHON_WORDS = """
    False None True and as assert async await break class continue def del elif else except finally
    for from global if import in is lambda match nonlocal not or pass raise return try while with
    yield
"""
_R_WORDS = """
    if else repeat while function for in next break TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_
    NA_complex_ NA_character_
"""
_SHELL_WORDS = """
    if then elif else fi for while until do done case esac in function select time return exit
    export local readonly
"""
# Loops are unrolled (plain characters, then each exception followed by plain characters), and what
# follows a loop always matches, so that loops do not backtrack. Possessive quantifiers would be
# shorter, but are buggy in Debian 12's Python 3.11.2.
_NUMBER = r"(?P<m>\.?\d(?:[eE][+-]?\d|[\w.])*)"
_QUOTED = r"""'[^'\\]*(?:\\.[^'\\]*)*'?|"[^"\\]*(?:\\.[^"\\]*)*"?"""
_QUOTED_IN_LINE = r"""'[^'\\\n]*(?:\\.[^'\\\n]*)*'?|"[^"\\\n]*(?:\\.[^"\\\n]*)*"?"""
_TRIPLE = (
    r"'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*(?:'''|\\?\Z)"
    r'|"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:"""|\\?\Z)'
)


def _language(words: str, strings: str, comment: str, name: str) -> re.Pattern[str]:
    keywords = "|".join(words.split())
    return re.compile(
        rf"(?P<c>{comment})|(?P<s>{strings})|{_NUMBER}|(?P<k>(?:{keywords})(?!{name}))|{name}+",
        re.DOTALL,
    )


_PYTHON = _language(
    _PYTHON_WORDS,
    rf"(?:[rRbBuUfFtT]{{1,2}}(?=['\"]))?(?:{_TRIPLE}|{_QUOTED_IN_LINE})",
    r"\#[^\n]*",
    r"\w",
)
_R = _language(_R_WORDS, rf"{_QUOTED}|`[^`\n]*`?", r"\#[^\n]*", r"[\w.]")
_SHELL = _language(
    _SHELL_WORDS,
    r"""'[^']*'?|"[^"\\]*(?:\\.[^"\\]*)*"?""",
    r"(?<![\w$\\\#{])\#[^\n]*",
    r"[\w-]",
)
_LANGUAGES = {
    "python": _PYTHON,
    "ipython": _PYTHON,
    "r": _R,
    "bash": _SHELL,
    "sh": _SHELL,
    "shell": _SHELL,
}


def knows(language: str) -> bool:
    """Return whether a language can be highlighted."""
    return language.lower() in _LANGUAGES


def coloured(code: str, language: str) -> Iterator[tuple[str, str]]:
    """Split code into pieces (CSS class, text); the texts together are the code.

    Args:
        code: any text.
        language: a language for which :func:`knows` returns True.
    """
    at = 0
    for found in _LANGUAGES[language.lower()].finditer(code):
        if found.lastgroup is not None:
            if found.start() > at:
                yield "", code[at : found.start()]
            yield found.lastgroup, found[0]
            at = found.end()
    if at < len(code):
        yield "", code[at:]
