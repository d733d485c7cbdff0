"""`make bench`: print the figures of the running demo."""

from __future__ import annotations

import statistics
import sys
import time
from uuid import uuid4

import httpx
from kit.demo import Demo
from kit.learner import Seat
from world import demo as world_demo
from world import paths, playbook
from world.notes import read_json
from world.run import WorldError, fail, say
from world.target import Target

from benchmarks import click, memory, stock
from benchmarks.figures import line

ROUNDS = 10  # the first, with cold caches, is left out
SETTLE_SECONDS = 15


def site() -> list[str]:
    """Time an unchanged run of site.yml; recall the first one, timed by `make demo`."""
    outcome = playbook.run(
        "playbooks/site.yml",
        ["-i", "inventories/demo", "-e", f"@{world_demo.VARS}"],
        log=paths.RESULTS / "bench-site.log",
    )
    if outcome.changed:
        raise WorldError(
            f"site.yml changed {outcome.changed} things on a demo that was up to date."
        )
    first = read_json(world_demo.TIMINGS)
    names = {"first_seconds": "site_first", "first_cached_seconds": "site_first_cached_image"}
    return [
        *(line(name, first[key], None, "s") for key, name in names.items() if key in first),
        line("site_unchanged", outcome.seconds, None, "s"),
    ]


def container(target: Target, seat: Seat) -> str:
    """Return the name of the container that serves a seat."""
    names = target.run("docker", "ps", "--format", "{{.Names}}").splitlines()
    (found,) = [name for name in names if seat.user in name]
    return found


def clicks(demo: Demo, base: str) -> list[str]:
    """Time clicks, ours and stock by turns, first and returning entries; then weigh one of each."""
    times: dict[str, list[float]] = {"ours": [], "stock": [], "ours again": [], "stock again": []}
    target = demo.target
    weights: dict[str, float] = {}
    for number in range(ROUNDS):
        last = number == ROUNDS - 1
        user = f"bench{uuid4().hex[:8]}"
        for kind in ("ours", "stock"):
            with _client(demo, kind) as client:
                for suffix in ("", " again"):
                    if kind == "ours":
                        seconds, seat = click.ours(demo, client, user)
                    else:
                        seconds, seat = _stock(target, base, client, user)
                    times[kind + suffix].append(seconds)
                    say(f"   {kind}{suffix}: {seconds:.2f} s")
                    if suffix and last:
                        click.end_kernels(seat)
                        time.sleep(SETTLE_SECONDS)
                        weights[kind] = memory.of_container(target, container(target, seat))
                    seat.stop()
    middle = {name: statistics.median(values[1:]) for name, values in times.items()}
    hub_peer = _stock_hub_memory(target)
    return [
        line("click_to_notebook_first_entry", middle["ours"], middle["stock"], "s"),
        line("click_to_notebook", middle["ours again"], middle["stock again"], "s"),
        line("memory_hub", memory.of_unit(target, "atelier-hub"), hub_peer["hub"], "MiB"),
        line("memory_proxy", memory.of_unit(target, "atelier-proxy"), hub_peer["proxy"], "MiB"),
        line("memory_desk", memory.of_unit(target, "atelier-desk"), None, "MiB"),
        line("memory_idle_learner", weights["ours"], weights["stock"], "MiB"),
    ]


def _stock(target: Target, base: str, client: httpx.Client, user: str) -> tuple[float, Seat]:
    """Time a click of the stock hub; a server that did not start is told, and started again."""
    try:
        return click.stock(base, client, user)
    except AssertionError as error:
        say(f"   stock: {error}; once more. It said:\n{stock.last_words(target)}")
        return click.stock(base, client, user)


def _client(demo: Demo, kind: str) -> httpx.Client:
    return demo.client() if kind == "ours" else httpx.Client(trust_env=False, timeout=120)


def _stock_hub_memory(target: Target) -> dict[str, float]:
    """Weigh the stock hub and the proxy it has started, each alone."""
    whole = memory.of_unit(target, stock.UNIT)
    pid = target.run("cat", f"{stock.FOLDER}/proxy-pid")
    proxy = memory.of_process(target, pid)
    return {"hub": whole - proxy, "proxy": proxy}


def main() -> int:
    """Print all figures, at the end, together; or those of one part: `site` or `clicks`."""
    parts = sys.argv[1:] or ["site", "clicks"]
    figures = []
    paths.RESULTS.mkdir(exist_ok=True)
    demo = Demo.read(world_demo.DETAILS)
    try:
        if "site" in parts:
            figures += site()
        if "clicks" in parts:
            with stock.running(demo.target, demo.course) as base:
                figures += clicks(demo, base)
    except WorldError as error:
        return fail(error)
    (paths.RESULTS / "bench.txt").write_text("\n".join(figures) + "\n")
    say("\n".join(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
