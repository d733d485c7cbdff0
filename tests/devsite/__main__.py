"""`python -m devsite`: run the site in the foreground, and follow changes until Ctrl+C."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from kit.site import SOURCE, StartError
from world import paths
from world.dev import alone
from world.run import WorldError, fail, interruption, quoted, say

from devsite.people import LISTED, PEOPLE, PLACES, address
from devsite.site import FIRST_MODULES, STOP_SECONDS, DevSite
from devsite.sources import Sources, Stamps, mistakes

LOOK_EVERY_SECONDS = 0.25
SETTLED_SECONDS = 0.05
START_SECONDS = 30
QUOTED_LINES = 30


def _shown(path: Path) -> str:
    return str(path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path)


def _card(site: DevSite, seconds: float) -> None:
    links = []
    for person, places in LISTED.items():
        known = PEOPLE[person]
        links.append(f"   {known.name} ({'teacher' if known.roles == 'Instructor' else 'learner'})")
        links += [
            f"      {PLACES[place].text:32}{address(site.page_url, person, place)}"
            for place in places
        ]
    listed = "\n".join(links)
    say(f"""
==> The site is up ({seconds:.1f} s). Ctrl+C stops it.

   course page   {site.page_url}/
   hub           {site.hub_url}/
   GitLab        {site.gitlab_url}/     (root, {_shown(site.root / "secrets/gitlab_root_password")})

   Links that sign in, one person at a time in one browser:
{listed}

   Hub and desk follow changes in {_shown(site.source)}; logs are in {_shown(site.root / "log")}.
""")


class Follower:
    """Starts hub and desk again when their code changes.

    Args:
        site: whose processes they are.
    """

    def __init__(self, site: DevSite) -> None:
        self._site = site
        self._sources = Sources(site.source, FIRST_MODULES)
        self.packages = self._sources.of_others()
        self._seen = self._sources.stamps()
        self._waiting: set[Path] = set()

    def run(self) -> NoReturn:
        """Follow changes until interrupted."""
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            for name, code in self._site.ended().items():
                self._tell_end(name, f"the {name} ended with code {code}")
            now = self._sources.stamps()
            if now != self._seen:
                began = time.monotonic()
                now = self._settled(now)
                self._waiting |= {*self._sources.changed(self._seen, now)}
                self._seen = now
                self._follow(sorted(self._waiting), began)

    def _settled(self, now: Stamps) -> Stamps:
        """Return what there is once an editor has written all that it writes together."""
        while True:
            time.sleep(SETTLED_SECONDS)
            before, now = now, self._sources.stamps()
            if before == now:
                return now

    def _follow(self, changed: Sequence[Path], began: float) -> None:
        wrong = mistakes(changed)
        what = changed[0].relative_to(self._site.source)
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        if wrong:
            say(f"{what}{more}: nothing is started again\n{quoted(wrong.splitlines())}")
            return
        self._waiting.clear()
        names = self._sources.users(changed)
        self._site.stop_together(names, STOP_SECONDS)
        self._site.launch(names)
        for name in names:
            try:
                self._site.wait_for(name, START_SECONDS)
            except StartError:
                self._site.ended()
                self._tell_end(name, f"{what}{more}: the {name} does not start")
            else:
                say(f"{what}{more}: {name} reloaded in {time.monotonic() - began:.1f} s")

    def _tell_end(self, name: str, what: str) -> None:
        last = self._site.log(name).splitlines()[-QUOTED_LINES:]
        say(f"{what}; it starts again with the next change\n{quoted(last)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make dev", description=__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        default=paths.DEV,
        help="directory of its state (default: %(default)s)",
    )
    parser.add_argument(
        "--source", type=Path, default=SOURCE, help="directory with the package atelier"
    )
    parser.add_argument(
        "--attach",
        choices=("", *FIRST_MODULES),
        default="",
        help="process that gets this terminal, for a debugger",
    )
    parser.add_argument("--any-port", action="store_true", help="use any free ports")
    return parser.parse_args()


def main() -> int:
    """Run until interrupted. Returns an exit code."""
    options = _options()
    began = time.monotonic()
    interruption.install()
    try:
        lock = alone(options.folder.absolute())
        os.register_at_fork(after_in_child=lock.close)  # hub and desk may outlive a kill of this
    except WorldError as error:
        return fail(error)
    say("==> starting GitLab's stand-in, proxy, hub, desk and course page")
    site: DevSite | None = None
    try:
        site = DevSite(
            options.folder.absolute(),
            options.source.absolute(),
            options.attach,
            any_port=options.any_port,
        )
        follower = Follower(site)  # notes what the code is before it is loaded
        site.up(follower.packages)
        _card(site, time.monotonic() - began)
        follower.run()
    except (WorldError, StartError) as error:
        kept = _shown(options.folder.absolute())
        return fail(WorldError(f"{error}\n  What was kept may be too old: rm -r {kept} and again."))
    except KeyboardInterrupt:
        return 0  # its usual end
    finally:
        with interruption.held():  # a second Ctrl+C must not leave half of it running
            say("\n==> stopping")
            if site is not None:
                site.close()
            lock.close()


if __name__ == "__main__":
    sys.exit(main())
