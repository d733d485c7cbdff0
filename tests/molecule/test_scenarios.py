"""Every molecule scenario: a role on a server of its own, twice, then looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import paths, venv
from world.run import WorldError, stream

# The longest first: with two workers the short ones then fill the end.
LONGEST_FIRST = ("default", "course_image", "jupyterhub")
FOUND = {path.parent.name for path in (paths.ROOT / "molecule").glob("*/molecule.yml")}
SCENARIOS = sorted(
    FOUND,
    key=lambda name: (
        LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST),
        name,
    ),
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, results: Path) -> None:
    log = results / f"molecule-{scenario}.log"
    log.unlink(missing_ok=True)
    try:
        stream(
            f"molecule {scenario}",
            [venv.program("molecule"), "test", "-s", scenario],
            cwd=paths.ROOT,
            env={**venv.environment(), "NO_COLOR": "1"},
            log=log,
            tail=80,
        )
    except WorldError as error:
        pytest.fail(str(error), pytrace=False)
