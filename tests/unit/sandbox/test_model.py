"""Jobs and results of the runner: they travel unchanged, and what is wrong is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from atelier.sandbox.model import (
    Found,
    Job,
    Outcome,
    RunLimits,
    RunnerError,
    RunResult,
    Test,
    Value,
)

JOB = Job(
    course="demo",
    who="basile",
    file="exercises/mean.ipynb",
    files={"exercises/mean.ipynb": b"{}", "data/é.csv": b"\xff\x00"},
    language="python",
    tests=(Test("mean", "assert mean == 62.6"), Test("other", "1 / 2")),
    values=(Value("variable", "mean"), Value("output"), Value("file", "results/table.csv")),
    limits=RunLimits(seconds=5),
    names=("double",),
    given=b"given",
)


def test_a_job_and_its_result_travel_as_json() -> None:
    assert Job.from_json(json.loads(json.dumps(JOB.to_json()))) == JOB
    result = RunResult(
        "run_order", 3, "NameError: x", 1.5, (Outcome("mean", 0.5, "error", "no"),),
        (Found(True, {"columns": {"a": [1, None]}}), Found(False, None, "crossing")), "x",
    )  # fmt: skip
    assert RunResult.from_json(json.loads(json.dumps(result.to_json()))) == result


@pytest.mark.parametrize(
    "changed",
    [
        {"image": "debian"},
        {"volumes": ["/"]},
        {"language": "ruby"},
        {"file": "another.py"},
        {"files": {"../mean.py": ""}, "file": "../mean.py"},
        {"files": {"/mean.py": ""}, "file": "/mean.py"},
        {"files": {"a//b.py": ""}, "file": "a//b.py"},
        {"files": {"a.py": "not base64!"}, "file": "a.py"},
        {"tests": [{"name": "a", "code": ""}, {"name": "a", "code": ""}]},
        {"tests": "assert True"},
        {"tests": [{"name": str(n), "code": ""} for n in range(201)]},
        {"values": [{"kind": "secret", "name": "x"}]},
        {"values": [{"kind": "file", "name": "/etc/passwd"}]},
        {"limits": {"seconds": 1e9}},
        {"limits": {"seconds": float("nan")}},
        {"limits": {"memory_bytes": -1}},
        {"limits": {"network": True}},
        {"who": 3},
        {"given": 3},
        {"given": "not base64!"},
    ],
)
def test_a_job_that_is_not_valid_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(RunnerError) as refused:
        Job.from_json({**JOB.to_json(), **changed})
    assert refused.value.code == "refused"


@pytest.mark.parametrize(
    "data", [None, [], {"problem": "passed"}, {"tests": [{"name": "a", "score": 2}], "problem": ""}]
)
def test_a_result_that_is_not_valid_is_no_result(data: Any) -> None:
    with pytest.raises(RunnerError):
        RunResult.from_json(data)
