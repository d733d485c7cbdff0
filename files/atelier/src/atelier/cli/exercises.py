"""Command ``atelier-exercises``: checks exercises, for the course role, teachers and their CI."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from atelier.cli.environment import environment_language
from atelier.courses.rules import Files, Lines, exercise_problem, read_course
from atelier.exercises.blocks import UnreadableError
from atelier.exercises.computed import points_of
from atelier.exercises.declared import ExercisesError, Problem, read_exercises
from atelier.exercises.engine import compare, read
from atelier.exercises.exercises import EXERCISES_FILE, CourseExercises, Exercise
from atelier.exercises.model import Comparison, ExpectedError, Limits, Message, Row, message
from atelier.exercises.reveal import reveal
from atelier.exercises.testfiles.model import BadTestsError, TeacherTest
from atelier.exercises.testfiles.reader import read_tests
from atelier.exercises.words import say
from atelier.i18n import translate as text
from atelier.i18n.translate import LANGUAGES, Language


class Folder:
    """Files of a folder, for example a checkout."""

    def __init__(self, top: Path) -> None:
        self.top = top.resolve()

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None if it is missing or a symlink leads out of the folder."""
        file = (self.top / path).resolve()
        if not file.is_relative_to(self.top) or not file.is_file():
            return None
        return file.read_bytes()

    def has(self, path: str) -> bool:
        """Return whether the folder has the file."""
        file = (self.top / path).resolve()
        return file.is_relative_to(self.top) and file.is_file()


class Commit:
    """Files of a commit in a git repository, which may be bare."""

    def __init__(self, repository: Path, revision: str) -> None:
        self.repository = repository
        self.revision = revision

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None if there is no such file."""
        done = subprocess.run(  # noqa: S603 (the path cannot begin with a dash: a revision does)
            ["git", "-C", str(self.repository), "cat-file", "blob", f"{self.revision}:{path}"],  # noqa: S607
            capture_output=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None

    def has(self, path: str) -> bool:
        """Return whether the commit has the file."""
        return self.read(path) is not None

    def exists(self) -> bool:
        """Return whether the repository has the revision."""
        done = subprocess.run(  # noqa: S603 (see above)
            ["git", "-C", str(self.repository), "rev-parse", "--verify", "--quiet",  # noqa: S607
             "--end-of-options", f"{self.revision}^{{commit}}"],
            capture_output=True,
            check=False,
        )  # fmt: skip
        return done.returncode == 0


def check_course(files: Files, expected: Files | None) -> CourseExercises | None:
    """Check a course repository.

    Args:
        files: files of the course repository.
        expected: files of the project of expected answers, if available.

    Returns:
        The course's exercises; None if it declares none.

    Raises:
        ExercisesError: there are problems to correct before publication.
    """
    read = read_course(files)
    if read is None:
        return None
    course, lines = read
    problems: list[Problem] = []
    for index, exercise in enumerate(course.exercises):
        problem = exercise_problem(index, exercise, files, lines)
        if problem is None and expected is not None:
            problem = _expected_problem(index, exercise, files, expected)
            problems += _tests_problems(index, exercise, expected, lines)
        problems += [problem] if problem else []
    if problems:
        raise ExercisesError(problems)
    return course


def _expected_problem(
    index: int, exercise: Exercise, files: Files, expected: Files
) -> Problem | None:
    where = f"exercises[{index + 1}] ({exercise.id}).expected"
    answer = expected.read(exercise.expected_file)
    if answer is None and not exercise.needs_expected:
        return None
    if answer is None:
        return Problem(None, where, message("check_no_expected", file=exercise.expected_file))
    unfit = _unfit(exercise, answer, files.read(exercise.file) or b"")
    return Problem(None, where, unfit) if unfit else None


def _tests_problems(index: int, exercise: Exercise, expected: Files, lines: Lines) -> list[Problem]:
    """Return the problems of an exercise's tests: in its declaration, and in their file."""
    if not exercise.is_computed:
        return []
    where = f"exercises[{index + 1}] ({exercise.id})"
    line = lines.get(("exercises", index, "tests"))
    tests: tuple[TeacherTest, ...] = ()
    if exercise.tests:
        content = expected.read(exercise.tests)
        if content is None:
            what = message("check_no_tests", file=exercise.tests)
            return [Problem(line, f"{where}.tests", what)]
        try:
            tests = read_tests(content, exercise.tests).tests
        except BadTestsError as error:
            return list(error.problems)
    if not points_of(exercise, tests):
        line = line or lines.get(("exercises", index, "values"))
        return [Problem(line, where, message("check_no_points"))]
    return []


def _unfit(exercise: Exercise, expected: bytes, given: bytes) -> Message | None:
    """Return why an expected answer is unusable; None if it is usable."""
    rule = exercise.rule()
    if exercise.prose:
        try:
            compare(expected, expected, rule, given)
        except ExpectedError as error:
            return error.message
        return None
    if expected == given:
        return message("check_expected_same")
    for content, key, file in (
        (given, "check_given_unusable", exercise.file),
        (expected, "check_expected_unusable", exercise.expected_file),
    ):
        try:
            read(content, rule, Limits())
        except UnreadableError as unreadable:
            return message(key, file=file, why=say(unreadable.message, "en"))
    if exercise.is_computed:
        return None
    found = compare(expected, expected, rule, given)
    if not any(part["weight"] for part in found["parts"]):
        return message("check_nothing_counts")
    return None


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="atelier-exercises", description="Check a course's exercises, or try an answer."
    )
    commands = top.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="check atelier.yml and the files that it names")
    source = check.add_mutually_exclusive_group()
    source.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        help="the course's directory (default: the current one)",
    )
    source.add_argument(
        "--git",
        type=Path,
        metavar="REPOSITORY",
        help="check a commit of this repository instead of a directory",
    )
    check.add_argument(
        "--revision", default="HEAD", help="the commit to check with --git (default: %(default)s)"
    )
    check.add_argument(
        "--expected", type=Path, metavar="FOLDER", help="directory of the expected answers"
    )
    check.add_argument(
        "--lang", choices=LANGUAGES, help="language of the messages (default: the environment's)"
    )
    attempt = commands.add_parser(
        "try", help="compare an answer with the expected one, as for a learner"
    )
    attempt.add_argument("folder", type=Path, help="the course's directory")
    attempt.add_argument("exercise", help="the exercise's id")
    attempt.add_argument("answer", type=Path, help="file with the answer")
    attempt.add_argument(
        "--expected",
        type=Path,
        metavar="FOLDER",
        required=True,
        help="directory of the expected answers",
    )
    attempt.add_argument(
        "--show",
        choices=("verdict", "hints", "full"),
        default="full",
        help="how much of the comparison to show (default: %(default)s)",
    )
    attempt.add_argument(
        "--lang", choices=LANGUAGES, help="language of the messages (default: the environment's)"
    )
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command; return 0 on success, else 1 with the problems on stderr."""
    options = parser().parse_args(argv)
    lang = environment_language(options.lang)
    try:
        for folder in (options.folder, options.expected):
            if folder is not None and not folder.is_dir():
                raise _error("check_no_folder", folder=str(folder))
        lines = _check(options, lang) if options.command == "check" else _try(options, lang)
    except ExercisesError as error:
        print("\n".join(error.say(lang)), file=sys.stderr)
        return 1
    except _CommandError as error:
        print(say(error.message, lang), file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


class _CommandError(Exception):
    def __init__(self, text: Message) -> None:
        super().__init__(text["key"])
        self.message = text


def _error(key: str, **fields: str | int) -> _CommandError:
    return _CommandError(message(key, **fields))


def _check(options: argparse.Namespace, lang: Language) -> list[str]:
    files: Files = Folder(options.folder)
    if options.git:
        files = commit = Commit(options.git, options.revision)
        if not commit.exists():
            raise _error("check_no_commit", where=f"{options.git} {options.revision}")
    course = check_course(files, Folder(options.expected) if options.expected else None)
    if course is None:
        return [text.say("check_no_exercises", lang, file=EXERCISES_FILE)]
    return [text.say("check_all_right", lang, count=len(course.exercises))]


def _try(options: argparse.Namespace, lang: Language) -> list[str]:
    files = Folder(options.folder)
    content = files.read(EXERCISES_FILE)
    if content is None:
        raise _error("check_no_file", file=EXERCISES_FILE)
    course = read_exercises(content)
    exercise = course.get(options.exercise)
    if exercise is None:
        known = ", ".join(one.id for one in course.exercises)
        raise _error("check_no_exercise", id=options.exercise, known=known)
    expected = Folder(options.expected).read(exercise.expected_file)
    if expected is None:
        raise _error("check_no_expected", file=exercise.expected_file)
    answer = options.answer.read_bytes() if options.answer.is_file() else None
    try:
        found = compare(expected, answer, exercise.rule(), files.read(exercise.file))
    except ExpectedError as error:
        raise _CommandError(error.message) from None
    lines = list(_shown(exercise.id, reveal(found, options.show), lang))
    if exercise.is_computed:
        lines[0] = text.say("check_try_computed", lang, id=exercise.id)
    return lines


_SIGNS = {"equal": " ", "changed": "~", "added": "+", "removed": "-", "moved": ">"}


def _shown(name: str, found: Comparison, lang: Language) -> Iterator[str]:
    """Yield the result as text: removed words as ``[-so-]``, added words as ``{+so+}``."""
    yield f"{name}: {found['score']}"
    problem = [found["problem"]] if found["problem"] else []
    for remark in [*problem, *found["warnings"], *found["rule"], *found["limits"]]:
        yield f"  {say(remark, lang)}"
    for one in found.get("prose", []):
        why = f": {say(one['message'], lang)}" if one["message"] else ""
        state = text.say("check_prose_pending", lang) if one["pending"] else f"{one['reached']:g}"
        yield f"  {one['name']}: {state} / {one['points']:g}{why}"
    for part in found["parts"]:
        notes = ", ".join(say(note, lang) for note in part["notes"])
        kind = text.say(f"check_kind_{part['kind']}", lang)
        weight = "" if part["weight"] else " (0)"
        yield f"{_SIGNS[part['state']]} {kind} {part['score']:.2f}{weight}{notes and ': '}{notes}"
        if part["state"] != "equal":
            yield from map(_row, part["rows"])


def _row(row: Row) -> str:
    """Return a row as text; if its sides differ, the expected line precedes the answer's."""
    lines = []
    for line in (row["expected"], row["answer"]):
        if line:
            lines.append("".join(_FORMS[mark].format(words) for mark, words in line["segments"]))
    if row["state"] == "equal":
        lines = lines[-1:]
    return "\n".join("    " + line.replace("\n", "\n    ") for line in lines)


_FORMS = {"equal": "{}", "near": "~{}~", "removed": "[-{}-]", "added": "{{+{}+}}"}
