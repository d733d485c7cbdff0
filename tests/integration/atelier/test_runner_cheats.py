"""Notebooks and R in a container of a course's image: what runs, and what no cheat gets."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator

import pytest
from atelier.sandbox.model import Found, RunLimits, RunResult, Value
from kit import cheats
from kit.local_sandbox import LocalSandbox, notebook, run_file, scores
from world import images

pytestmark = pytest.mark.docker
LIMITS = RunLimits(seconds=6)
R_ANSWER = """
values <- c(71.2, 64.8, 59.5, 55.0)
mean <- mean(values)
double <- function(x) 2 * x
refuse <- function(x) stop("x must be positive")
plus_one <- function(f, x) f(x) + 1
table <- data.frame(a = 1:2, b = c("x", NA), stringsAsFactors = TRUE)
named <- list(a = 1, b = "two", c = list(3L))
when <- as.Date("2026-01-02")
m <- matrix(1:4, 2)
drawn <- runif(1)
cat("mean =", mean, "\\n")
mean
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    """Sandboxes in one container that runs already: cheap, and apart from this machine."""
    images.ensure_sandbox()
    name = f"atelier-sandbox-test-{secrets.token_hex(4)}"
    command = ["docker", "run", "-d", "--rm", "--init", "--network=none", f"--name={name}"]
    subprocess.run(
        [*command, "--entrypoint=sleep", images.SANDBOX, "1800"], check=True, capture_output=True
    )
    try:
        yield LocalSandbox(name)
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=True, capture_output=True)


def run_r(sandbox: LocalSandbox, source: str, tests: dict[str, str]) -> RunResult:
    return run_file(sandbox, "a.R", source, tests, language="r", limits=LIMITS)


def test_the_right_answers_pass(sandbox: LocalSandbox) -> None:
    cells = notebook(cheats.RIGHT, "get_ipython()")
    right = run_file(sandbox, "a.ipynb", cells, cheats.TESTS, limits=LIMITS)
    assert set(scores(right).values()) == {1.0}
    assert set(scores(run_r(sandbox, cheats.R_RIGHT, cheats.R_TESTS)).values()) == {1.0}
    assert set(scores(run_r(sandbox, cheats.R_WRONG, cheats.R_TESTS)).values()) == {0.0}


@pytest.mark.parametrize("name", cheats.NOTEBOOK)
def test_a_cheat_in_a_notebook_passes_no_test(sandbox: LocalSandbox, name: str) -> None:
    source = cheats.NOTEBOOK[name].replace("{terces}", cheats.SECRET[::-1])
    cells = notebook(cheats.WRONG, source)
    found = run_file(sandbox, "a.ipynb", cells, cheats.TESTS, limits=LIMITS)
    assert set(scores(found).values()) == {0.0}


@pytest.mark.parametrize("name", cheats.R_CHEATS)
def test_a_cheat_in_r_passes_no_test(sandbox: LocalSandbox, name: str) -> None:
    source = cheats.R_WRONG + cheats.R_CHEATS[name]
    assert set(scores(run_r(sandbox, source, cheats.R_TESTS)).values()) == {0.0}


def test_r_is_tested_in_r(sandbox: LocalSandbox) -> None:
    tests = {
        "value": "stopifnot(abs(mean - 62.625) < 1e-9)",
        "function": "stopifnot(double(4) == 8, identical(double(1:3), c(2, 4, 6)))",
        "error": "told <- tryCatch(refuse(1), error = conditionMessage)\n"
                 "stopifnot(told == 'x must be positive')",
        "callback": "stopifnot(plus_one(function(x) 2 * x, 4) == 9)",
        "table": "stopifnot(is.data.frame(table), nrow(table) == 2, is.factor(table$b),\n"
                 "  is.na(table$b[2]), sum(table$a) == 3)",
        "list": "stopifnot(named$b == 'two', named$c[[1]] == 3L)",
        "date": "stopifnot(format(when, '%Y') == '2026')",
        "matrix": "stopifnot(identical(dim(m), c(2L, 2L)), m[1, 2] == 3)",
        "undefined": "stopifnot(median == 3)",
        "assertion": "stopifnot(mean == 3)",
        "empty": "stopifnot(logical(0))",
        "partly": "0.25",
        "syntax": "stopifnot(",
        "timeout": "while (TRUE) {}",
        "after it": "stopifnot(length(values) == 4)",
    }  # fmt: skip
    values = tuple(Value("variable", name) for name in ("mean", "table", "named", "m", "drawn"))
    values = (*values, Value("output"))
    first, second = (
        run_file(sandbox, "a.R", R_ANSWER, tests, values, limits=LIMITS, language="r",
                 names=("double",)) for _ in range(2)
    )  # fmt: skip
    assert first.problem == ""
    assert {one.name: one.problem or one.score for one in first.tests} == {
        **dict.fromkeys(tests, 1.0), "undefined": "error", "assertion": "assertion",
        "empty": "assertion", "partly": 0.25, "syntax": "error", "timeout": "timeout",
    }  # fmt: skip
    assert first.values[:4] == (
        Found(True, 62.625), Found(True, {"columns": {"a": [1, 2], "b": ["x", None]}}),
        Found(True, {"a": 1, "b": "two", "c": [3]}), Found(True, [[1, 3], [2, 4]]),
    )  # fmt: skip
    assert first.values[5] == Found(True, "mean = 62.625 \n[1] 62.625\n")
    assert first.values == second.values


@pytest.mark.parametrize(
    ("name", "content", "problem", "cell", "missing"),
    [
        ("a.ipynb", notebook("x <- y + 1", "y <- 2", kernel="ir"), "run_order", 1, "y"),
        ("a.ipynb", notebook("x <- 1\nlost(x)", kernel="ir"), "run_missing_cell", 1, "lost"),
        ("a.Rmd", "# A\n\n```{r}\nx <- 3\n```\n\n```{r}\nx\nx + 'a'\n```\n", "run_error", 9, ""),
        ("a.R", "x <- 1\ny <- )\n", "run_error", 2, ""),
        ("a.R", "repeat {}", "run_timeout", None, ""),
        ("a.R", "repeat cat('a long line of text to fill it\\n')", "run_output", None, ""),
        ("a.R", "q('no')", "run_died", None, ""),
    ],
)  # fmt: skip
def test_r_that_does_not_run_through_says_why(
    sandbox: LocalSandbox, name: str, content: bytes | str, problem: str, cell: int, missing: str
) -> None:
    limits = RunLimits(seconds=4)
    found = run_file(sandbox, name, content, {"a": "TRUE"}, language="r", limits=limits)
    assert (found.problem, found.cell, found.name) == (problem, cell, missing)
    assert scores(found) == {"a": 0}


def test_a_call_in_r_that_never_ends_ends_alone(sandbox: LocalSandbox) -> None:
    source = "f <- function() repeat {}\ng <- function() 3"
    found = run_r(sandbox, source, {"f": "f()", "g": "stopifnot(g() == 3)"})
    assert {one.name: one.problem for one in found.tests} == {"f": "timeout", "g": ""}
