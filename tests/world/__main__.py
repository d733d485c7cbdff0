"""Command line of the test world: `python -m world ...`, with `tests` on PYTHONPATH."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from world import (
    archive,
    checks,
    demo,
    dev,
    docs,
    front,
    galaxy,
    hooks,
    images,
    paths,
    pins,
    role,
    soak,
    suite,
    venv,
    watch,
    watch_lab,
)
from world.run import WorldError, fail, interruption, say
from world.target import Target


def _images(options: argparse.Namespace) -> bool:
    if options.base:
        return images.ensure_base()
    made = images.ensure_target()
    return (not options.no_standin and images.ensure_standin()) or made


def _target_up(options: argparse.Namespace) -> bool:
    image = images.WARM_TARGET if options.warm else options.image
    if options.warm:
        images.ensure_warm_target()
    elif image == images.TARGET:
        images.ensure_target()
    paths.link_collection()
    return Target(options.name, image, options.publish, options.network, options.keep_images).up()


def _target_down(options: argparse.Namespace) -> bool:
    return Target(options.name).down()


def _collection(_: argparse.Namespace) -> bool:
    say(str(paths.link_collection()))
    return False


def _demo(options: argparse.Namespace) -> bool:
    verbs = {
        "interrupt": demo.interrupt,
        "up": demo.up,
        "down": demo.down,
        "status": demo.status,
    }
    return verbs[options.verb]()


def _scenario(options: argparse.Namespace) -> bool:
    from world import scenario  # needs the tools of the virtual environment

    verbs = {
        "install": galaxy.install,
        "images": scenario.make_images,
        "storm": scenario.storm,
        "verify": scenario.verify,
    }
    return verbs[options.verb]()


def _hook(options: argparse.Namespace) -> int:
    return hooks.run(options.program, options.arguments)


def _role(options: argparse.Namespace) -> int:
    return role.run(options.scenario, options.step)


def _venv(_: argparse.Namespace) -> bool:
    return venv.ensure()


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="world", description=__doc__)
    verbs = top.add_subparsers(required=True, dest="command", metavar="COMMAND")

    command = verbs.add_parser("images", help="build the images that are missing or out of date")
    command.add_argument(
        "--no-standin", action="store_true", help="leave out the image of GitLab's stand-in"
    )
    command.add_argument("--base", action="store_true", help="build only the base image")
    command.set_defaults(do=_images)

    command = verbs.add_parser(
        "collection", help="link the checkout as mooc.atelier and print the path"
    )
    command.set_defaults(do=_collection)

    command = verbs.add_parser("target-up", help="start a server for tests and wait until it is up")
    command.add_argument("name")
    command.add_argument("--image", default=images.TARGET)
    command.add_argument("--publish", action="append", default=[], metavar="IP:PORT:PORT")
    command.add_argument("--network")
    command.add_argument("--keep-images", action="store_true")
    command.add_argument(
        "--warm", action="store_true", help="use the image that has the packages of role docker"
    )
    command.set_defaults(do=_target_up)

    command = verbs.add_parser("target-down", help="remove a server and its volume")
    command.add_argument("name")
    command.set_defaults(do=_target_down)

    command = verbs.add_parser("venv", help="create the virtual environment with the pinned tools")
    command.set_defaults(do=_venv)

    command = verbs.add_parser("demo", help="manage the demo: the whole site on this machine")
    command.add_argument("verb", choices=("interrupt", "up", "down", "status"))
    command.set_defaults(do=_demo)

    command = verbs.add_parser("scenario", help="run a step of the molecule scenario `default`")
    command.add_argument("verb", choices=("install", "images", "storm", "verify"))
    command.set_defaults(do=_scenario)

    for name, job in (
        ("archives", archive.archives),
        ("docs", docs.write),
        ("check", suite.check),
        ("bench", checks.bench),
        ("bench-attack", checks.bench_attack),
        ("bench-check", checks.bench_check),
        ("bench-launch", checks.bench_launch),
        ("bench-modules", checks.bench_modules),
        ("bench-toolbar", checks.bench_toolbar),
        ("clean", checks.clean),
        ("hooks", hooks.install),
    ):
        command = verbs.add_parser(name, help=(job.__doc__ or "").split(".")[0])
        command.set_defaults(run=job)
    command = verbs.add_parser(
        "hook", help="run a program of the virtual environment, for git's hooks"
    )
    command.add_argument("program")
    command.add_argument("arguments", nargs=argparse.REMAINDER)
    command.set_defaults(code=_hook)
    command = verbs.add_parser(
        "role", help="run a molecule scenario whose server is kept between the steps"
    )
    command.add_argument("scenario", nargs="?", default="")
    command.add_argument("step", nargs="?", default="")
    command.set_defaults(code=_role)
    command = verbs.add_parser(
        "watch", help="run the toolbar in JupyterLab and rebuild it on changes"
    )
    command.add_argument("--sources", type=Path, default=front.SOURCES)
    command.add_argument("--state", type=Path, default=watch_lab.FOLDER)
    command.set_defaults(code=lambda options: watch.run(options.sources, options.state))
    verbs.add_parser("test", help="run all tests; further arguments are passed to pytest")
    verbs.add_parser("soak", help="run the long tests; further arguments choose the parts")
    verbs.add_parser("pins", help="lock the downloads; --renew takes the newest versions")
    verbs.add_parser("dev", help="run hub and desk without containers and reload them on changes")
    return top


def main() -> int:
    """Run one command; its last line tells playbooks whether something was changed."""
    options, rest = parser().parse_known_args()
    interruption.install()
    try:
        if options.command == "test":
            return suite.test(rest)
        if options.command == "soak":
            return soak.soak(rest)
        if options.command == "pins":
            return pins.pins(rest)
        if options.command == "dev":
            dev.dev(rest)
        if rest:
            parser().error(f"unknown: {' '.join(rest)}")
        if "run" in options:
            return int(options.run())
        if "code" in options:
            return int(options.code(options))
        changed = options.do(options)
    except WorldError as error:
        return fail(error)
    except KeyboardInterrupt:
        say("\nInterrupted. The same command goes on from here.")
        return 130
    if options.command not in {"demo", "images"}:  # whose last lines a person reads
        say("changed" if changed else "unchanged")
    return 0


if __name__ == "__main__":
    sys.exit(main())
