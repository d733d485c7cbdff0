"""The status of a course's pipeline: the live commit, the fetched one, and the refused one.

``/var/lib/atelier/pipeline/<slug>.json`` is for the command ``atelier-course status`` and for the
desk's pages. It is replaced by an atomic rename.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from atelier.courses.declaration import read_json, write_json
from atelier.courses.rules import Finding
from atelier.exercises.model import Message
from atelier.i18n.translate import DEFAULT, LANGUAGES, Language, say

VERSION = 1


def now() -> str:
    """Return the current time (ISO 8601, UTC)."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Status:
    """A course's status.

    Attributes:
        data: content of the file. ``live`` is ``{commit, at}`` or null; ``fetched`` is
            ``{commit, at, source}`` or null; ``checked`` is ``{commit, rules, at}`` of the last
            commit that passed, or null; ``gitlab`` is ``{state, commit, at}`` or null; ``looked``
            is the time at which the source was last read, or null; ``refused`` is
            ``{commit, at, findings: [{file, line, where, fr, en}]}`` or null; ``error`` is the
            error of the last run, ``{step, at, code, fr, en}``, or null. Sentences are stored in
            each language of the site.
    """

    def __init__(self, path: Path, slug: str) -> None:
        self.path = path
        empty = dict.fromkeys(("live", "fetched", "checked", "gitlab", "looked", "refused"))
        self.data: dict[str, Any] = {"version": VERSION, "course": slug, **empty, "error": None}
        try:
            found = read_json(path)
        except (OSError, ValueError):
            found = None  # the next step writes the file again
        if found is not None and found.get("version") == VERSION:
            self.data.update(found)

    def save(self) -> None:
        """Write the file."""
        write_json(self.path, self.data)

    def fetched(self, commit: str, source: str) -> None:
        """Record the source's commit."""
        self.data["looked"] = now()
        known = self.data["fetched"] or {}
        if (known.get("commit"), known.get("source")) != (commit, source):
            self.data["fetched"] = {"commit": commit, "at": now(), "source": source}

    def passed(self, commit: str, rules: str) -> None:
        """Record that a commit has passed the check."""
        self.data["refused"] = None
        self.data["checked"] = {"commit": commit, "rules": rules, "at": now()}

    def has_passed(self, commit: str, rules: str) -> bool:
        """Return whether a commit has passed the check under the same rules."""
        known = self.data["checked"] or {}
        return (known.get("commit"), known.get("rules")) == (commit, rules)

    def refused(self, commit: str, findings: list[Finding]) -> None:
        """Record that a commit has failed the check."""
        listed = [one.to_json() for one in findings]
        self.data["refused"] = {"commit": commit, "at": now(), "findings": listed}

    def live(self, commit: str | None) -> None:
        """Record the mirror's commit."""
        known = self.data["live"] or {}
        if known.get("commit") != commit:
            self.data["live"] = {"commit": commit, "at": now()} if commit else None

    def in_gitlab(self, state: str, commit: str) -> None:
        """Record the state and commit of the template project."""
        known = self.data["gitlab"] or {}
        if (known.get("state"), known.get("commit")) != (state, commit):
            self.data["gitlab"] = {"state": state, "commit": commit, "at": now()}

    def failed(self, step: str, message: Message) -> None:
        """Record the error that ended the run."""
        key, fields = message["key"], message["fields"]
        sentences = {lang: say(key, lang, **fields) for lang in LANGUAGES}
        self.data["error"] = {"step": step, "at": now(), "code": key, **sentences}

    def done(self) -> None:
        """Record that the run succeeded."""
        self.data["error"] = None

    def lines(self, lang: Language) -> list[str]:
        """Return the status as sentences."""
        said = [self._place("live", "publish_live", lang)]
        said.append(self._place("fetched", "publish_fetched", lang))
        if self.data["gitlab"]:
            gitlab = self.data["gitlab"]
            said.append(
                say(f"publish_gitlab_{gitlab['state']}", lang, commit=gitlab["commit"][:12])
            )
        if self.data["looked"]:
            said.append(say("publish_looked", lang, at=self.data["looked"]))
        if self.data["error"] and not self.data["refused"]:
            said.append(f"{self.data['error']['at']}: {_said(self.data['error'], lang)}")
        if self.data["refused"]:
            refused = self.data["refused"]
            fields = {"commit": refused["commit"][:12], "at": refused["at"]}
            said.append(say("publish_refused_commit", lang, **fields))
            said += finding_lines(refused["findings"], lang)
        return said

    def _place(self, name: str, key: str, lang: Language) -> str:
        known = self.data[name]
        if not known:
            return say(f"{key}_none", lang)
        return say(key, lang, **{**known, "commit": known["commit"][:12]})


def finding_lines(findings: list[dict[str, Any]], lang: Language) -> list[str]:
    """Return a line for each finding, such as ``atelier.yml:12: exercises[2].closes: ...``."""
    said = []
    for one in findings:
        place = one["file"] if one["line"] is None else f"{one['file']}:{one['line']}"
        where = f"{one['where']}: " if one["where"] else ""
        said.append(f"{place}: {where}{_said(one, lang)}")
    return said


def _said(one: dict[str, Any], lang: Language) -> str:
    """Return a sentence of the file, in the default language if an older version wrote it."""
    return str(one.get(lang) or one[DEFAULT])
