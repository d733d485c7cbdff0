"""Begin many connections at once, and say how many of them there are two seconds later.

many.py ADDRESS PORT NUMBER; without NUMBER, it takes what others begin, one after the other.
"""

import socket
import sys
import time

address, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in address else socket.AF_INET


def is_there(one: socket.socket) -> bool:
    """Whether a connection was taken."""
    try:
        one.getpeername()
    except OSError:
        return False
    return True


if len(sys.argv) == 3:
    with socket.create_server((address, port), family=family, backlog=4096) as server:
        taken = []
        while True:
            taken.append(server.accept())
begun = [socket.socket(family) for _ in range(int(sys.argv[3]))]
for one in begun:
    one.setblocking(False)
    one.connect_ex((address, port))
time.sleep(2)
print(sum(map(is_there, begun)))
