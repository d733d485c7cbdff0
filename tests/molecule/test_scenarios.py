"""Every molecule scenario: a role on a server of its own, twice, then looked at."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from world import fingerprint, paths, venv
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

DEMO_PATIENCE_SECONDS = 1200


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


def test_the_interrupted_site_is_in_the_state_of_one_that_was_not(
    request: pytest.FixtureRequest,
) -> None:
    interrupted = fingerprint.kept("scenario")
    if interrupted is None:
        pytest.skip("needs the scenario `default` to have passed on the present sources")
    # Another worker brings the demo up for the tests in Chromium.
    demo_comes = any("e2e" in item.path.parts for item in request.session.items)
    deadline = time.monotonic() + DEMO_PATIENCE_SECONDS
    while fingerprint.kept("demo") is None and demo_comes and time.monotonic() < deadline:
        time.sleep(5)
    uninterrupted = fingerprint.kept("demo")
    if uninterrupted is None and not demo_comes:
        pytest.skip("needs a demo made from the present sources: make demo, or run tests/e2e too")
    assert fingerprint.differences(uninterrupted, interrupted) == []
