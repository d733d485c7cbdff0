"""Versions that are on no branch: reachable for a stated time, so that no clone grows for ever.

The rules are pure (:func:`plan`). The machine's clock may be wrong, so none of them lets go of
anything at first sight: what looks old is set aside first, and goes when it still looks old to a
later command, `NOTICE_DAYS` of the clock's later.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from atelier_toolbar.repository import Repository

KEPT = "refs/atelier/kept/"
"""`<time>-<commit>`: a version, since then."""
ASIDE = "refs/atelier/old/"
"""`<time>/<name below KEPT>`: a version that looked old at that time."""
DAYS = 90
"""A version stays so long, at least."""
NOTICE_DAYS = 30
"""And so long after it was set aside."""
ALWAYS = 50
"""As many of the newest stay for ever."""
MANY = 500
"""As many are set aside or let go by one command, at most: nobody waits for it."""

_DAY = 86400
_STAMP = "%Y%m%dT%H%M%S"
_KEPT = re.compile(rf"{KEPT}(?P<since>\d{{8}}T\d{{6}})-[0-9a-f]+")
_ASIDE = re.compile(
    rf"{ASIDE}(?P<noticed>\d{{8}}T\d{{6}})/(?P<name>(?P<since>\d{{8}}T\d{{6}})-[0-9a-f]+)"
)


@dataclass
class Plan:
    """What becomes of references: other names, or none any more."""

    renamed: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


def stamp(now: float) -> str:
    """A time as it stands in names; names sort as their times do."""
    return time.strftime(_STAMP, time.gmtime(now))


def plan(names: Iterable[str], now: float) -> Plan:
    """Say which versions are set aside, brought back, or let go.

    Args:
        names: references below `refs/atelier/`; others than ours are left alone.
        now: seconds since 1970, by a clock that may be wrong.
    """
    made = Plan()
    today, old, waited = (stamp(now - days * _DAY) for days in (0, DAYS, NOTICE_DAYS))
    kept = []
    for name in names:
        if _KEPT.fullmatch(name):
            kept.append(name)
        elif aside := _ASIDE.fullmatch(name):
            if aside["since"] >= old:  # the clock was wrong when it looked old
                made.renamed[name] = KEPT + aside["name"]
            elif aside["noticed"] > today:
                made.renamed[name] = f"{ASIDE}{today}/{aside['name']}"
            elif aside["noticed"] < waited:
                made.dropped.append(name)
    for name in sorted(kept)[:-ALWAYS]:
        since = name.removeprefix(KEPT)
        if since < old:
            made.renamed[name] = f"{ASIDE}{today}/{since}"
    return made


def keep(repository: Repository, commit: str) -> None:
    """Make a commit reachable, and let go of what was kept long enough.

    Raises:
        Problem: as :meth:`Repository.must`; only of the first.
    """
    now = time.time()
    repository.must("update-ref", f"{KEPT}{stamp(now)}-{commit[:12]}", commit)
    listed = repository.run("for-each-ref", "--format=%(refname) %(objectname)", "refs/atelier/")
    known = dict(line.split(" ") for line in listed.out.splitlines())
    made = plan(known, now)
    lines = []
    for name, new in list(made.renamed.items())[:MANY]:
        # git makes before it deletes: a kill in between leaves both names
        lines += [f"update {new} {known[name]}", f"delete {name} {known[name]}"]
    lines += [f"delete {name} {known[name]}" for name in made.dropped[:MANY]]
    if lines:
        repository.run("update-ref", "--stdin", given="".join(f"{x}\n" for x in lines).encode())
