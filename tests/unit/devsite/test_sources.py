"""Which of hub and desk starts again after a change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from devsite.sources import Sources, mistakes

FILES = {
    "site/__init__.py": "",
    "site/settings.py": "import os\n",
    "site/hub.py": "from pathlib import Path\nfrom site import settings\nfrom site.door import go\n"
    'TEMPLATES = Path(__file__).parent / "templates"\n',
    "site/door/__init__.py": "",
    "site/door/go.py": "def late():\n    import site.lately\n",
    "site/lately.py": "",
    "site/desk/__init__.py": "",
    "site/desk/main.py": "from site.settings import Nothing\nfrom site.desk.pages import look\n",
    "site/desk/pages/__init__.py": "",
    "site/desk/pages/look.py": 'FOLDERS = ["templates", "static"]\n'
    'WORKER = "import sys; from site.desk.worker import main; main()"\n',
    "site/desk/worker.py": "",
    "site/desk/templates/page.html": "",
    "site/templates/home.html": "",
    "site/static/style.css": "",
    "site/web/templates/desk/list.html": "",
    "site/web/templates/hub/login.html": "",
    "site/words.txt": "",
    "site/command.py": "import site.settings\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def sources(folder: Path) -> Sources:
    return Sources(folder, {"desk": "site.desk.main", "hub": "site.hub"})


@pytest.mark.parametrize(
    ("name", "users"),
    [
        ("settings.py", ["desk", "hub"]),
        ("__init__.py", ["desk", "hub"]),
        ("door/go.py", ["hub"]),
        ("lately.py", ["hub"]),
        ("desk/pages/look.py", ["desk"]),
        ("desk/worker.py", ["desk"]),
        ("command.py", []),
        ("desk/templates/page.html", ["desk"]),
        ("templates/home.html", ["hub"]),
        ("static/style.css", ["desk"]),
        ("web/templates/desk/list.html", ["desk"]),
        ("web/templates/hub/login.html", ["hub"]),
        ("words.txt", ["desk", "hub"]),
    ],
)
def test_a_file_belongs_to_those_that_run_or_name_it(
    folder: Path, sources: Sources, name: str, users: list[str]
) -> None:
    assert sources.users([folder / "site" / name]) == users


def test_what_no_longer_uses_a_file_is_started_again_too(folder: Path, sources: Sources) -> None:
    (folder / "site/hub.py").write_text("")
    assert sources.users([folder / "site/door/go.py"]) == ["hub"]
    assert sources.users([folder / "site/door/go.py"]) == []


def test_files_written_made_and_removed_are_changes(folder: Path, sources: Sources) -> None:
    before = sources.stamps()
    assert Sources.changed(before, sources.stamps()) == []
    os.utime(folder / "site/hub.py", (1, 1))
    (folder / "site/new.py").write_text("")
    (folder / "site/lately.py").unlink()
    for name in ("hub.pyc", ".hub.py.swp", "hub.py~"):  # not the package's
        (folder / "site" / name).write_text("")
    found = [path.name for path in Sources.changed(before, sources.stamps())]
    assert found == ["hub.py", "lately.py", "new.py"]


def test_a_linked_file_changes_with_what_it_leads_to(folder: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared.py"
    shared.write_text("")
    (folder / "site/linked.py").symlink_to(shared)
    sources = Sources(folder / "site", {"hub": "hub"})
    before = sources.stamps()
    shared.write_text("import os\n")
    changed = Sources.changed(before, sources.stamps())
    assert [path.name for path in changed] == ["linked.py"]


def test_a_mistake_is_shown_with_its_line(folder: Path) -> None:
    wrong = folder / "site/hub.py"
    wrong.write_text("import os\ndef (:\n")
    told = mistakes([wrong, folder / "site/settings.py", folder / "site/gone.py"])
    assert f'"{wrong}", line 2' in told
    assert "SyntaxError" in told
    assert mistakes([folder / "site/settings.py"]) == ""
