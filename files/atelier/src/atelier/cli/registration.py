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
        description="LTI 1.3 platforms that register themselves, each by an invitation.",
    )
    parser.add_argument("--settings", type=Path, default=DEFAULT_FILE)
    commands = parser.add_subparsers(dest="command", required=True)
    invite = commands.add_parser("invite", help="print a link that one platform can use, once")
    invite.add_argument("key", help="the platform's name in logs and in courses' consumers")
    invite.add_argument("--platform", help="the platform it stands for; by default the key")
    invite.add_argument("--course", action="append", dest="courses", metavar="SLUG",
                        help="a course it may launch, may be repeated; by default all")  # fmt: skip
    invite.add_argument("--trust-email", action="store_true", help="its e-mail addresses are real")
    invite.add_argument("--trust-roles", action="store_true", help="its roles are honoured")
    invite.add_argument("--host", action="append", dest="hosts", metavar="HOST",
                        help="a host that takes its grades besides those it names, may be"
                             " repeated")  # fmt: skip
    invite.add_argument("--hours", type=int, default=24, help="how long the link is good")
    commands.add_parser("list", help="the platforms that registered themselves")
    remove = commands.add_parser("remove", help="forget one of them")
    remove.add_argument("key")
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
