"""Command ``atelier-course``: fetches, checks and publishes a course, and shows its status."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from atelier.cli.environment import environment_language
from atelier.courses.publish import STATE, Paths, Pipeline, PipelineError, locked
from atelier.courses.settings import CourseSource, SourceError, read_source
from atelier.courses.status import Status
from atelier.exercises.model import message
from atelier.i18n.translate import LANGUAGES, Language, say

SOURCES = Path("/etc/atelier/sources.d")
WAIT_SECONDS = 600.0
STEPS = {
    "pull": "fetch the source; learners keep the published commit",
    "check": "check the fetched commit",
    "publish": "check the fetched commit and publish it",
    "update": "pull, check and publish",
    "status": "show which commit is published, fetched or refused",
}
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="atelier-course", description="Fetch, check and publish a course."
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, what in STEPS.items():
        step = commands.add_parser(name, help=what)
        step.add_argument("slug", help="the course's slug")
        step.add_argument("--json", action="store_true", help="print the result as JSON")
        step.add_argument(
            "--lang",
            choices=LANGUAGES,
            help="language of the messages (default: the environment's)",
        )
        step.add_argument(
            "--state",
            type=Path,
            default=STATE,
            help="directory of the course's repositories and status (default: %(default)s)",
        )
        if name == "status":
            continue
        step.add_argument(
            "--settings",
            metavar="FILE",
            help=f"the course's settings; - for standard input (default: {SOURCES}/<slug>.yml)",
        )
        step.add_argument(
            "--dry-run", action="store_true", help="show what would change, and change nothing"
        )
        step.add_argument(
            "--wait",
            type=float,
            default=WAIT_SECONDS,
            help="maximum time to wait for another run, seconds (default: %(default)s)",
        )
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command; return 0 on success, else 1 with the problems on stderr."""
    options = parser().parse_args(argv)
    lang = environment_language(options.lang)
    paths = Paths(options.state, options.slug)
    if options.command == "status":
        return _status(paths, options, lang)
    # Learners' servers read the mirror as another user.
    os.umask(0o022)
    proxies = take_proxies()
    changes: list[dict[str, Any]] = []
    staff: list[str] = []
    status: dict[str, Any] = {}
    failure: PipelineError | None = None
    try:
        settings = _settings(options)
        with (
            locked(paths, options.wait, options.dry_run) as lock,
            Pipeline(
                settings, paths, lock=lock, proxies=proxies, dry_run=options.dry_run
            ) as pipeline,
        ):
            try:
                getattr(pipeline, options.command)()
            finally:
                changes = [vars(change) for change in pipeline.changes]
                staff, status = pipeline.missing_staff, pipeline.status.data
    except PipelineError as error:
        failure = error
    if options.json:
        answer = {"changed": bool(changes), "changes": changes, "missing_staff": staff}
        print(json.dumps({**answer, "status": status}))
    elif failure is None:
        print("\n".join(_change_lines(changes, lang)))
    if failure is not None:
        print(failure.say(lang), file=sys.stderr)
        return 1
    return 0


def take_proxies() -> dict[str, str]:
    """Remove proxies from the environment and return them: only external sources need them."""
    names = [name for name in os.environ if name.lower() in _PROXIES]
    return {name: os.environ.pop(name) for name in names}


def _settings(options: argparse.Namespace) -> CourseSource:
    """Read the course's file.

    Raises:
        PipelineError: the file does not exist or is unusable.
    """
    origin = options.settings or str(SOURCES / f"{options.slug}.yml")
    try:
        text = sys.stdin.read() if origin == "-" else Path(origin).read_text(encoding="utf-8")
        settings = read_source(text, origin)
    except FileNotFoundError:
        raise PipelineError(message("publish_no_settings", path=origin)) from None
    except (OSError, UnicodeDecodeError, SourceError) as error:
        raise PipelineError(message("publish_settings", why=str(error))) from None
    if settings.slug != options.slug:
        fields = {"origin": origin, "found": settings.slug, "slug": options.slug}
        raise PipelineError(message("publish_other_slug", **fields))
    return settings


def _status(paths: Paths, options: argparse.Namespace, lang: Language) -> int:
    status = Status(paths.status, options.slug)
    print(json.dumps(status.data) if options.json else "\n".join(status.lines(lang)))
    return 0


def _change_lines(changes: list[dict[str, Any]], lang: Language) -> list[str]:
    if not changes:
        return [say("publish_unchanged", lang)]
    return [
        say("publish_changed", lang, **{name: value or "-" for name, value in one.items()})
        for one in changes
    ]
