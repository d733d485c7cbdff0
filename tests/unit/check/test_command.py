"""The command that teachers, their CI and the course role run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from atelier.cli.exercises import main

GOOD = """\
version: 1
exercises:
  - id: report
    title: {fr: Rapport, en: Report}
    file: rapport.md
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "atelier.yml").write_text(GOOD)
    (folder / "rapport.md").write_text("# Rapport\n\nÀ vous.\n")
    return folder


@pytest.fixture
def expected(tmp_path: Path) -> Path:
    folder = tmp_path / "expected"
    folder.mkdir()
    (folder / "rapport.md").write_text("# Rapport\n\nLa moyenne vaut 3.\n")
    return folder


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_a_course_without_exercises_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path), "--lang", "en"]) == 0
    assert "declares no exercise" in capsys.readouterr().out


def test_a_good_course_passes(
    course: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["check", str(course), "--expected", str(expected), "--lang", "fr"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == "1 exercice, rien à corriger.\n"


def test_a_bad_course_fails_with_one_line_each(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "atelier.yml").write_text(GOOD.replace("id: report", "id: Report") + "    n: 1\n")
    assert main(["check", str(course), "--lang", "en"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in lines] == ["3", "6"]


@pytest.mark.parametrize(
    ("place", "content", "words"),
    [
        ("course/rapport.md", None, "there is no file `rapport.md` in this folder"),
        ("expected/rapport.md", None, "there is no expected answer `rapport.md`"),
        ("expected/rapport.md", b"# Rapport\n\n\xc3\x80 vous.\n", "nothing to do"),
        ("expected/rapport.md", b"\0", "`rapport.md` cannot be read"),
        ("course/rapport.md", b"\0", "template’s file `rapport.md` cannot be read"),
        ("expected/rapport.md", b"---\ntitle: T\n---\n", "anything handed in would score 1"),
    ],
)
def test_the_files_are_looked_at(
    course: Path,
    expected: Path,
    capsys: pytest.CaptureFixture[str],
    place: str,
    content: bytes | None,
    words: str,
) -> None:
    file = course.parent / place
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    assert main(["check", str(course), "--expected", str(expected), "--lang", "en"]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert "exercises[1] (report)" in error


def test_an_expected_answer_that_learners_would_get_is_told(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "atelier.yml").write_text(GOOD + "    expected: solutions/rapport.md\n")
    (course / "solutions").mkdir()
    (course / "solutions/rapport.md").write_text("x")
    assert main(["check", str(course), "--lang", "en"]) == 1
    assert "is in the repository that learners get" in capsys.readouterr().err


def test_a_link_out_of_the_folder_is_no_file(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "rapport.md").unlink()
    (course / "rapport.md").symlink_to("/etc/hostname")
    assert main(["check", str(course), "--lang", "en"]) == 1
    assert "there is no file" in capsys.readouterr().err


def test_a_commit_can_be_checked_before_it_is_published(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(course, "init", "--quiet", "--initial-branch=main")
    git(course, "add", "--all")
    git(course, "commit", "--quiet", "-m", "one")
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(course), str(bare))
    assert main(["check", "--git", str(bare), "--lang", "en"]) == 0
    (course / "atelier.yml").write_text("version: 2\n")  # not committed
    assert main(["check", "--git", str(bare), "--lang", "en"]) == 0
    assert main(["check", "--git", str(bare), "--revision", "nowhere", "--lang", "en"]) == 1
    assert "there is no commit" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["nowhere"], [".", "--expected", "nowhere"]])
def test_a_folder_that_is_not_there_is_told(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments, "--lang", "fr"]) == 1
    assert capsys.readouterr().err == "nowhere n’est pas un dossier\n"


def test_an_answer_can_be_tried(
    course: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = course.parent / "answer.md"
    answer.write_text("# Rapport\n\nLa moyenne vaut 4.\n")
    arguments = ["try", str(course), "report", str(answer), "--expected", str(expected)]
    assert main([*arguments, "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("report: 0.8")
    assert "What the course gives does not count" in shown
    assert "{+4+}" in shown
    assert "[-3-]" in shown
    assert main([*arguments, "--show", "hints", "--lang", "en"]) == 0
    shown = capsys.readouterr().out
    assert "{+4+}" in shown
    assert "3" not in shown.split("vaut")[1]


def test_trying_an_exercise_that_is_not_there_names_those_that_are(
    course: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["try", str(course), "rapport", "x.md", "--expected", str(expected)]
    assert main([*arguments, "--lang", "en"]) == 1
    assert "there is no exercise `rapport`; there are: report" in capsys.readouterr().err


def test_it_needs_little_beside_itself() -> None:
    # The course role's own scenario and a teacher's CI have no hub, GitLab library or database.
    program = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"gitlab", "httpx", "jupyterhub", "sqlalchemy", "starlette"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from atelier.cli.exercises import main
main(["--help"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


PROSE = (
    GOOD
    + """\
    prose:
      - {part: 2, expects: {number: %s, tolerance: 0.1}}
      - {part: %s, person: true}
"""
)


def test_a_part_that_the_file_does_not_have_is_told_with_its_line(
    course: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "atelier.yml").write_text(PROSE % ("3", "Rapprot"))
    assert main(["check", str(course), "--expected", str(expected), "--lang", "en"]) == 1
    assert capsys.readouterr().err == (
        "atelier.yml:8: exercises[1] (report).prose[2].part: there is no part `Rapprot` in"
        " rapport.md: name a cell's id, a heading or a number\n"
    )


def test_an_expected_file_without_the_number_it_is_to_give_is_told(
    course: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "atelier.yml").write_text(PROSE % ("expected", "Rapport"))
    arguments = ["check", str(course), "--expected", str(expected), "--lang", "en"]
    assert main(arguments) == 0
    (expected / "rapport.md").write_text("# Rapport\n\nBientôt.\n")
    assert main(arguments) == 1
    assert "has nothing to take for part 2" in capsys.readouterr().err


def test_an_answer_in_own_words_is_tried_part_by_part(
    course: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "atelier.yml").write_text(PROSE % ("3", "Rapport"))
    answer = course.parent / "mine.md"
    answer.write_text("# Rapport\n\nJe trouve 2,95 en tout.\n")
    arguments = [str(course), "report", str(answer), "--expected", str(expected), "--lang", "en"]
    assert main(["try", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "report: 0.5"
    assert "  2: 1 / 1" in lines
    assert any(line.startswith("  Rapport: waits for a person / 1: ") for line in lines)


COMPUTED = """\
version: 1
exercises:
  - id: mean
    title: {fr: Moyenne, en: Mean}
    file: mean.py
    tests: mean_tests.py
"""


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        ("# %% name: a\nassert mean == 3\n", ""),
        (None, "atelier.yml:6: exercises[1] (mean).tests: there are no tests `mean_tests.py`"),
        ("# %% name: a | points: 0\nassert 1\n", "atelier.yml:6: exercises[1] (mean): its tests"),
        ("# %% a\nassert 1\n# %% a\nassert 1\n", "mean_tests.py:3: there are two tests named `a`"),
        ("assert (\n", "mean_tests.py:1: is not valid Python"),
    ],
)
def test_the_tests_are_looked_at(
    course: Path,
    expected: Path,
    capsys: pytest.CaptureFixture[str],
    tests: str | None,
    words: str,
) -> None:
    (course / "atelier.yml").write_text(COMPUTED)
    (course / "mean.py").write_text("mean = None\n")
    if tests is not None:
        (expected / "mean_tests.py").write_text(tests)
    arguments = ["check", str(course), "--expected", str(expected), "--lang", "en"]
    assert main(arguments) == bool(words)
    assert [line[: len(words)] for line in capsys.readouterr().err.splitlines()] == (
        [words] if words else []
    )


def test_tests_in_the_template_are_refused_as_every_learner_would_have_them(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "atelier.yml").write_text(COMPUTED)
    for name in ("mean.py", "mean_tests.py"):
        (course / name).write_text("mean = None\n")
    assert main(["check", str(course), "--lang", "en"]) == 1
    assert "which every learner gets a copy of" in capsys.readouterr().err


def test_a_try_says_that_tests_are_the_servers(
    course: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (course / "atelier.yml").write_text(COMPUTED)
    (course / "mean.py").write_text("mean = None\n")
    (expected / "mean.py").write_text("mean = 3\n")
    answer = str(expected / "mean.py")
    arguments = ["try", str(course), "mean", answer, "--expected", str(expected), "--lang", "en"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("mean: its tests and values decide")
