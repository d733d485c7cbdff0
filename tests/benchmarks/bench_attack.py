"""`make bench-attack`: the hub's median answer under attack (ours) beside its quiet one (peer).

On a small site of this machine behind nginx, as it is. A ratio of 0.5 means that answers take twice
as long; no less is the goal. What learners' checks cost the hub is in `make bench-check`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from kit.framed_site import FramedSite
from kit.platform11 import Visitor
from kit.site import free_port
from kit.web_server import DOMAIN, WebServer
from world import paths
from world.run import say

from benchmarks.attack import ATTACKS, Aim, Attack
from benchmarks.figures import line
from benchmarks.probe import Probe

SECONDS = 8.0
GOAL = 0.5


def open_site(stack: ExitStack, folder: Path) -> tuple[FramedSite, Aim]:
    """A site behind nginx, and a learner whose server runs."""
    for name in ("web", "site"):
        (folder / name).mkdir()
    web = WebServer(folder / "web")
    site = FramedSite(folder / "site", web)
    site.forked = False
    config = site.root / "jupyterhub_config.py"
    config.write_text(config.read_text().replace('"DEBUG"', '"INFO"'))
    stack.enter_context(web.running(hub=site.proxy_port, gitlab=free_port(), lms=free_port()))
    stack.callback(site.close)
    site.start_all()
    learner = Visitor(web.hub_url, site.consumer_secret, "attacked")
    learner.browser = web.browser(headers={"Accept": "*/*"})
    learner.launch()
    server = f"/user/{learner.username}/demo/"
    return site, Aim(web.port, f"hub.{DOMAIN}", site.hub_port, site.desk_port, server)


def median(site: FramedSite) -> float:
    """The hub's median answer for some seconds, in milliseconds."""
    with Probe(f"{site.hub_url}/hub/api/") as probe:
        time.sleep(SECONDS)
    return statistics.median(probe.times)


def main() -> int:
    """Print the figures, or those of the attacks named; 1 when one doubles the hub's answers."""
    paths.RESULTS.mkdir(exist_ok=True)
    figures, worst = [], 1.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-attack")))
        site, aim = open_site(stack, folder)
        median(site)  # warm
        for name in sys.argv[1:] or ATTACKS:
            quiet = median(site)
            with Attack(name, aim):
                attacked = median(site)
            worst = min(worst, quiet / attacked)
            figures.append(line(f"under_attack_{name}", attacked, quiet, "ms"))
            say(f"   {figures[-1]}")
    text = "\n".join(figures)
    (paths.RESULTS / "bench-attack.txt").write_text(text + "\n")
    say(text)
    return 1 if worst < GOAL else 0


if __name__ == "__main__":
    sys.exit(main())
