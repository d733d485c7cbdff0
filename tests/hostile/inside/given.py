"""What the program is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Given:
    """What the program is told.

    Attributes:
        doors: [what, host, port] of each TCP port that must be shut.
        requests: [what, method, address, JSON body or null, headers, statuses] of HTTP requests
            whose answer must be one of the statuses; "{token}" in a header is the server's own
            token, "{password}" its git credential, "{basic}" the latter as git sends it.
        controls: the same for requests that must be answered so: that the others are refused
            tells nothing else.
        desk: address of the desk's API, which gives the git credential; empty: none is asked for.
        course: slug.
        secrets: SHA-256 digests, hexadecimal, of values that nothing in the container may hold.
        hidden: words of processes outside, which nothing in /proc may show.
        memory_bytes, pids: limits of the container; 0: not tried.
        disk_bytes, inodes: what the home may take; 0: not tried.
        pools: a neighbour holds all it can of what the kernel counts for each user.
    """

    doors: list[list[Any]] = field(default_factory=list)
    requests: list[list[Any]] = field(default_factory=list)
    controls: list[list[Any]] = field(default_factory=list)
    desk: str = ""
    course: str = ""
    secrets: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    memory_bytes: int = 0
    pids: int = 0
    disk_bytes: int = 0
    inodes: int = 0
    pools: bool = False
    password: str = ""
