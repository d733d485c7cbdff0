"""Who is at the other end of a Unix socket."""

from __future__ import annotations

import socket
import struct


def peer_user(connection: socket.socket) -> int:
    """Return the user id of the peer, from the kernel (unix(7), ``SO_PEERCRED``)."""
    size = struct.calcsize("3i")
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", told)[1])
