"""What an image is made of, and what makes it another one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT


def load() -> Any:
    path = ROOT / "plugins/modules/image_context.py"
    spec = importlib.util.spec_from_file_location("image_context", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


image_context = load()


@pytest.fixture
def parts(tmp_path: Path) -> list[dict[str, Any]]:
    for name, text in {
        "program/Dockerfile": "FROM x",
        "program/bin/start": "#!",
        "certificates/atelier-1.crt": "A",
        "certificates/other.crt": "B",
        "pki/ca.pem": "C",
        "course/apt.txt": "tree",
        "course/notebook.ipynb": "{}",
        "course/.git/config": "",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "program/bin/start").chmod(0o755)
    return [
        {"src": str(tmp_path / "program")},
        {"src": str(tmp_path / "certificates/atelier-*.crt"), "dest": "ca/"},
        {"src": str(tmp_path / "pki/ca.pem"), "dest": "site-ca/atelier-site.crt"},
        {"src": str(tmp_path / "absent"), "dest": "absent/"},
        {"src": str(tmp_path / "course"), "dest": "recipe", "only": ["apt.txt", "Dockerfile"]},
    ]


def test_the_parts_come_together(parts: list[dict[str, Any]], tmp_path: Path) -> None:
    files = image_context.collect(parts)
    assert sorted(files) == [
        "Dockerfile",
        "bin/start",
        "ca/atelier-1.crt",
        "recipe/apt.txt",
        "site-ca/atelier-site.crt",
    ]
    dest = tmp_path / "context"
    image_context.write(dest, files)
    written = image_context.collect([{"src": str(dest)}])
    assert image_context.describe(written) == image_context.describe(files)
    assert (dest / "bin/start").stat().st_mode & 0o111


def test_writing_again_replaces_all_and_leaves_nothing_beside(
    parts: list[dict[str, Any]], tmp_path: Path
) -> None:
    dest = tmp_path / "context"
    image_context.write(dest, image_context.collect(parts))
    (tmp_path / ".context.cut-short").mkdir()
    image_context.write(dest, image_context.collect(parts[:1]))
    assert not (dest / "recipe").exists()
    assert not list(tmp_path.glob(".context.*"))


@pytest.mark.parametrize("change", ["content", "mode", "name"])
def test_any_change_changes_the_description(
    parts: list[dict[str, Any]], tmp_path: Path, change: str
) -> None:
    before = image_context.describe(image_context.collect(parts))
    path = tmp_path / "program/bin/start"
    if change == "content":
        path.write_text("#!x")
    elif change == "mode":
        path.chmod(0o644)
    else:
        path.rename(path.with_name("begin"))
    assert image_context.describe(image_context.collect(parts)) != before


def test_touching_a_file_changes_nothing(parts: list[dict[str, Any]], tmp_path: Path) -> None:
    before = image_context.describe(image_context.collect(parts))
    (tmp_path / "program/bin/start").touch()
    assert image_context.describe(image_context.collect(parts)) == before


def test_a_link_out_of_the_course_is_refused(parts: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "course/Dockerfile").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="leads out of"):
        image_context.collect(parts)


def test_a_folder_of_the_recipe_is_all_of_it(parts: list[dict[str, Any]], tmp_path: Path) -> None:
    (recipe,) = (part for part in parts if part.get("dest") == "recipe")
    recipe["folder"] = "recipe"
    assert sorted(image_context.collect([recipe])) == ["recipe/apt.txt"]
    (tmp_path / "course/recipe/more").mkdir(parents=True)
    (tmp_path / "course/recipe/install.R").write_text("")
    (tmp_path / "course/recipe/more/data.csv").write_text("")
    assert sorted(image_context.collect([recipe])) == [
        "recipe/install.R",
        "recipe/more/data.csv",
    ]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_is_no_recipe(
    parts: list[dict[str, Any]], tmp_path: Path, kind: str
) -> None:
    (recipe,) = (part for part in parts if part.get("dest") == "recipe")
    recipe["folder"] = "recipe"
    if kind == "file":
        (tmp_path / "course/recipe").write_text("to be cooked")
    else:
        (tmp_path / "course/recipe").symlink_to(tmp_path / "pki")
    assert sorted(image_context.collect([recipe])) == ["recipe/apt.txt"]
