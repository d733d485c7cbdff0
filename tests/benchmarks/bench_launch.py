"""`make bench-launch`: launches through nginx and proxy, ours and ltiauthenticator's by turns.

Both hubs are the same software on the same machine, behind the same web server's settings.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from kit.framed_site import FramedSite
from kit.site import free_port
from kit.stock_site import StockHub
from kit.web_server import WebServer
from world import paths
from world.run import say

from benchmarks import crowd
from benchmarks.figures import line

ROUNDS = 4
LEARNERS = 100
"""Of each round; they come twice."""
RUSH_LEARNERS = 1000
RUSH_SECONDS = 60.0
RUSH_LIMIT_SECONDS = 5.0


def p95(times: list[float]) -> float:
    """The time that 95 of 100 keep."""
    return statistics.quantiles(times, n=20)[-1]


def open_halls(stack: ExitStack, folder: Path) -> dict[str, crowd.Hall]:
    """Start both hubs, each behind an nginx of its own."""
    halls = {}
    for name in ("ours", "stock"):
        for part in ("web", "site"):
            (folder / name / part).mkdir(parents=True)
        # As stock: on one origin.
        web = WebServer(folder / name / "web", notebooks=None)
        if name == "ours":
            site = FramedSite(folder / name / "site", web)
            site.forked = False
            config = site.root / "jupyterhub_config.py"
            config.write_text(config.read_text().replace('"DEBUG"', '"INFO"'))  # as stock
            stack.enter_context(
                web.running(hub=site.proxy_port, gitlab=free_port(), lms=free_port())
            )
            stack.callback(site.close)
            site.start_all()
            secret = site.consumer_secret
        else:
            hub = StockHub(folder / name / "site")
            port = int(hub.hub_url.rsplit(":", 1)[1])
            stack.enter_context(web.running(hub=port, gitlab=free_port(), lms=free_port()))
            stack.callback(hub.stop)
            hub.start()
            secret = hub.consumers["campus"]
        halls[name] = crowd.Hall(web.hub_url, secret, web.tls)
    return halls


def by_turns(halls: dict[str, crowd.Hall]) -> list[str]:
    """First and returning learners, ours and stock one after the other."""
    whole: dict[tuple[str, str], list[float]] = {}
    each: dict[tuple[str, str], list[float]] = {}
    for number in range(ROUNDS):
        learners = [secrets.token_hex(8) for _ in range(LEARNERS)]
        turns = ("ours", "stock") if number % 2 else ("stock", "ours")
        for kind in ("first", "returning"):
            for name in turns:
                seconds, times = crowd.abreast(halls[name], learners)
                say(f"   {kind} {name}: {LEARNERS / seconds:.0f} launches a second")
                whole.setdefault((kind, name), []).append(seconds / LEARNERS * 1000)
                each.setdefault((kind, name), []).extend(times)
    figures = []
    for kind in ("first", "returning"):
        ours, stock = (statistics.median(whole[kind, name]) for name in ("ours", "stock"))
        figures.append(line(f"launch_{kind}", ours, stock, "ms"))
        say(f"   {kind}: {1000 / ours:.0f} launches a second, stock {1000 / stock:.0f}")
        ours, stock = (p95(each[kind, name]) * 1000 for name in ("ours", "stock"))
        figures.append(line(f"launch_{kind}_p95", ours, stock, "ms"))
    return figures


def in_a_rush(hall: crowd.Hall) -> tuple[list[str], int]:
    """A whole class within a minute. Returns the figures and how many were let down."""
    learners = [secrets.token_hex(8) for _ in range(RUSH_LEARNERS)]
    times, errors = crowd.rush(hall, learners, RUSH_SECONDS)
    for error in errors[:5]:
        say(f"   {error}")
    late = sum(seconds > RUSH_LIMIT_SECONDS for seconds in times)
    say(f"   {len(times)} arrived, {len(errors)} errors, {late} after {RUSH_LIMIT_SECONDS:.0f} s")
    return [line("launch_rush_p95", p95(times), None, "s")], len(errors)


def main() -> int:
    """Print the figures; 1 when somebody was let down in the rush."""
    paths.RESULTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-launch")))
        halls = open_halls(stack, folder)
        figures = by_turns(halls)
        of_rush, errors = in_a_rush(halls["ours"])
    text = "\n".join([*figures, *of_rush])
    (paths.RESULTS / "bench-launch.txt").write_text(text + "\n")
    say(text)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
