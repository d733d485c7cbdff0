"""A process that imports packages once and forks the programs of the tests.

`of` starts one for each set of packages when a test first needs it; it ends with the tests.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kit.fork import Forked, Handle, import_once

ADDRESS = "ATELIER_FORK_SERVER"
"""Variable with a server's address, for programs of the tests that start others."""
LONGEST_ORDER = 1 << 17
END = b"end"


class HasFileno(Protocol):
    """An open file."""

    def fileno(self) -> int: ...


class Fork(Handle):
    """A program that a server has forked, as `subprocess.Popen` would show it."""

    def __init__(self, connection: socket.socket) -> None:
        self.returncode: int | None = None
        self._connection = connection
        self.pid = int(self._hear(None))

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()

    def _hear(self, seconds: float | None) -> bytes:
        self._connection.settimeout(seconds)
        if said := self._connection.recv(64):
            return said
        raise RuntimeError("The server of forks has ended.")

    def poll(self) -> int | None:
        """Return the exit code, minus the signal that ended it, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        if self.returncode is None:
            try:
                self.returncode = int(self._hear(timeout))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0) from None
            self._connection.close()
        return self.returncode


def fork(
    address: str,
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: HasFileno | int,
    errors: HasFileno | int | None = None,
) -> Fork:
    """Have a server run `python -m MODULE ARGUMENTS` without input.

    Args:
        address: of the server.
        words: module and arguments.
        cwd: its working directory.
        env: its whole environment.
        output: a file or its number.
        errors: another one for errors; by default the same.
    """
    files = [one if isinstance(one, int) else one.fileno() for one in (output, errors or output)]
    order = {"words": list(words), "cwd": str(cwd), "env": dict(env)}
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(address)
    socket.send_fds(connection, [json.dumps(order).encode()], files)
    return Fork(connection)


def run(
    address: str,
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Have a server run `python -m MODULE ARGUMENTS` to its end, as `subprocess.run` does.

    Raises:
        subprocess.TimeoutExpired: it took more than `seconds`, and was killed.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = fork(address, words, cwd=cwd, env=env, output=output, errors=errors)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        said = []
        for file in (output, errors):
            file.seek(0)
            said.append(file.read().decode())
    return subprocess.CompletedProcess(list(words), code, *said)


@functools.cache
def of(*modules: str, **env: str) -> str:
    """Return the address of a server that has imported these modules, started at first use.

    Args:
        modules: their names.
        env: what the server has in its environment besides what the tests have.
    """
    folder = tempfile.TemporaryDirectory(prefix="atelier-forks-")
    address = f"{folder.name}/socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(64)
        known = {**os.environ, **env}
        tests = str(Path(__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [tests, known.get("PYTHONPATH")]))
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listener.fileno()), *modules],
            cwd=folder.name,
            env={**known, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl+C is for the tests, which then end what they started
        )

    def end() -> None:
        process.communicate()  # the end of its input is the server's
        folder.cleanup()

    atexit.register(end)
    return address


class _Server:
    """Forks what it is asked for until its input ends, then kills what still runs.

    Args:
        listener: where orders come.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._asking = listener
        self._running: dict[int, tuple[Forked, socket.socket]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        os.register_at_fork(after_in_child=self._leave)

    def _leave(self) -> None:
        """Close in a fork what is the server's; in the forks of a fork nothing is left of it."""
        self._selector.close()
        self._listener.close()
        self._asking.close()
        for end, (_, connection) in self._running.items():
            os.close(end)
            connection.close()
        self._running.clear()

    def serve(self) -> None:
        """Work until the input ends."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._begin()
                elif key.fileobj is sys.stdin:
                    return
                else:
                    self._tell_end(key.fd)

    def _begin(self) -> None:
        self._asking, _ = self._listener.accept()
        message, numbers, _, _ = socket.recv_fds(self._asking, LONGEST_ORDER, 2)
        order = json.loads(message)
        with os.fdopen(numbers[0], "wb") as output, os.fdopen(numbers[1], "wb") as errors:
            forked = Forked(
                order["words"][0],
                order["words"],
                source=None,
                cwd=Path(order["cwd"]),
                env=order["env"],
                output=output,
                errors=errors,
            )
        end = os.pidfd_open(forked.pid)
        self._running[end] = forked, self._asking
        self._selector.register(end, selectors.EVENT_READ)
        self._asking.send(str(forked.pid).encode())

    def _tell_end(self, end: int) -> None:
        self._selector.unregister(end)
        os.close(end)
        forked, connection = self._running.pop(end)
        with contextlib.suppress(OSError), connection:  # who asked for it may be gone
            connection.send(str(forked.wait()).encode())

    def end(self) -> None:
        """Kill what still runs: nobody is left who would end it."""
        for forked, _ in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(forked.pid, signal.SIGKILL)


def main() -> None:
    """Serve orders."""
    number, *modules = sys.argv[1:]
    import_once(modules)
    server = _Server(socket.socket(fileno=int(number)))
    server.serve()
    server.end()


if __name__ == "__main__":
    main()
