"""Whatever is downloaded is pinned with a hash; what is added without one fails here."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from world import locks, paths

OTHERS = ("molecule/", "files/example-course/")
"""Where courses' own recipes are: theirs to pin, see docs/courses.md."""
RECIPE = "files/course-image/bin/atelier-recipe"
HASHED = ("--require-hashes", "--no-index", "HASHED")
"""A command with one of these installs nothing that has no hash."""
NO_DOWNLOAD = {
    RECIPE,  # a course's own requirements
    # uv, held to the hashes by --constraints; what only an older Python needs has none
    "tests/world/watch_lab.py",
}
PIP = re.compile(r"pip3?\b[\"'), ]+(?:install|wheel|download)\b")
NPM = re.compile(r"\bnpm[\"', ]+(?:install|i|add|update)\b|\bnpx\b|\byarn\b|\bpnpm\b")
SHA256 = "0" * 64


def tracked() -> list[str]:
    """Files of the repository, committed or about to be, without links."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = (name for name in listed.split("\0") if name)
    return [name for name in names if (paths.ROOT / name).is_file()]


def commands(text: str) -> Iterator[str]:
    """The lines of a program, those that go on joined, without comments."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if not line.lstrip().startswith(("#", "//")):
            yield line


def read(item: Path) -> str:
    """Return a file's text."""
    return item.read_text(encoding="utf-8")


@pytest.mark.parametrize("item", locks.LOCKS, ids=lambda item: item.name)
def test_a_lock_pins_with_hashes_all_that_was_chosen(item: locks.Lock) -> None:
    pinned = locks.versions(read(item.lock))
    chosen = locks.CHOSEN.findall(read(item.chosen))
    assert {name: pinned.get(locks.canonical(name)) for name, _, _ in chosen} == {
        name: version for name, _, version in chosen
    }


@pytest.mark.parametrize("item", locks.LOCKS, ids=lambda item: item.name)
def test_what_is_chosen_is_chosen_in_one_version(item: locks.Lock) -> None:
    words = [re.sub(r"\s*(#.*)?$", "", line) for line in read(item.chosen).splitlines()]
    odd = [
        line
        for line in words
        if line and not line.startswith(("-r ", "-c ")) and not locks.CHOSEN.fullmatch(line)
    ]
    assert odd == [], f"write name==version in {item.chosen.name}, then: make pins"


@pytest.mark.parametrize("item", locks.LOCKS, ids=lambda item: item.name)
def test_nothing_that_starts_often_brings_a_parser_of_addresses(item: locks.Lock) -> None:
    """jsonschema 4.25 and newer bring one: hub and notebook servers start a second later."""
    assert "rfc3987-syntax" not in locks.versions(read(item.lock))


def test_every_file_of_requirements_is_a_lock_or_what_one_is_made_of() -> None:
    known = {f"{item.name}{kind}" for item in locks.LOCKS for kind in (".in", ".txt")}
    found = {
        name
        for name in tracked()
        if re.search(r"(requirements|constraints)[\w-]*\.(txt|in)$", name)
        and not name.startswith(OTHERS)
    }
    assert found == known, "add it to LOCKS of tests/world/locks.py, then: make pins"


@pytest.mark.parametrize("folder", locks.NPM_FOLDERS)
def test_every_javascript_package_has_its_hash(folder: str) -> None:
    lock = json.loads(read(paths.ROOT / folder / "package-lock.json"))
    assert lock["lockfileVersion"] == 3
    packages = {name: about for name, about in lock["packages"].items() if name}
    assert packages
    bare = [
        name
        for name, about in packages.items()
        if not about.get("integrity", "").startswith("sha512-")
        or not about.get("resolved", "https://").startswith("https://")
    ]
    assert bare == []


def test_every_package_json_has_its_lock() -> None:
    found = {
        name.removesuffix("/package.json") for name in tracked() if name.endswith("/package.json")
    }
    assert found == set(locks.NPM_FOLDERS)


@pytest.mark.parametrize("folder", ["files/atelier", "files/toolbar"])
def test_what_builds_a_package_is_in_its_lock(folder: str) -> None:
    project = tomllib.loads(read(paths.ROOT / folder / "pyproject.toml"))
    pinned = locks.versions(read(paths.ROOT / folder / "build-requirements.txt"))
    needed = {
        locks.canonical(re.split(r"[^\w.-]", name)[0])
        for name in project["build-system"]["requires"]
    }
    assert needed <= set(pinned)


def unhashed(name: str, text: str) -> list[str]:
    """Commands of a file that download Python or JavaScript packages without a hash."""
    if name in NO_DOWNLOAD:
        return []
    lines = list(commands(text))
    # A command of several words may stand on several lines of Python.
    joined = [" ".join(lines[number : number + 2]) for number in range(len(lines))]
    return [
        line.strip()
        for line, more in zip(lines, joined, strict=True)
        if (PIP.search(line) and not any(word in more for word in HASHED))
        or (NPM.search(line) and "--package-lock-only" not in more)
    ]


def test_no_program_downloads_without_hashes() -> None:
    programs = (
        name
        for name in tracked()
        if name.endswith((".sh", ".j2", ".yml", "Dockerfile", "Makefile"))
        or name.startswith(("tests/world/", "roles/jupyterhub/files/libexec/"))
        or name.startswith(("files/course-image/bin/", ".ci/"))
    )
    found = {
        name: bad
        for name in programs
        if not name.startswith(OTHERS) and (bad := unhashed(name, read(paths.ROOT / name)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "command",
    [
        "RUN pip install \\\n  requests==2.34.2",
        "    pip3 install --requirement requirements.txt",
        'stream("x", [program("pip"), "install", "requests"])',
        "npm install left-pad",
        "npx left-pad",
    ],
)
def test_a_download_without_hashes_is_found(command: str) -> None:
    assert unhashed("x.sh", command)


@pytest.mark.parametrize(
    "line", ["x", "x>=1", "x==1", f"x @ https://example.org/x.whl --hash=sha256:{SHA256}", "-e .",
             "x==1 --hash=md5:00", f"x=>1 --hash=sha256:{SHA256}"],
)  # fmt: skip
def test_a_lock_with_anything_else_is_refused(line: str) -> None:
    with pytest.raises(locks.PinError, match="is not name==version"):
        locks.versions(f"a==1 \\\n    --hash=sha256:{SHA256}\n    # via b\n{line}\n")


def test_one_package_can_be_taken_out_of_a_lock() -> None:
    text = f"# made\na==1 \\\n    --hash=sha256:{SHA256}\nuv==2 \\\n    --hash=sha256:{SHA256} \\\n"
    text += f"    --hash=sha256:{SHA256}\n    # via b\nuvloop==3 \\\n    --hash=sha256:{SHA256}\n"
    assert locks.versions(locks.excerpt(text, "uv")) == {"uv": "2"}


def test_new_versions_keep_the_reasons() -> None:
    text = "# Why\nPyYAML==6  # reads\npsycopg[binary]==3.3  # the database\n"
    assert locks.renewed(text, {"pyyaml": "7", "psycopg": "4"}) == (
        "# Why\nPyYAML==7  # reads\npsycopg[binary]==4  # the database\n"
    )
