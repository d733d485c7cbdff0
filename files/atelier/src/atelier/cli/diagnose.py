"""Command ``atelier-diagnose REFERENCE``: prints the log lines of a refused launch."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable

UNIT = "atelier-hub"
ADVICE = {
    "launch_shape": "The platform sent no LTI 1.1 launch: look at the LTI version of the link.",
    "launch_nobody": "Try the link in the LMS (View live), not in Studio's preview.",
    "launch_consumer": "Add this key to atelier_consumers, or correct it in the LMS.",
    "launch_time": "Set both clocks by NTP. A page that stays open too long does it, too.",
    "launch_signature": "Correct what is named above. Nothing named: paste the secret again.",
    "launch_replay": "Nothing to mend: a second click, or a launch page loaded again.",
    "course_unknown": "Correct the link's parameter course, or let this key launch that course.",
    "course_needed": "Add course=<slug> to the link's custom parameters.",
    "target_unknown": "Correct the link's parameter target or exercise.",
    "path_wrong": "Correct the link's parameter path: a file inside the course's repository.",
    "diagnosis_staff": "Set trust_roles: true for this key, and come with a team's role.",
}
_REFUSED = re.compile(r"launch refused \[(?P<reference>[0-9a-f]{8})\] (?P<key>\w+): ")


def journal(reference: str) -> str:
    """Return the lines of the hub's log that contain a reference.

    Raises:
        OSError: journalctl cannot be run.
    """
    command = ["journalctl", "--unit", UNIT, "--output", "cat", "--no-pager", "--grep", reference]
    done = subprocess.run(  # noqa: S603 (a reference is eight hexadecimal digits)
        command, capture_output=True, text=True, check=False
    )
    return done.stdout


def main(argv: list[str] | None = None, read: Callable[[str], str] = journal) -> int:
    """Print the log line of a reference and a piece of advice; return 1 if there is none.

    Args:
        argv: the command line.
        read: returns the log's lines that contain a reference.
    """
    parser = argparse.ArgumentParser(
        prog="atelier-diagnose",
        description="Explain why a launch was refused, by the reference on the learner's page.",
    )
    parser.add_argument("reference", help="the reference, eight characters such as 1a2b3c4d")
    reference = parser.parse_args(argv).reference.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{8}", reference):
        print("A reference is eight characters, 0-9 and a-f: copy it again.", file=sys.stderr)
        return 1
    try:
        lines = read(reference).splitlines()
    except OSError as error:
        print(f"The log cannot be read: {error}", file=sys.stderr)
        return 1
    for line in lines:
        found = _REFUSED.search(line)
        if found and found["reference"] == reference:
            print(line)
            print(ADVICE.get(found["key"], "See docs/lms.md."))
            return 0
    print(
        f"The log of {UNIT} has no refused launch {reference}: run this as root, on the server,"
        " before its log is rotated.",
        file=sys.stderr,
    )
    return 1
