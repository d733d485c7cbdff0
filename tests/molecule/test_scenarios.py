"""Every molecule scenario: a role on a server of its own, twice, then looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import fingerprint, passed, paths, soak, venv
from world.images import lock
from world.run import WorldError, stream

# The long ones first, the short ones then fill the end. `course_image` comes when the demo has left
# the layers of its image: two builds from nothing at once would take twice as long.
BEFORE_THE_OTHERS = ("default", "jupyterhub", "gitlab", "course", "course_image")
FOUND = {path.parent.name for path in (paths.ROOT / "molecule").glob("*/molecule.yml")}
if not soak.wanted():  # the whole site is installed, and interrupted, for the tests in browsers
    FOUND.discard(soak.WHOLE_SITE)
SCENARIOS = sorted(
    FOUND,
    key=lambda name: (
        BEFORE_THE_OTHERS.index(name) if name in BEFORE_THE_OTHERS else len(BEFORE_THE_OTHERS),
        name,
    ),
)


def scenario_lock(scenario: str) -> str:
    """Name the lock that is held while a scenario is at work."""
    return f"scenario-{scenario}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, results: Path) -> None:
    log = results / f"molecule-{scenario}.log"
    inputs = passed.inputs(scenario)
    if said := passed.lately(scenario, inputs):
        pytest.skip(f"{said} ({log.name})")
    passed.forget(scenario)
    log.unlink(missing_ok=True)
    try:
        with lock(scenario_lock(scenario)):
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
    passed.note(scenario, inputs)


@pytest.mark.skipif(not soak.wanted(), reason="compares two whole sites: a part of make soak")
def test_the_interrupted_site_is_in_the_state_of_one_that_was_not() -> None:
    # It is given out last: both sites are made by now, or in the making by the other worker.
    with lock(scenario_lock("default")), lock(fingerprint.DEMO_LOCK):
        interrupted, uninterrupted = fingerprint.kept("scenario"), fingerprint.kept("demo")
    if interrupted is None:
        pytest.skip("needs the scenario `default` to have passed on the present sources")
    if uninterrupted is None:
        pytest.skip("needs a demo made from the present sources: make demo, or run tests/e2e too")
    assert fingerprint.differences(uninterrupted, interrupted) == []
