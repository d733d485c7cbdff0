"""What is downloaded, pinned with hashes: `make pins` makes the locks of what we chose.

A lock is made of the `.in` file beside it, which names what our code uses and why. What is pinned
stays as it is; `make pins ARGS=--renew` takes the newest versions of everything.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from world import needs, npm, paths, venv
from world.locks import CHOSEN, LOCKS, NPM_FOLDERS, Lock, renewed, versions
from world.run import say, stream


def _compile(source: Path, item: Lock, *options: str) -> None:
    command = [
        *(venv.program("uv"), "pip", "compile", "--quiet", str(source.relative_to(paths.ROOT))),
        *("--output-file", f"{item.name}.txt", "--generate-hashes", "--only-binary", ":all:"),
        *("--python-version", item.python, "--python-platform", "linux"),
        *("--annotation-style", "line", "--custom-compile-command", "make pins"),
    ]
    stream(f"pinning {item.name}", [*command, *options], cwd=paths.ROOT, env=venv.trust())


def _renew(item: Lock) -> None:
    """Take the newest versions, and write those of what was chosen into its file."""
    text = item.chosen.read_text(encoding="utf-8")
    free = item.chosen.with_suffix(".free.in")
    try:
        free.write_text(CHOSEN.sub(lambda chosen: f"{chosen[1]}{chosen[2] or ''}", text))
        _compile(free, item, "--upgrade")
    finally:
        free.unlink(missing_ok=True)
    found = versions(item.lock.read_text(encoding="utf-8"))
    item.chosen.write_text(renewed(text, found), encoding="utf-8")


def pins(words: Sequence[str]) -> int:
    """Make the locks of what is named in the files beside them. Returns an exit code."""
    parser = argparse.ArgumentParser(prog="make pins ARGS=", description=__doc__)
    parser.add_argument(
        "--renew", action="store_true", help="take the newest version of everything"
    )
    options = parser.parse_args(words)
    found = needs.Needs()
    needs.programs(found, {"npm": "npm"})
    found.settle()
    venv.ensure()
    for item in LOCKS:
        say(f"==> {item.name}.txt: {item.what}")
        if options.renew:
            _renew(item)
        _compile(item.chosen, item)
    verb = "update" if options.renew else "install"
    for folder in NPM_FOLDERS:
        say(f"==> {folder}/package-lock.json")
        command = ["npm", verb, "--package-lock-only", "--ignore-scripts", "--no-audit"]
        stream("npm", [*command, "--no-fund"], cwd=paths.ROOT / folder, env=npm.trust())
    say("Read the difference, then: make test")
    return 0
