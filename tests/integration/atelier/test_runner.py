"""The runner with Docker: what a sandbox has, what it has not, and what is left of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace

import docker  # type: ignore[import-untyped]
import pytest
from atelier.sandbox import relay
from atelier.sandbox.docker import LABEL, DockerSandbox
from atelier.sandbox.model import Found, Job, RunLimits, RunnerError, RunResult, Test, Value
from kit.local_sandbox import notebook, scores
from world import images

pytestmark = pytest.mark.docker

NAME = f"atelier-sandbox-test-{secrets.token_hex(4)}"
LIMITS = RunLimits(seconds=20, memory_bytes=300 * 2**20, processes=60, disk_bytes=2**24)
PROBE = """
import os, socket
def tried(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "possible"
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
rights = {key: status[key].strip() for key in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}
user = os.getuid() >= 2_004_096
network = os.listdir("/sys/class/net")
outside = tried(lambda: socket.create_connection(("172.17.0.1", 22), 2))
root = tried(lambda: open("/written", "w"))
home = tried(lambda: open(os.path.expanduser("~/written"), "w"))
environment = sorted(os.environ)
paths = [f"/proc/{one}/{name}" for one in os.listdir("/proc") if one.isdigit()
         for name in ("cmdline", "environ")]
for folder in ("/tmp", "/home", "/etc", "/run", "/srv", "/var/lib", "/opt"):
    for place, _, names in os.walk(folder):
        paths += [path for path in (os.path.join(place, name) for name in names)
                  if os.path.isfile(path)]
secret, found = b"".join([b"the tests", b" know it"]), []
for path in paths:
    try:
        if secret in open(path, "rb").read(2**22):
            found.append(path)
    except OSError:
        pass
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[DockerSandbox]:
    images.ensure_sandbox()
    client = docker.from_env()
    yield DockerSandbox(client, NAME)
    assert client.containers.list(all=True, filters={"label": f"{LABEL}={NAME}"}) == []
    client.close()


def run(sandbox: DockerSandbox, job: Job) -> RunResult:
    return asyncio.run(relay.run(sandbox, images.SANDBOX, job))


def job(*cells: str, tests: tuple[Test, ...] = (), values: tuple[str, ...] = ()) -> Job:
    return Job(
        "demo", "basile", "work/a.ipynb", {"work/a.ipynb": notebook(*cells)}, "python",
        tests, tuple(Value("variable", name) for name in values), LIMITS,
    )  # fmt: skip


def test_a_notebook_runs_and_is_tested(sandbox: DockerSandbox) -> None:
    cells = (
        "# %% [markdown]\n# Mean",
        "import numpy as np, pandas as pd, random\nlist = [71.2, 64.8, 59.5, 55.0]",
        "mean = np.mean(list)\nprint('mean =', mean)\nmean",
        "table = pd.DataFrame({'a': [1, 2], 'b': ['x', None]}, index=['i', 'j'])\n"
        "column = table['a']\nmatrix = np.eye(2)\nwhen = pd.Timestamp('2026-01-02')",
        "def double(x):\n    return 2 * x\nasync def f():\n    return 3\nthree = await f()",
        "drawn = [random.random(), np.random.random(), np.random.default_rng().random()]",
    )
    tests = (
        Test("mean", "assert abs(mean - 62.625) < 1e-9 and mean.round(1) == 62.6"),
        Test("array", "assert np.allclose(double(np.arange(3)), [0, 2, 4])"),
        Test("table", "expected = pd.DataFrame({'a': [1, 2], 'b': ['x', None]}, index=['i', 'j'])\n"
                      "pd.testing.assert_frame_equal(table, expected)\nassert column.sum() == 3"),
        Test("matrix", "assert matrix.shape == (2, 2) and matrix.dtype == float"),
        Test("time", "assert when.year == 2026"),
        Test("await", "assert three == 3"),
    )  # fmt: skip
    asked = job(*cells, tests=tests, values=("table", "matrix", "drawn"))
    asked = replace(asked, values=(*asked.values, Value("output")))
    first, second = run(sandbox, asked), run(sandbox, asked)
    assert (first.problem, [one for one in first.tests if one.score != 1]) == ("", [])
    assert first.values[0] == Found(True, {"columns": {"a": [1, 2], "b": ["x", None]}})
    assert first.values[1] == Found(True, [[1, 0], [0, 1]])
    assert first.values[3].value.startswith("mean = 62.625\n")
    assert first.values == second.values


def test_a_sandbox_has_no_rights_and_finds_nothing(sandbox: DockerSandbox) -> None:
    names = ("rights", "user", "network", "outside", "root", "home", "environment", "found")
    tests = (Test("the tests know it", "assert True, 'the tests know it'"),)
    result = run(sandbox, job(PROBE, tests=tests, values=names))
    assert (result.problem, scores(result)) == ("", {"the tests know it": 1})
    told = {name: found.value for name, found in zip(names, result.values, strict=True)}
    assert told["rights"] == {
        "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"
    }  # fmt: skip
    assert told["user"]
    assert told["network"] == ["lo"]
    assert told["outside"] == "OSError"
    assert (told["root"], told["home"]) == ("OSError", "possible")
    assert [name for name in told["environment"] if "TOKEN" in name or "SECRET" in name] == []
    assert told["found"] == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("x = bytearray(2 * 10**9)", "run_memory"),
        ("import os\nwhile True:\n    os.fork()", "run_processes"),
        ("while True:\n    print('x' * 1000)", "run_output"),
        ("import os\nos.system('yes')", "run_output"),
        ("open('/tmp/x', 'wb').write(bytes(2**25))", "run_error"),
        ("while True:\n    pass", "run_timeout"),
        ("import os\nos._exit(0)", "run_died"),
    ],
    ids=["memory", "processes", "output", "output of a child", "disk", "time", "exit"],
)
def test_what_takes_too_much_ends_alone_and_says_why(
    sandbox: DockerSandbox, source: str, problem: str
) -> None:
    limits = replace(LIMITS, seconds=6)
    cells = ("# %% [markdown]\n# One", "x = 1", source)
    asked = replace(job(*cells, tests=(Test("any", "assert True"),)), limits=limits)
    result = run(sandbox, asked)
    assert scores(result) == {"any": 0}
    assert (result.problem, result.cell) == (problem, 3)


def test_an_image_that_is_not_there_is_no_result(sandbox: DockerSandbox) -> None:
    with pytest.raises(RunnerError):
        asyncio.run(relay.run(sandbox, f"{NAME}:none", job("x = 1", tests=(Test("a", ""),))))


def test_what_an_earlier_process_left_is_removed(sandbox: DockerSandbox) -> None:
    client = docker.from_env()
    stream = asyncio.run(sandbox.start(images.SANDBOX, ("sleep", "600"), b"", LIMITS))
    assert stream
    assert len(client.containers.list(filters={"label": f"{LABEL}={NAME}"})) == 1
    DockerSandbox(client, NAME).tidy()
    assert client.containers.list(all=True, filters={"label": f"{LABEL}={NAME}"}) == []
    client.close()


def test_a_job_that_is_cancelled_leaves_nothing(sandbox: DockerSandbox) -> None:
    async def cancelled() -> None:
        client = docker.from_env()
        slow = job("import time\ntime.sleep(60)", tests=(Test("a", ""),))
        running = asyncio.create_task(relay.run(sandbox, images.SANDBOX, slow))
        while not client.containers.list(filters={"label": f"{LABEL}={NAME}"}):
            await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert client.containers.list(all=True, filters={"label": f"{LABEL}={NAME}"}) == []
        client.close()

    asyncio.run(cancelled())
