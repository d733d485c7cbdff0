"""Reads a course repository's ``atelier.yml``; every error says the line and the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from atelier.config.fields import Title
from atelier.exercises.exercises import (
    EXERCISES_FILE,
    Compare,
    CourseExercises,
    Exercise,
    zone,
)
from atelier.exercises.model import Message, message
from atelier.exercises.prose_checks import Expects, ProseCheck
from atelier.exercises.value_checks import Tolerance, ValueCheck
from atelier.i18n.translate import Language, say

MAX_FILE_BYTES = 512 * 1024
MAX_NODES = 50_000
MAX_DEPTH = 32
"""The format needs six levels. An alias that contains itself would nest without end."""
Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """YAML loader that keeps dates as text, so that the model reports what is wrong with them."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a node's value; report a value that Python cannot represent with its line."""
        if node.tag == "tag:yaml.org,2002:timestamp":
            node.tag = "tag:yaml.org,2002:str"
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(
                None, None, _short(error), node.start_mark
            ) from None


_MODELS: tuple[type[BaseModel], ...] = (
    CourseExercises,
    Exercise,
    Compare,
    Tolerance,
    ProseCheck,
    Expects,
    ValueCheck,
    Title,
)


@dataclass(frozen=True)
class Problem:
    """An error in the file: where it is and how to fix it."""

    line: int | None
    where: str
    message: Message
    file: str = ""
    """The file with the error, if it is not ``atelier.yml``."""

    def say(self, lang: Language, origin: str = EXERCISES_FILE) -> str:
        """Return one line such as ``atelier.yml:12: exercises[2].closes: ...``."""
        origin = self.file or origin
        place = origin if self.line is None else f"{origin}:{self.line}"
        text = say(self.message["key"], lang, **self.message["fields"])
        return f"{place}: {self.where}: {text}" if self.where else f"{place}: {text}"


class ExercisesError(Exception):
    """The file is invalid; ``problems`` has at least one entry."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(problem.say("en") for problem in problems))
        self.problems = tuple(problems)

    def say(self, lang: Language, origin: str = EXERCISES_FILE) -> list[str]:
        """Return one line for each problem."""
        return [problem.say(lang, origin) for problem in self.problems]


def read_exercises(content: str | bytes) -> CourseExercises:
    """Read ``atelier.yml``.

    Raises:
        ExercisesError: it is not UTF-8 or not YAML, a key is missing, unknown or twice, or a value
            is wrong.
    """
    return read_with_lines(content)[0]


def read_with_lines(content: str | bytes) -> tuple[CourseExercises, dict[Path, int]]:
    """Read ``atelier.yml`` and the line number of each value; see :func:`read_exercises`."""
    text = _text(content)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = _short(getattr(error, "problem", None) or "?")
        raise _one("check_file_yaml", mark.line + 1 if mark else None, why=why) from None
    except (RecursionError, ValueError):
        raise _one("check_file_deep", None) from None
    if node is None:
        raise _one("check_file_empty", None)
    if not isinstance(node, yaml.MappingNode):
        raise _one("check_file_top", 1)
    try:
        lines, twice = _look(node)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader, see above)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        why = _short(getattr(error, "problem", None) or error)
        raise _one("check_file_yaml", mark.line + 1 if mark else None, why=why) from None
    if twice:
        raise ExercisesError(twice)
    return _validated(data, lines), lines


def _validated(data: dict[str, Any], lines: dict[Path, int]) -> CourseExercises:
    problems: list[Problem] = []
    course: CourseExercises | None = None
    try:
        course = CourseExercises.model_validate(data, context={"zone": zone(data.get("timezone"))})
    except ValidationError as error:
        problems = [_problem(dict(one), lines) for one in error.errors(include_url=False)]
    problems += _same_twice(data, lines)
    if problems or course is None:
        problems.sort(key=lambda problem: problem.line or 0)
        raise ExercisesError(problems)
    return course


def _text(content: str | bytes) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise _one("check_file_large", None, kib=MAX_FILE_BYTES // 1024)
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _one("check_file_encoding", line) from None


def _one(key: str, line: int | None, **fields: str | int | float) -> ExercisesError:
    return ExercisesError([Problem(line, "", message(key, **fields))])


def _short(value: object, most: int = 80) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _look(root: yaml.Node) -> tuple[dict[Path, int], list[Problem]]:
    """Return the line of each value (in a mapping, of its key) and the duplicate keys."""
    lines: dict[Path, int] = {(): 1}
    twice: list[Problem] = []
    waiting: list[tuple[Path, yaml.Node]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        if len(lines) > MAX_NODES:  # aliases of aliases
            raise yaml.MarkedYAMLError(
                problem="too many values: has an alias itself in it?", problem_mark=node.start_mark
            )
        if len(path) > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem="nested too deeply: has an alias itself in it?",
                problem_mark=node.start_mark,
            )
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                lines[(*path, index)] = item.start_mark.line + 1
                waiting.append(((*path, index), item))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = str(key.value)
                line = key.start_mark.line + 1
                if (*path, name) in lines and name != "<<":
                    first = lines[*path, name]
                    what = message("check_file_twice", name=_short(name), first=first)
                    twice.append(Problem(line, _where(path), what))
                lines[(*path, name)] = line
                waiting.append(((*path, name), value))
    return lines, twice


def _where(path: Path) -> str:
    """Write ``("exercises", 1, "closes")`` as ``exercises[2].closes``, counting from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _line(path: Path, lines: dict[Path, int]) -> int | None:
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path)


def _problem(error: dict[str, Any], lines: dict[Path, int]) -> Problem:
    path: Path = tuple(error["loc"])
    kind = str(error["type"])
    line = _line(path, lines)
    return Problem(line, _where(path), _explained(kind, path, error))


_BY_TYPE = {
    "moment": "check_value_date",
    "zone": "check_value_zone",
    "timezone": "check_value_timezone",
    "closes": "check_value_closes",
    "format": "check_value_format",
    "prose_part": "check_value_part",
    "prose_way": "check_value_prose",
    "prose_expects": "check_value_expects",
    "prose_tolerance": "check_value_prose_tolerance",
    "prose_keywords": "check_value_keywords",
    "prose_accepted": "check_value_accepted",
    "value_kind": "check_value_one_kind",
    "value_label": "check_value_label",
    "tests_ending": "check_value_tests",
    "bool_type": "check_value_bool",
    "bool_parsing": "check_value_bool",
    "string_type": "check_value_text",
    "string_too_short": "check_value_empty",
    "int_type": "check_value_whole",
    "int_parsing": "check_value_whole",
    "int_from_float": "check_value_whole",
    "float_type": "check_value_number",
    "float_parsing": "check_value_number",
    "finite_number": "check_value_number",
    "tuple_type": "check_value_list",
    "too_short": "check_value_list",
    "model_type": "check_value_mapping",
    "model_attributes_type": "check_value_mapping",
}
_BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", "≥"),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "≤"),
    "too_long": ("max_length", "≤"),
}
_PATTERNS = {
    "id": "check_value_id",
    "expected_project": "check_value_project",
    "delimiter": "check_value_delimiter",
    "variable": "check_value_variable",
}


def _explained(kind: str, path: Path, error: dict[str, Any]) -> Message:
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    value = _short(error.get("input"))
    if kind == "missing":
        return message("check_value_missing", example=_EXAMPLES.get(name, f"{name}: …"))
    if kind == "extra_forbidden":
        return _unknown_key(name)
    if kind == "literal_error":
        known = ", ".join(_choices(error))
        return message("check_value_choice", value=value, known=known)
    if kind == "string_pattern_mismatch" and name in _PATTERNS:
        return message(_PATTERNS[name], value=value)
    if kind == "csv_only":
        return message("check_value_csv_only", option=str(error["ctx"]["option"]))
    if kind == "prose_format":
        return message("check_value_no_prose", file=str(error["ctx"]["file"]))
    if kind == "not_run":
        return message("check_value_not_run", file=str(error["ctx"]["file"]))
    if kind in _BOUNDS:
        field, sign = _BOUNDS[kind]
        return message("check_value_bound", value=value, bound=f"{sign} {error['ctx'][field]:g}")
    if kind in _BY_TYPE:
        return message(_BY_TYPE[kind], value=value)
    if kind == "value_error":  # atelier.config.schema.paths.safe_path
        return message("check_value_path", value=value)
    return message("check_value_other", value=value, why=_short(error["msg"]))


_EXAMPLES = {
    "version": "version: 1",
    "id": "id: pi",
    "title": 'title: {fr: "…", en: "…"}',
    "fr": 'fr: "…"',
    "en": 'en: "…"',
    "file": "file: notebooks/pi.ipynb",
    "part": "part: Conclusion",
}


def _choices(error: dict[str, Any]) -> list[str]:
    return str(error["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")


def _unknown_key(name: str) -> Message:
    known = {field for model in _MODELS for field in model.model_fields}
    near = difflib.get_close_matches(name, sorted(known), n=1)
    if near:
        return message("check_value_key_near", near=near[0])
    return message("check_value_key")


def _same_twice(data: dict[str, Any], lines: dict[Path, int]) -> Iterator[Problem]:
    """Report exercises with the id of an earlier one, at the line of the later one."""
    seen: dict[str, int | None] = {}
    exercises = data.get("exercises")
    for index, one in enumerate(exercises if isinstance(exercises, list) else []):
        if not isinstance(one, dict) or not isinstance(one.get("id"), str | int):
            continue
        path: Path = ("exercises", index, "id")
        name, line = str(one["id"]), _line(path, lines)
        if name in seen:
            first = seen[name] or 0
            yield Problem(line, _where(path), message("check_id_twice", id=name, first=first))
        seen.setdefault(name, line)
