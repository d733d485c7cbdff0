"""`ansible-test sanity`, as Galaxy and Automation Hub run it, on what an institution installs.

Left out, and why:

- `files/`, `roles/*/files`: programs of the server, not Ansible's: ruff, mypy, eslint, shellcheck
  and their own tests look after them.
- `no-smart-quotes`: pages speak French, which is written with typographic apostrophes. ruff's
  RUF001 watches the characters that only look like others.
- `pylint`: ruff and mypy (strict) look at the same code, in a tenth of the time.
- `changelog`, `pep8`, `yamllint`: `antsibull-changelog lint`, ruff and yamllint run on the whole
  checkout before any test; here each would install an environment of its own first.
- Python versions other than the one of the tests: the collection needs 3.11 or newer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from world import paths, venv
from world.images import lock

FOLDER = paths.CACHE / "sanity"
LOOKED_AT = ("plugins", "playbooks", "roles", "meta", "changelogs", "inventories/example",
             "galaxy.yml", "README.md", "CHANGELOG.md", "LICENSE")  # fmt: skip
SKIPPED = ("changelog", "no-smart-quotes", "pep8", "pylint", "yamllint")

# ansible-test fetches pip's installer from a server of its own; Python brings one.
BOOTSTRAP = "get_pip_24_2.py"


def test_ansible_test_sanity_is_clean() -> None:
    with lock("sanity"):
        collection = FOLDER / "ansible_collections/mooc/atelier"
        shutil.rmtree(collection, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *LOOKED_AT],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for name in listed:
            source, copy = paths.ROOT / name, collection / name
            served = name.startswith("roles/") and "/files/" in name
            if source.is_file() and not served:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy)
        # The copy lies in a folder that the checkout's git ignores: it needs its own.
        subprocess.run(["git", "init", "-q"], cwd=collection, check=True)
        cache = FOLDER / "home/.ansible/test/cache"
        cache.mkdir(parents=True, exist_ok=True)
        (cache / BOOTSTRAP).write_text("import ensurepip\n\nensurepip.bootstrap()\n")
        version = ".".join(map(str, sys.version_info[:2]))
        done = subprocess.run(
            [venv.program("ansible-test"), "sanity", "--color", "no", "--python", version,
             *(word for name in SKIPPED for word in ("--skip-test", name))],
            cwd=collection,
            env={**os.environ, **venv.environment(), "HOME": str(FOLDER / "home"),
                 "LC_ALL": "C.UTF-8"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.fail(done.stdout, pytrace=False)
        assert 'Running sanity test "validate-modules"' in done.stdout
