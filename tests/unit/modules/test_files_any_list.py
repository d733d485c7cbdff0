"""The module `files` with any list: a second run changes nothing, a dry run tells the truth."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from kit.modules import Ran
from unit.modules.test_files import Entry, keep

FOLDER = "folder"
NAMES = ("a", "b", "c", f"{FOLDER}/x", f"{FOLDER}/y", FOLDER)
KEEPABLE = ("1", "2", "3")

modes = st.sampled_from([None, "0600", "0644", "0755"])
texts = st.sampled_from(["", "one\n", "two\n"])
kinds = st.sampled_from(
    ["content", "forced not", "empty", "copy", "directory", "absent", "existing"]
)


@st.composite
def entries(draw: st.DrawFn, root: str) -> list[Entry]:
    """Entries of paths that differ; copies are of what came before, so that one run is enough."""
    found: list[Entry] = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        entry: Entry = {"dest": f"{root}/{name}", "mode": draw(modes), "diff": draw(st.booleans())}
        # What is in it comes and goes by itself.
        kind = "directory" if name == FOLDER else draw(kinds)
        if kind == "copy" and found:
            entry["remote_src"] = draw(st.sampled_from([one["dest"] for one in found]))
        elif kind in ("directory", "absent", "existing"):
            entry["state"] = kind
        elif kind != "empty":
            entry |= {"content": draw(texts), "force": kind == "content"}
        found.append(entry)
    # Above what is in it: making that first would make it too, unnoticed.
    found.sort(key=lambda entry: entry["dest"] != f"{root}/{FOLDER}")
    if draw(st.booleans()):
        kept = draw(st.lists(st.sampled_from(KEEPABLE), unique=True))
        place = draw(st.integers(0, len(found)))
        pattern = {"dest": f"{root}/many/*", "state": "absent"}
        found.insert(place, pattern | {"keep": [f"{root}/many/{one}" for one in kept]})
    return found


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    """What is there before: kind, text and mode by name."""
    rare = ["folder", "link", "link to folder", "dangling"]
    there = {
        name: st.sampled_from(["folder"] * 6 + ["nothing"] if name == FOLDER
                              else ["nothing", "file"] * 4 + rare)
        for name in (FOLDER, *NAMES[:-1])
    }  # fmt: skip
    chosen = st.sampled_from([0o600, 0o644, 0o755])
    return {name: (draw(kinds), draw(texts), draw(chosen)) for name, kinds in there.items()}


def prepare(root: Path, elsewhere: Path, machine: dict[str, Any]) -> None:
    for number, (name, (kind, text, mode)) in enumerate(machine.items()):
        path, other = root / name, elsewhere / str(number)
        if not path.parent.is_dir():
            continue
        if kind == "folder":
            path.mkdir(mode=mode | 0o100)
        elif kind == "link to folder":
            other.mkdir()
            path.symlink_to(other)
        elif kind == "link":
            other.write_text(text)
            path.symlink_to(other)
        elif kind == "dangling":
            path.symlink_to(elsewhere / "nowhere")
        elif kind == "file":
            path.write_text(text)
            path.chmod(mode)
    (root / "many").mkdir()
    for name in KEEPABLE:
        (root / "many" / name).mkdir()


def snapshot(root: Path) -> dict[str, tuple[Any, ...]]:
    """Type, mode and content of all that is there; of a link, the mode of what it leads to too."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in root.rglob("*"):
        known = path.lstat()
        link = str(path.readlink()) if path.is_symlink() else ""
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        content = path.read_bytes() if path.is_file() and not link else b""
        found[str(path)] = (stat.S_IFMT(known.st_mode), mode, link, content)
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {path for path in before | after if before.get(path) != after.get(path)}


def told(ran: Ran) -> set[str]:
    paths: list[str] = ran.result["changed_paths"]
    assert len(paths) == len(set(paths))
    assert ran.result["changed"] is bool(paths)
    return set(paths)


@settings(max_examples=100)
@given(machine=machines(), data=st.data())
def test_any_list_is_predicted_done_and_then_done_with(
    machine: dict[str, Any], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, elsewhere = Path(folder, "root"), Path(folder, "elsewhere")
        root.mkdir()
        elsewhere.mkdir()
        prepare(root, elsewhere, machine)
        wanted = data.draw(entries(str(root)))
        start = snapshot(root)

        dry = keep(*wanted, check=True)
        assert snapshot(root) == start

        first = keep(*wanted)
        end = snapshot(root)
        made_on_the_way = {str(root / FOLDER)} - {one["dest"] for one in wanted} - start.keys()
        assert told(first) == differences(start, end) - made_on_the_way
        event("fails" if first.result.get("failed") else f"changes {len(told(first))}")
        if first.result.get("failed"):
            return
        assert not dry.result.get("failed"), dry.result["msg"]
        assert told(dry) == told(first)

        second = keep(*wanted)
        assert told(second) == set()
        assert not second.result.get("failed")
        assert snapshot(root) == end
