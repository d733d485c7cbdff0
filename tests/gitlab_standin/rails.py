"""``gitlab-rails``: ``python -m gitlab_standin.rails --root DIR runner SCRIPT|FILE|-``."""

import argparse
import sys
from pathlib import Path

from gitlab_standin import config
from gitlab_standin.database import Database
from gitlab_standin.paths import Paths
from gitlab_standin.rails_runner import bridge
from gitlab_standin.site import Site


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="gitlab-rails", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"))
    parser.add_argument("command", choices=["runner", "r"])
    parser.add_argument("-e", "--environment", default="production")
    parser.add_argument("script", help="Ruby, the name of a file with it, or - for standard input")
    arguments = parser.parse_args()
    paths = Paths(arguments.root.resolve())
    if not paths.settings.exists():
        print("GitLab is not configured yet: run gitlab-ctl reconfigure first.", file=sys.stderr)
        return 1
    database = Database(paths.database)
    try:
        return bridge.run(Site(paths, config.load(paths.settings), database), arguments.script)
    finally:
        database.close()


if __name__ == "__main__":
    sys.exit(main())
