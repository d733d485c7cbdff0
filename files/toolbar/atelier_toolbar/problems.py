"""What can keep a command from doing its work, as a code the front has sentences for."""

from __future__ import annotations

from typing import Any, Literal

Code = Literal[
    "not_a_clone",
    "no_branch",
    "unfinished",
    "no_identity",
    "nothing",
    "too_large",
    "bad_name",
    "offline",
    "too_often",
    "denied",
    "refused",
    "busy",
    "disk_full",
    "too_much",
    "moving",
    "no_exercise",
    "check_page",
    "check_refused",
    "check_away",
    "failed",
]


class Problem(Exception):  # noqa: N818 (it is told to people more often than it is an error)
    """A command ends here; nothing is lost. The package's docstring lists codes and details."""

    def __init__(self, code: Code, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details

    def as_json(self) -> dict[str, Any]:
        """Return the problem as the front gets it."""
        return {"code": self.code, **self.details}
