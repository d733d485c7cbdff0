"""More than one's share."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from hostile.inside.given import Given


def memory(given: Given) -> str | None:
    """More than the container's share: who asks is ended."""
    wanted = given.memory_bytes * 5 // 4
    # 1000: it is this one that the kernel ends.
    program = (
        "import pathlib; pathlib.Path('/proc/self/oom_score_adj').write_text('1000')\n"
        f"kept = []\nwhile sum(map(len, kept)) < {wanted}: kept.append(b'x' * 2**24)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    return f"{wanted} bytes were taken" if done.returncode == 0 else None


def many_processes(given: Given) -> str | None:
    """More processes than the container may have."""
    made: list[int] = []
    try:
        for _ in range(given.pids):
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            made.append(pid)
    except OSError:
        return None
    finally:
        for pid in made:
            os.kill(pid, signal.SIGKILL)
        for pid in made:
            os.waitpid(pid, 0)
    return f"{len(made)} more processes were started"


def disk(given: Given) -> str | None:
    """More bytes in the home than it may take; reserved, not written."""
    with tempfile.TemporaryFile(dir=Path.home()) as file, contextlib.suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, given.disk_bytes * 5 // 4)
        return f"{given.disk_bytes * 5 // 4} bytes were reserved"
    return None


def inodes(given: Given) -> str | None:
    """More files in the home than it may hold."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder, contextlib.suppress(OSError):
        for number in range(given.inodes * 5 // 4):
            os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
        return f"{given.inodes * 5 // 4} files were made"
    return None
