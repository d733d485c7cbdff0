"""One seed for all that a run draws at random, said in its header."""

from __future__ import annotations

import os

import pytest
from world import seed
from world.run import WorldError

_EXPLAINED = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the seed to Hypothesis, and by the environment to workers and programs."""
    try:
        number = seed.current()
        config.stash[_EXPLAINED] = seed.explained()
    except WorldError as error:
        raise pytest.UsageError(str(error)) from error
    os.environ[seed.VARIABLE] = str(number)
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = number


def pytest_report_header(config: pytest.Config) -> str:
    """Say the seed."""
    return config.stash[_EXPLAINED]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say it after failures too, where a quiet run has no header."""
    if exitstatus and not terminalreporter.showheader:
        terminalreporter.write_line(config.stash[_EXPLAINED])
