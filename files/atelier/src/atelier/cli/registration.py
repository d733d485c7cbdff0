"""Command ``atelier-registration``: invites, lists and removes LTI 1.3 platforms."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from atelier.config.invitations import Invitation, Invitations
from atelier.config.models import DEFAULT_FILE, Settings, SettingsError, load


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="atelier-registration",
        description="Manage the LTI 1.3 platforms that register by an invitation.",
    )
    parser.add_argument(
        "--settings",
        type=Path,
        default=DEFAULT_FILE,
        help="the site's settings (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    invite = commands.add_parser(
        "invite", help="print a link with which one platform can register once"
    )
    invite.add_argument(
        "key", help="key of the registration, in logs and in the courses' consumers"
    )
    invite.add_argument("--platform", help="platform whose users these are (default: the key)")
    invite.add_argument(
        "--course",
        action="append",
        dest="courses",
        metavar="SLUG",
        help="a course that it may launch; may be repeated (default: all)",
    )
    invite.add_argument(
        "--trust-email", action="store_true", help="trust its users' e-mail addresses"
    )
    invite.add_argument(
        "--trust-roles",
        action="store_true",
        help="trust its roles: teachers see all answers",
    )
    invite.add_argument(
        "--host",
        action="append",
        dest="hosts",
        metavar="HOST",
        help="another host that takes its grades; may be repeated",
    )
    invite.add_argument(
        "--hours", type=int, default=24, help="validity of the link, hours (default: %(default)s)"
    )
    commands.add_parser("list", help="list the platforms that have registered")
    remove = commands.add_parser("remove", help="remove a platform's registration")
    remove.add_argument("key", help="key of the registration")
    return parser.parse_args(argv)


def _invite(joined: Invitations, settings: Settings, options: argparse.Namespace) -> int:
    until = int(time.time()) + options.hours * 3600
    invitation = Invitation(
        key=options.key,
        platform=options.platform or options.key,
        courses=options.courses,
        trust_email=options.trust_email,
        trust_roles=options.trust_roles,
        hosts=options.hosts or (),
        expires=until,
    )
    code = joined.invite(invitation)
    print(f"{settings.site.hub_url}/hub/lti13/register/{code}")
    ends = datetime.fromtimestamp(until, UTC).isoformat(timespec="minutes")
    print(f"note: good once, until {ends}: paste it where the LMS asks for the tool's"
          " registration address", file=sys.stderr)  # fmt: skip
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command; return 0 on success, else 1 with the reason on stderr."""
    options = _arguments(argv)
    try:
        settings = load(Settings, options.settings)
        joined = Invitations(settings.paths.joined)
        if options.command == "invite":
            return _invite(joined, settings, options)
        if options.command == "remove":
            if joined.remove(options.key):
                return 0
            print(f"no platform {options.key!r} registered itself", file=sys.stderr)
            return 1
        for one in joined.known().registrations:
            print(f"{one.key}\t{one.platform}\t{one.issuer}\t{', '.join(one.client_ids)}")
    except ValidationError as error:
        wrong = error.errors()[0]
        print(f"{wrong['loc'][0]}: {wrong['msg']}", file=sys.stderr)
        return 1
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
