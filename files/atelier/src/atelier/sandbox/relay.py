"""Runs one job in two sandboxes, and carries lines from one to the other.

The learner's file runs in one sandbox, the tests in the other: the learner's code shares no process
with the tests, their text or the verdict. Only lines of the tests' sandbox become results of tests,
and a test without a line has failed. From the learner's sandbox come values, which are passed on
unread, and why the file did not run.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging

from atelier.sandbox.engine import EngineError, Sandbox, Stream
from atelier.sandbox.model import Found, Job, Outcome, RunnerError, RunResult
from atelier.sandbox.programs import COMMAND, first_line
from atelier.sandbox.programs.clock import PATIENCE

log = logging.getLogger(__name__)

START_SECONDS = 60.0
"""Time for a sandbox and its kernel to start on a busy machine."""
VALUES_SECONDS = 40.0
_GONE = b'{"GoneError": ""}\n'
_ASK, _OUTCOME = b"ask ", b"outcome "


async def run(sandbox: Sandbox, image: str, job: Job) -> RunResult:
    """Run a job.

    Raises:
        RunnerError: a sandbox does not start.
    """
    streams: list[Stream] = []
    try:
        return await _run(sandbox, image, job, streams)
    except EngineError as error:
        raise RunnerError("failed", str(error)) from None
    finally:
        await asyncio.gather(*(stream.stop() for stream in streams), return_exceptions=True)


async def _run(sandbox: Sandbox, image: str, job: Job, streams: list[Stream]) -> RunResult:
    async def start(stdin: bytes) -> Stream:
        stream = await sandbox.start(image, COMMAND, stdin, job.limits)
        streams.append(stream)
        return stream

    # The tests' sandbox starts while the learner's file runs. Both are waited for, even if one
    # fails: what has started must be known to be removed.
    inputs = [_answer_input(job), *([_tests_input(job)] if job.tests else [])]
    started = await asyncio.gather(*map(start, inputs), return_exceptions=True)
    ready = [one for one in started if not isinstance(one, BaseException)]
    if failed := [one for one in started if isinstance(one, BaseException)]:
        raise failed[0]
    answering = ready[0]
    result = await _ran(answering, job)
    values: tuple[Found, ...] = (Found(False),) * len(job.values)
    outcomes = tuple(Outcome(test.name, 0.0) for test in job.tests)
    if not result.problem:
        values = await _values(answering, job)
        if job.tests:
            outcomes = await _outcomes(answering, ready[1], job)
    return RunResult(
        result.problem, result.cell, result.error, result.seconds, outcomes, values, result.name
    )


def _answer_input(job: Job) -> bytes:
    limits = job.limits
    given = {
        "file": job.file,
        "files": _encoded(dict(job.files)),
        "given": None if job.given is None else base64.b64encode(job.given).decode(),
        "seconds": limits.seconds,
        "call_seconds": max(0.5, limits.seconds / 6),
        "output_bytes": limits.output_bytes,
        "values": [{"kind": value.kind, "name": value.name} for value in job.values],
    }
    return first_line("answer") + json.dumps(given).encode() + b"\n"


def _tests_input(job: Job) -> bytes:
    # The learner's file stays out: tests read the data that the course gives.
    files = {path: content for path, content in job.files.items() if path != job.file}
    given = {
        "files": _encoded(files),
        "seconds": max(1.0, job.limits.seconds / 2),
        "tests": [{"name": test.name, "code": test.code} for test in job.tests],
        "names": list(job.names),
    }
    return (
        first_line("tests" if job.language == "python" else "tests_r")
        + json.dumps(given).encode()
        + b"\n"
    )


def _encoded(files: dict[str, bytes]) -> dict[str, str]:
    return {path: base64.b64encode(content).decode() for path, content in files.items()}


async def _ran(answering: Stream, job: Job) -> RunResult:
    """Return how the learner's file ran."""
    try:
        async with asyncio.timeout(START_SECONDS + PATIENCE * job.limits.seconds):
            line = await answering.readline()
        told = json.loads(line) if line else None
        if isinstance(told, dict):
            fields = {name: told.get(name) for name in ("problem", "cell", "seconds")}
            texts = {name: str(told.get(name, ""))[:1000] for name in ("error", "name")}
            return RunResult.from_json({**fields, **texts})
    except TimeoutError:
        return RunResult("run_timeout")
    except (ValueError, RecursionError, RunnerError):
        return RunResult("run_died")
    return RunResult("run_memory" if await answering.ran_out_of_memory() else "run_died")


async def _values(answering: Stream, job: Job) -> tuple[Found, ...]:
    values: list[Found] = []
    try:
        async with asyncio.timeout(VALUES_SECONDS):
            for _value in job.values:
                line = await answering.readline()
                values.append(Found.from_json(json.loads(line)))
    except (TimeoutError, ValueError, RecursionError, RunnerError):
        values += [Found(False, None, "crossing")] * (len(job.values) - len(values))
    return tuple(values)


async def _outcomes(answering: Stream, testing: Stream, job: Job) -> tuple[Outcome, ...]:
    found: dict[str, Outcome] = {}
    problem = "timeout"
    try:
        async with asyncio.timeout(START_SECONDS + PATIENCE * job.limits.seconds):
            await testing.write(b"go\n")  # until now its time did not count
            problem = await _carry(answering, testing, found, len(job.tests))
    except TimeoutError:
        pass
    except (ValueError, RecursionError, RunnerError) as error:
        problem = "error"
        log.error("%s: the tests' sandbox: %s", job.course, error)
    missing = "the tests did not come this far"
    return tuple(
        found.get(test.name) or Outcome(test.name, 0.0, problem, missing) for test in job.tests
    )


async def _carry(answering: Stream, testing: Stream, found: dict[str, Outcome], count: int) -> str:
    """Carry lines until each test has its outcome; return the problem of those that have none."""
    gone = False
    while len(found) < count:
        line = await testing.readline()
        if line.startswith(_ASK):
            reply = _GONE
            if not gone:
                await answering.write(line[len(_ASK) :])
                reply = await answering.readline() or _GONE
                gone = reply == _GONE
            await testing.write(reply)
        elif line.startswith(_OUTCOME):
            outcome = Outcome.from_json(json.loads(line[len(_OUTCOME) :]))
            found[outcome.name] = outcome
        elif not line:
            return "error"
    return ""
