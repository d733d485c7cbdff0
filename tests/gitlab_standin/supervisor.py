"""The image's first process.

Reconfigure, then keep the web server running until ``docker stop``.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from gitlab_standin import reconfigure
from gitlab_standin.paths import Paths

RESTART_AFTER_SECONDS = 1.0
STOP_WITHIN_SECONDS = 30.0


class Supervisor:
    """Starts, stops and restarts the web server; listens on a socket for ``gitlab-ctl``."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._wanted = True
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._since = time.time()
        self._lock = threading.Lock()

    def _start(self) -> None:
        command = [sys.executable, "-m", "gitlab_standin", "--root", str(self._paths.root)]
        self._process = subprocess.Popen(
            [*command, "--no-reconfigure", "--host", "0.0.0.0"],  # noqa: S104  (a container's own network)
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._since = time.time()
        threading.Thread(target=self._copy_output, args=(self._process,), daemon=True).start()

    def _copy_output(self, process: subprocess.Popen[bytes]) -> None:
        folder = self._paths.log / "puma"
        folder.mkdir(parents=True, exist_ok=True)
        assert process.stdout is not None
        with (folder / "current").open("ab", buffering=0) as log:
            for line in process.stdout:
                log.write(line)
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()

    def _stop(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def command(self, words: list[str]) -> str:
        """One command of ``gitlab-ctl``; returns what it prints."""
        with self._lock:
            if words[0] in {"stop", "restart"}:
                self._wanted = False
                self._stop()
            if words[0] in {"start", "restart"}:
                self._wanted = True
                if self._process is None or self._process.poll() is not None:
                    self._start()
            process = self._process
            seconds = int(time.time() - self._since)
            if process is not None and process.poll() is None:
                return f"run: puma: (pid {process.pid}) {seconds}s"
            return f"down: puma: {seconds}s, normally up"

    def _listen(self) -> None:
        address = self._paths.run / "supervise.sock"
        address.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(address))
            address.chmod(0o600)
            server.listen()
            while True:
                connection, _ = server.accept()
                with connection:
                    words = connection.recv(1024).decode().split()
                    connection.sendall(self.command(words or ["status"]).encode())

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ending.set())
        threading.Thread(target=self._listen, daemon=True).start()
        with self._lock:
            self._start()
        while not self._ending.wait(RESTART_AFTER_SECONDS):
            with self._lock:
                if self._wanted and self._process is not None and self._process.poll() is not None:
                    self._start()
        with self._lock:
            self._wanted = False
            self._stop()


def main() -> int:
    """The container's entry point."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    paths = Paths(Path(os.environ.get("GITLAB_STANDIN_ROOT", "/")))
    skip = os.environ.get("GITLAB_SKIP_RECONFIGURE") == "true" and paths.settings.exists()
    if not skip:
        print(
            "Thank you for using GitLab Docker Image! (a stand-in: for demonstrations and tests)",
            flush=True,
        )
        print("Configuring GitLab...", flush=True)
        try:
            reconfigure.run(paths)
        except reconfigure.ReconfigureError as error:
            print(f"There was an error running gitlab-ctl reconfigure:\n\n{error}", file=sys.stderr)
            return 1
        print("gitlab Reconfigured!", flush=True)
    paths.sidekiq_down.unlink(missing_ok=True)  # whatever was stopped, a restart starts it
    Supervisor(paths).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
